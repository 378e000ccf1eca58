package k6

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Plan describes what a script will do, as k6 reports it before the run.
type Plan struct {
	Scenarios  []Scenario // ordered by start
	Thresholds []Threshold
	End        time.Duration // latest time at which an iteration may begin
	Over       time.Duration // latest time at which all iterations have ended
	Users      int           // maximum number of virtual users
}

// A Scenario is one scenario of the script, as its executor runs it.
type Scenario struct {
	Name       string
	Executor   string
	Start, End time.Duration // the time in which iterations begin
	Open       bool          // iterations begin at a rate, independently of the target
	Pieces     []Piece       // its rate per second, or its number of virtual users
	Iterations bool          // it ends after a number of iterations, which may be before End
}

// A Piece is a stretch of a scenario's rate or users.
type Piece struct {
	For      time.Duration
	From, To float64
}

// inspected is the output of `k6 inspect --execution-requirements`.
type inspected struct {
	Scenarios     map[string]map[string]any  `json:"scenarios"`
	Thresholds    map[string]json.RawMessage `json:"thresholds"`
	TotalDuration any                        `json:"totalDuration"`
	MaxVUs        int                        `json:"maxVUs"`
}

// parsePlan reads k6's description of a script.
func parsePlan(text []byte) (*Plan, error) {
	var in inspected
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, fmt.Errorf("what k6 says of the script can't be read: %w", err)
	}
	p := &Plan{Over: durationOf(in.TotalDuration, 0), Users: in.MaxVUs}
	for name, s := range in.Scenarios {
		if o, _ := s["options"].(map[string]any); o["browser"] != nil {
			return nil, fmt.Errorf("its scenario %q drives a browser, whose requests brunt neither sees nor keeps within the "+
				"blast radius", name)
		}
		one := scenarioOf(name, s)
		p.End = max(p.End, one.End)
		p.Scenarios = append(p.Scenarios, one)
	}
	p.Over = max(p.Over, p.End)
	slices.SortFunc(p.Scenarios, func(a, b Scenario) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), strings.Compare(a.Name, b.Name))
	})
	t := NewTally()
	for metric, raw := range in.Thresholds {
		if err := EachThreshold(raw, func(source string, abort bool, delay time.Duration) error {
			return t.Limit(metric, source, abort, delay)
		}); err != nil {
			return nil, err
		}
	}
	_, p.Thresholds = t.Sum(0)
	sortThresholds(p.Thresholds)
	return p, nil
}

func sortThresholds(all []Threshold) {
	slices.SortStableFunc(all, func(a, b Threshold) int {
		return cmp.Or(strings.Compare(a.Metric, b.Metric), strings.Compare(a.Source, b.Source))
	})
}

// EachThreshold calls do for each threshold of one metric. A threshold is a text, or an object that contains one.
func EachThreshold(raw json.RawMessage, do func(source string, abort bool, delay time.Duration) error) error {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return fmt.Errorf("thresholds are a list: %w", err)
	}
	for _, item := range list {
		var source string
		if json.Unmarshal(item, &source) == nil {
			if err := do(source, false, 0); err != nil {
				return err
			}
			continue
		}
		var long struct {
			Threshold      string `json:"threshold"`
			AbortOnFail    bool   `json:"abortOnFail"`
			DelayAbortEval any    `json:"delayAbortEval"`
		}
		if err := json.Unmarshal(item, &long); err != nil {
			return fmt.Errorf("a threshold is a text or an object: %w", err)
		}
		if err := do(long.Threshold, long.AbortOnFail, durationOf(long.DelayAbortEval, 0)); err != nil {
			return err
		}
	}
	return nil
}

func scenarioOf(name string, s map[string]any) Scenario {
	out := Scenario{Name: name, Start: durationOf(s["startTime"], 0)}
	out.Executor, _ = s["executor"].(string)
	number := func(key string) float64 { f, _ := s[key].(float64); return f }
	per := func(v float64) float64 {
		if unit := durationOf(s["timeUnit"], time.Second).Seconds(); unit > 0 {
			return v / unit
		}
		return v
	}
	constant := func(v float64) {
		out.Pieces = []Piece{{durationOf(s["duration"], 0), v, v}}
	}
	switch out.Executor {
	case "constant-arrival-rate":
		out.Open = true
		constant(per(number("rate")))
	case "ramping-arrival-rate":
		out.Open = true
		out.Pieces = ramp(s, per(number("startRate")), per)
	case "ramping-vus":
		out.Pieces = ramp(s, number("startVUs"), func(v float64) float64 { return v })
	case "shared-iterations", "per-vu-iterations":
		d := durationOf(s["maxDuration"], 10*time.Minute)
		out.Pieces, out.Iterations = []Piece{{d, number("vus"), number("vus")}}, true
	default: // constant-vus, externally-controlled
		constant(number("vus"))
	}
	out.End = out.Start
	for _, p := range out.Pieces {
		out.End += p.For
	}
	return out
}

// ramp converts stages. A stage without a duration is a jump.
func ramp(s map[string]any, from float64, per func(float64) float64) (out []Piece) {
	list, _ := s["stages"].([]any)
	for _, v := range list {
		stage, _ := v.(map[string]any)
		target, _ := stage["target"].(float64)
		to := per(target)
		if d := durationOf(stage["duration"], 0); d > 0 {
			out = append(out, Piece{d, from, to})
		}
		from = to
	}
	return out
}
