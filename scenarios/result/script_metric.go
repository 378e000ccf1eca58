package result

// A ScriptMetric is a metric of a script of k6, as k6 would sum it up: of the whole run,
// setup included and warm-up left out. Times are in milliseconds and sizes in bytes, as
// the script has them.
type ScriptMetric struct {
	Load     string `json:"load"`               // whose script it is
	Name     string `json:"name"`               // with {tag:value} where it is of some samples only
	Type     string `json:"type"`               // counter, gauge, rate or trend
	Contains string `json:"contains,omitempty"` // default, time or data
	Count    int64  `json:"count"`              // samples
	Sum      Num    `json:"sum"`                // of all samples; of a rate, how many were not zero
	Rate     Num    `json:"rate"`               // a counter's sum per second; a rate's share, 0 to 1
	Last     Num    `json:"last"`               // sample: what a gauge is
	Min      Num    `json:"min"`                // the least sample
	Max      Num    `json:"max"`                // the greatest sample
	P50      Num    `json:"p50"`                // the median of a trend
	P90      Num    `json:"p90"`                // of a trend: 90 % are at most this
	P95      Num    `json:"p95"`                // of a trend: 95 % are at most this
	P99      Num    `json:"p99"`                // of a trend: 99 % are at most this
}
