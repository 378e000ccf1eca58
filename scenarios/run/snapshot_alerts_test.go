package run

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
	"brunt/scenarios/observe"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run/events"
)

// TestSampler_Alerts: the reaction of the team's monitoring to a fault, and the objectives on it, show
// while the run goes on.
func TestSampler_Alerts(t *testing.T) {
	now := 5 * time.Second
	t0 := time.Now().Add(-now)
	r := newRunner(&plan.Plan{
		Scenario: &scenarios.Scenario{}, Faults: []*timeline.Entry{{Fault: scenarios.Fault{Name: "cut"}}},
	}, Options{})
	r.log.Begin(t0)
	r.observers.observed = observe.Played("High", "...FF..", t0)
	rec, err := measure.New(measure.Config{
		Series: measure.Series{Loads: []measure.SeriesLoad{{Name: "main"}}}, Shards: 1,
		Now: func() time.Duration { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Close()
	r.loads.rec = rec
	for _, c := range []struct {
		name     string
		injected time.Duration
		over     bool
		want     result.FaultAlert
		text     string // of Detect
	}{
		{
			"it is in", 200 * time.Millisecond, false,
			result.FaultAlert{Name: "High", Fired: .9, FiredFrom: 0, Resolved: result.NaN, StillFiring: result.NaN},
			"0.9",
		},
		{
			"it is over", 200 * time.Millisecond, true,
			result.FaultAlert{Name: "High", Fired: .9, FiredFrom: 0, Resolved: 2.6, StillFiring: 1.5},
			"0.9",
		},
		{
			"not asked since", 4900 * time.Millisecond, false,
			result.FaultAlert{Name: "High", Fired: result.NaN, FiredFrom: 0, Resolved: result.NaN, StillFiring: result.NaN},
			"null",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			oc := measure.Occurrence{
				Name: "cut", Fault: "cut", Injected: c.injected, Cleared: 500 * time.Millisecond, Over: c.over,
			}
			s := newSnapshot(r.faults, now)
			s.records = s.recordsSoFar([]measure.Occurrence{oc})
			got := s.faultsSoFar(&judge.Findings{Faults: []judge.FaultFinding{{Occurrence: oc}}})[0]
			if fmt.Sprint(got.Alerts) != fmt.Sprint([]result.FaultAlert{c.want}) {
				t.Errorf("%+v, want %+v", got.Alerts, c.want)
			}
			if text, _ := json.Marshal(got.Detect); string(text) != c.text {
				t.Errorf("detected after %s, want %s", text, c.text)
			}
		})
	}
}

// TestFaultRecord_Absent: readers are told when a fault was not in on a unit, for that is no part of its time.
func TestFaultRecord_Absent(t *testing.T) {
	s := newSnapshot(newRunner(&plan.Plan{Scenario: &scenarios.Scenario{}}, Options{}).faults, 0)
	rec := s.faultRecord(&chaos.Record{N: -1, Late: "late", Absent: []chaos.Absence{
		{Unit: "web[1]", From: 12300 * time.Millisecond, To: 15100 * time.Millisecond},
		{Unit: "web[2]", From: 20 * time.Second},
	}})
	rec.Say()
	if want := "late; not on web[1] from 12.3s to 15.1s; not on web[2] from 20s to its end"; rec.Note != want {
		t.Errorf("its note is %q, want %q", rec.Note, want)
	}
}

// TestFaultRecord_Part: a fault whose settings leave a part is recorded so, and so is a step whose unit stays down.
func TestFaultRecord_Part(t *testing.T) {
	s := newSnapshot(newRunner(&plan.Plan{Scenario: &scenarios.Scenario{}}, Options{}).faults, 0)
	rec := s.faultRecord(&chaos.Record{N: -1, Part: true, Steps: []*chaos.Record{{LeftDown: true}}})
	if !rec.Part || rec.StaysDown || !rec.Steps[0].StaysDown {
		t.Errorf("%+v", rec)
	}
}

// TestFault_Cut: a fault that another one cut short was in for under half of its time, or for more of it.
func TestFault_Cut(t *testing.T) {
	const sec = time.Second
	s := newSnapshot(newRunner(&plan.Plan{Scenario: &scenarios.Scenario{}}, Options{}).faults, 0)
	for cleared, brief := range map[time.Duration]bool{24 * sec: true, 25 * sec: false} {
		f := s.fault(&chaos.Record{
			Name: "f#2", Injected: 10 * sec, Cleared: cleared,
			Cuts: []chaos.CutShort{{Unit: "web[0]", By: "g", In: cleared - 10*sec, Of: 30 * sec}},
		})
		if f.Brief != brief || !f.Cuts.Has(result.FaultCut) || !f.Because.Has(result.FaultCut) || f.Void != nil {
			t.Errorf("until %s: %+v", cleared, f)
		}
	}
}

// TestRecordsSoFar_Outcome: how a fault was taken back is known while the run goes on, whatever the texts of its events
// say.
func TestRecordsSoFar_Outcome(t *testing.T) {
	for _, want := range []chaos.Outcome{chaos.Reverted, chaos.Gone, chaos.Failed, chaos.None, chaos.Unverified} {
		r := newRunner(&plan.Plan{Scenario: &scenarios.Scenario{}}, Options{})
		log := events.New(events.Options{Mask: func(s string) string { // its word is a secret
			return strings.ReplaceAll(s, string(want), "***")
		}})
		log.Event(result.Event{
			Event: "fault.reverted", Fault: "cut", Text: string(want), Data: map[string]any{result.OutcomeData: want},
		})
		s := newSnapshot(r.faults, 0)
		s.events = log.OfFaults()
		rec := s.recordsSoFar([]measure.Occurrence{{Name: "cut", Fault: "cut", Over: true}})[0]
		if rec.Revert != want || rec.Gone != (want != chaos.Unverified) {
			t.Errorf("%s: %q, gone %t", want, rec.Revert, rec.Gone)
		}
	}
}
