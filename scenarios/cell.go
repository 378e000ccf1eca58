package scenarios

// A Phase is a stretch of the run that cells were composed for.
type Phase struct {
	Name  string `json:"name"`
	Start Num    `json:"start"`
	End   Num    `json:"end"`
}

// A Cell is what was measured for one load, step and outcome in one phase; "*" is
// all of them.
type Cell struct {
	Phase    string `json:"phase"`
	Load     string `json:"load"`
	Step     string `json:"step"`
	Outcome  string `json:"outcome"`
	Count    int64  `json:"count"`
	Rate     Num    `json:"rate"` // per second
	Hist     int    `json:"hist"` // 0 is none
	Response Times  `json:"response"`
	Service  Times  `json:"service"`
	Bytes    int64  `json:"bytes,omitempty"` // in rows of all outcomes
}

// Times are percentiles of one distribution in seconds.
type Times struct {
	P50  Num `json:"p50"`
	P90  Num `json:"p90"`
	P95  Num `json:"p95"`
	P99  Num `json:"p99"`
	P999 Num `json:"p99.9"`
	Max  Num `json:"max"`
	Mean Num `json:"mean"`
}

// NoTimes are the percentiles of nothing.
var NoTimes = Times{NaN, NaN, NaN, NaN, NaN, NaN, NaN}

// An ErrorGroup counts the errors of one cause at one step.
type ErrorGroup struct {
	Kind   string  `json:"kind"`
	Load   string  `json:"load"`
	Step   string  `json:"step"`
	Count  int64   `json:"count"`
	First  Num     `json:"first"`
	Last   Num     `json:"last"`
	Sample *Sample `json:"sample,omitempty"`
}

// A Window is one second of the run, or a part of one where a fault was injected
// or cleared within it. Outcomes count the requests intended in it; sent and
// answered those that were sent and answered during it.
type Window struct {
	T        Num              `json:"t"`
	D        Num              `json:"d"`
	Load     string           `json:"load"`
	Step     string           `json:"step"`
	Hist     int              `json:"hist"`
	Offered  int64            `json:"offered"`
	Sent     int64            `json:"sent"`
	Answered int64            `json:"answered"`
	OK       int64            `json:"ok"`
	Shed     int64            `json:"shed"`
	Error    int64            `json:"error"`
	Skipped  int64            `json:"skipped"`
	Kinds    map[string]int64 `json:"kinds,omitempty"`
	Lag      Num              `json:"lag"`   // p99
	Queue    Num              `json:"queue"` // p99
	P50      Num              `json:"p50"`
	P95      Num              `json:"p95"`
	P99      Num              `json:"p99"`
	Max      Num              `json:"max"`
	InFlight int64            `json:"in_flight"`
}
