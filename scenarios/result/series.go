package result

// A Series is one figure over the time of a run, that the scenario has named under
// `metrics:`. A metric with several sets of labels is several series of one name.
type Series struct {
	Name   string            `json:"name"`             // as the scenario has it
	Unit   string            `json:"unit,omitempty"`   // bytes, seconds, share (0 to 1), per second; empty is a plain number
	Labels map[string]string `json:"labels,omitempty"` // that tell it from others of the same name
	Source string            `json:"source,omitempty"` // what was read, for people
	Every  Num               `json:"every"`            // between two readings
	Points []Point           `json:"points"`           // in the order of time
	Note   string            `json:"note,omitempty"`   // what a reader should know
}

// A Point is a value at a time.
type Point struct {
	T Num `json:"t"` // when it was read, an offset from t0: half-way between question and answer
	V Num `json:"v"` // null: there was no answer, or no such series in it
}

// Units of series.
const (
	UnitBytes     = "bytes"
	UnitSeconds   = "seconds"
	UnitShare     = "share"
	UnitPerSecond = "per second"
)

// Points returns what the unit used of a resource by the second; restarts and ooms are
// counted from the beginning of the run. A second in which it did not run has no
// value for what only a process has.
func (u *UnitUsage) Points(resource string) []Point {
	out := make([]Point, len(u.Seconds))
	for i := range u.Seconds {
		s := &u.Seconds[i]
		v := NaN
		switch {
		case resource == "restarts":
			v = Num(max(0, s.Starts-1))
		case resource == "ooms":
			v = Num(s.OOMs)
		case !s.Running:
		case resource == "cpu":
			v = s.CPU
		case resource == "memory":
			v = Num(s.Memory)
		case resource == "fds":
			v = s.Files
		case resource == "threads":
			v = Num(s.Threads)
		}
		out[i] = Point{s.T, v}
	}
	return out
}
