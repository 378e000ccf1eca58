package result

import "brunt/scenarios/slo"

// A Series is one figure over the time of a run: a metric that the scenario names under `metrics:`, or a figure of
// the pods of a service on a cluster, such as web.ready. A metric with several sets of labels gives several series
// with one name.
type Series struct {
	Name    string `json:"name" mask:"-"`              // name in the scenario; for pods, SERVICE.FIGURE
	Service string `json:"service,omitempty" mask:"-"` // service of the pods, for a figure of pods
	// unit: bytes, seconds, share (0 to 1), per second; empty means a plain number
	Unit   string            `json:"unit,omitempty" mask:"word"`
	Labels map[string]string `json:"labels,omitempty"` // labels that distinguish it from others with the same name
	Source string            `json:"source,omitempty"` // where it is read, for people
	Every  Num               `json:"every"`            // seconds between two readings
	Points []Point           `json:"points"`           // values in the order of time
	Note   string            `json:"note,omitempty"`   // remarks for readers
	// error of the last reading, if no reading had an answer
	Unread string `json:"unread,omitempty"`
}

// A Point is a value at a time.
type Point struct {
	T Num `json:"t"` // time of the reading, half-way between request and answer, an offset from t0
	V Num `json:"v"` // value; null means no answer, or an answer without this series
}

// Units of series and of compared metrics. A plain number has no unit.
const (
	UnitBytes     = "bytes"
	UnitSeconds   = "seconds"
	UnitShare     = "share"
	UnitPerSecond = "per second"
	UnitCores     = "cores"
)

// UnitOf returns the unit of a metric as result.json has it. It is empty for plain numbers and counts.
func UnitOf(u slo.Unit) string {
	return map[slo.Unit]string{
		slo.Bytes: UnitBytes, slo.Seconds: UnitSeconds, slo.ShareOf: UnitShare, slo.PerSecond: UnitPerSecond,
		slo.Cores: UnitCores,
	}[u]
}

// Points returns the use of a resource by the unit, second by second. Restarts and ooms count from the beginning of
// the run, and have no value in seconds of which nothing is known. Figures of a process have no value in seconds in
// which the unit was not running.
func (u *UnitUsage) Points(resource string) []Point {
	out := make([]Point, len(u.Seconds))
	for i := range u.Seconds {
		s := &u.Seconds[i]
		v := NaN
		switch {
		case s.Unknown:
		case resource == "restarts":
			v = Num(max(0, s.Starts-1))
		case resource == "ooms":
			v = Num(s.OOMs)
		case !s.Running:
		case resource == "cpu":
			v = s.CPU
		case resource == "memory" && s.Memory >= 0:
			v = Num(s.Memory)
		case resource == "fds":
			v = s.Files
		case resource == "threads" && s.Threads > 0:
			v = Num(s.Threads)
		}
		out[i] = Point{s.T, v}
	}
	return out
}
