package judge_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
)

// TestParts: each part of an impact is counted beside the baseline, whatever the verdict on it.
func TestParts(t *testing.T) {
	blip := between(32*sec, 32050*ms) // 10 requests
	all := outage(blip)
	for i := range all {
		if at := all[i].Intended; between(33*sec, 39*sec)(at) {
			all[i] = request(at, 60*ms, okay)
		}
	}
	p := drill(t, parseObjectives(t, "p95 < 30ms in f"), judge.Case{}, all,
		injection{"f", "f", 30 * sec, 40 * sec}).Faults[0]
	if p.Impact != result.Impacted || p.OnsetAt.Known() || p.Parts == nil {
		t.Fatalf("%s (%s), parts %v; want impacted, because it was slower", p.Impact, p.Note, p.Parts)
	}
	got := *p.Parts
	if got.Errors != 10 || got.Shed != 0 || got.Lost != 0 || got.First != 32 || got.Last < 32.04 || got.Last > 32.05 {
		t.Errorf("%+v", got)
	}
	if got.P50Before < .0199 || got.P50Before > .0201 || got.P50 < .0599 || got.P50 > .0601 ||
		got.Slower().Answer != result.Yes {
		t.Errorf("percentiles: %+v", got)
	}
}

// TestSurge: a surge of shed requests is an impact unless an objective on shed bounds it, over the run or in the fault.
// Load that was shed at the same rate before is no impact.
func TestSurge(t *testing.T) {
	shed := func(harm func(time.Duration) bool) []scenarios.Outcome {
		all := outage(between(0, 0))
		for i := range all {
			if harm(all[i].Intended) {
				all[i] = request(all[i].Intended, 2*ms, scenarios.Shed)
			}
		}
		return all
	}
	fifth := func(at time.Duration) bool { return int(at/(5*ms))%5 == 0 }
	surge := between(31*sec, 38*sec)
	for _, c := range []struct {
		name string
		slo  string
		harm func(time.Duration) bool
		want result.Impact
	}{
		{"surge", "recover < 30s after f", surge, result.Impacted},
		{"covered", "shed < 50%", surge, result.NotImpacted},
		{"none may be shed", "shed = 0%", surge, result.NotImpacted},
		{"covered in the fault", "shed < 99% in f", surge, result.NotImpacted},
		{"covered in another fault", "shed < 99% in g", surge, result.Impacted},
		{"covered before the fault", "shed < 1% in baseline", surge, result.Impacted},
		{"covered after the fault", "shed < 1% in recovery/f", surge, result.Impacted},
		{"covered of another step", "shed < 50% of write", surge, result.Impacted},
		{"a lower bound", "shed > 1%", surge, result.Impacted},
		{"as before", "errors < 1%", fifth, result.NotImpacted},
		{"more than before", "errors < 1%", func(at time.Duration) bool { return surge(at) || fifth(at) }, result.Impacted},
	} {
		f := drill(t, parseObjectives(t, c.slo), judge.Case{}, shed(c.harm),
			injection{"f", "f", 30 * sec, 40 * sec}).Faults[0]
		if f.Impact != c.want || f.Failed != 0 {
			t.Errorf("%s: %s (%s), %d failed; want %s, 0", c.name, f.Impact, f.Note, f.Failed, c.want)
		}
		if at := []result.Num{f.OnsetAt, f.RecoveredAt}; c.name == "surge" &&
			(math.Abs(float64(at[0])-31) > .0051 || math.Abs(float64(at[1])-38) > .0051) {
			t.Errorf("%s: from %v to %v, want 31 to 38", c.name, at[0], at[1])
		}
		if f.Parts.Shed == 0 {
			t.Errorf("%s: no shed request in %+v", c.name, *f.Parts)
		}
		if f.Unsteady.Kind != "" {
			t.Errorf("%s: %s", c.name, f.Unsteady.Text)
		}
	}
}

// TestLostWrites: acknowledged writes that were lost to a fault are an impact of it, from which the
// load had nothing to recover.
func TestLostWrites(t *testing.T) {
	ledger := &result.LedgerRecord{
		Read: true, Acknowledged: 1000, Lost: 90, LostSpans: []result.LostSpan{{Fault: "f", Lost: 90}},
	}
	c := judge.Case{
		Ledgers: []*result.LedgerRecord{ledger}, Occurrences: []judge.Occurrence{{RequireImpact: true}},
	}
	f := drill(t, parseObjectives(t, "recover < 1s after f", "failover < 1s after f", "onset < 1s after f"), c,
		outage(between(0, 0)), injection{"f", "f", 30 * sec, 40 * sec})
	if got := f.Faults[0]; got.Impact != result.Impacted || got.Parts.Lost != 90 || got.RecoveredAt != 30 ||
		got.OnsetAt.Known() {
		t.Errorf("%+v, parts %+v", got, got.Parts)
	}
	for i, want := range []scenarios.Verdict{scenarios.Pass, scenarios.Pass, scenarios.Inconclusive} {
		if o := f.Objectives[i]; o.Verdict != want {
			t.Errorf("%s: %s (%s), want %s", o.Text, o.Verdict, o.Note, want)
		}
	}
}

// TestLostMessages: messages of a delivery that were lost to a fault are an impact of it as writes are, and those that
// it or another one lost are neither an impact nor none.
func TestLostMessages(t *testing.T) {
	for _, c := range []struct {
		name   string
		span   result.LostSpan
		impact result.Impact
		parts  result.ImpactParts
		notes  int
	}{
		{
			"its own",
			result.LostSpan{Fault: "f", Lost: 90},
			result.Impacted,
			result.ImpactParts{Lost: 90, LostMessages: 90},
			0,
		},
		{
			"shared",
			result.LostSpan{Faults: []string{"e", "f"}, Lost: 90},
			result.UnknownYet,
			result.ImpactParts{LostShared: 90, LostSharedMessages: 90},
			1,
		},
		{"another's", result.LostSpan{Fault: "e", Lost: 90}, result.NotImpacted, result.ImpactParts{}, 0},
		{"no fault's", result.LostSpan{Lost: 90}, result.NotImpacted, result.ImpactParts{}, 0},
	} {
		d := &result.DeliveryRecord{Name: "order", Acknowledged: 1000, Lost: 90, LostSpans: []result.LostSpan{c.span}}
		got := drill(t, parseObjectives(t, "recover < 1s after f"), judge.Case{Deliveries: []*result.DeliveryRecord{d}},
			outage(between(0, 0)), injection{"f", "f", 30 * sec, 40 * sec}).Faults[0]
		p := got.Parts
		if got.Impact != c.impact || p.Lost != c.parts.Lost || p.LostMessages != c.parts.LostMessages ||
			p.LostShared != c.parts.LostShared || p.LostSharedMessages != c.parts.LostSharedMessages ||
			len(got.Notes) != c.notes || c.notes > 0 && got.Notes[0].Kind != result.MessagesShared {
			t.Errorf("%s: %+v, parts %+v", c.name, got, p)
		}
	}
}

// TestSharedLoss: writes that a fault or another one lost are neither an impact of it nor none.
func TestSharedLoss(t *testing.T) {
	ledger := &result.LedgerRecord{
		Read: true, Acknowledged: 1000, Lost: 90, LostSpans: []result.LostSpan{{Faults: []string{"e", "f", "g"}, Lost: 90}},
	}
	for _, required := range []bool{false, true} {
		c := judge.Case{
			Ledgers: []*result.LedgerRecord{ledger}, Occurrences: []judge.Occurrence{{RequireImpact: required}},
		}
		f := drill(t, parseObjectives(t, "recover < 1s after f", "errors < 5% in f"), c, outage(between(0, 0)),
			injection{"f", "f", 30 * sec, 40 * sec})
		got := f.Faults[0]
		if got.Impact != result.UnknownYet || got.Parts.Lost != 0 || got.Parts.LostShared != 90 ||
			!slices.Equal(got.Parts.LostWith, []string{"e", "g"}) || got.Notes[0].Kind != result.LossShared {
			t.Errorf("%+v, parts %+v", got, got.Parts)
		}
		want := scenarios.Pass
		if required {
			want = scenarios.Inconclusive
		}
		for _, o := range f.Objectives {
			if o.Verdict != want {
				t.Errorf("impact required: %t, %s: %s (%s), want %s", required, o.Text, o.Verdict, o.Note, want)
			}
		}
		if (got.Required.Kind == result.ImpactUnknown) != required {
			t.Errorf("impact required: %t, and the reason is %+v", required, got.Required)
		}
	}
}

// TestSharedLoss_Alone: writes that nothing shows to be lost to the only fault are neither an impact of it nor none.
func TestSharedLoss_Alone(t *testing.T) {
	ledger := &result.LedgerRecord{
		Read: true, Acknowledged: 1000, Lost: 90, LostSpans: []result.LostSpan{{Faults: []string{"f"}, Lost: 90}},
	}
	got := drill(t, parseObjectives(t, "recover < 1s after f"), judge.Case{Ledgers: []*result.LedgerRecord{ledger}},
		outage(between(0, 0)), injection{"f", "f", 30 * sec, 40 * sec}).Faults[0]
	if got.Impact != result.UnknownYet || got.Parts.Lost != 0 || got.Parts.LostShared != 90 || got.Parts.LostWith != nil ||
		len(got.Notes) != 1 || got.Notes[0].Kind != result.LossUnshown || got.Notes[0].Of != "f" {
		t.Errorf("%+v, parts %+v", got, got.Parts)
	}
}

// TestPolledDelivery: a time that brunt saw too late by polling fails an objective only if it fails by more than the
// time between two questions. The row of a delivery is the load's own here.
func TestPolledDelivery(t *testing.T) {
	for _, c := range []struct {
		objective  string
		resolution result.Num
		want       scenarios.Verdict
	}{
		{"p95 < 15ms of read", 0, scenarios.Fail},
		{"p95 < 15ms of read", .004, scenarios.Fail},
		{"p95 < 15ms of read", .008, scenarios.Inconclusive},
		{"p95 < 50ms of read", .008, scenarios.Pass},
		{"p95 > 15ms of read", .008, scenarios.Inconclusive},
		{"within(15ms) > 95% of read", 0, scenarios.Fail},
		{"within(15ms) > 95% of read", .004, scenarios.Fail},
		{"within(15ms) > 95% of read", .008, scenarios.Inconclusive},
		{"within(50ms) > 95% of read", .008, scenarios.Pass},
		{"within(15ms) < 95% of read", .008, scenarios.Inconclusive},
	} {
		d := &result.DeliveryRecord{Name: "read", Acknowledged: 1000, Resolution: c.resolution}
		o := drill(t, parseObjectives(t, c.objective), judge.Case{Deliveries: []*result.DeliveryRecord{d}},
			outage(between(0, 0)), injection{"f", "f", 30 * sec, 40 * sec}).Objectives[0]
		if o.Verdict != c.want {
			t.Errorf("%s at %v: %s of %v (%s), want %s", c.objective, c.resolution, o.Verdict, o.Measured, o.Note, c.want)
		}
		if unsure := o.Verdict == scenarios.Inconclusive; strings.Contains(o.Note, "up to 8ms earlier") != unsure {
			t.Errorf("%s at %v: %s", c.objective, c.resolution, o.Note)
		}
	}
}
