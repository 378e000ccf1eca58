package slo_test

import (
	"encoding/json"
	"strings"
	"testing"

	"brunt/scenarios/slo"
)

func TestParsePhase(t *testing.T) {
	for _, c := range []struct {
		text string
		want slo.Phase
	}{
		{"", slo.Phase{}},
		{"warmup", slo.Phase{Kind: slo.WarmupPhase}},
		{"run", slo.Phase{Kind: slo.RunPhase}},
		{"baseline", slo.Phase{Kind: slo.BaselinePhase}},
		{"incident", slo.Phase{Kind: slo.IncidentPhase}},
		{"kill", slo.Phase{Kind: slo.FaultPhase, Fault: "kill"}},
		{"kill#2", slo.Phase{Kind: slo.FaultPhase, Fault: "kill", Occurrence: 2}},
		{"recovery/kill", slo.Phase{Kind: slo.RecoveryPhase, Fault: "kill"}},
		{"recovery/kill#12", slo.Phase{Kind: slo.RecoveryPhase, Fault: "kill", Occurrence: 12}},
		{"rest/kill#1", slo.Phase{Kind: slo.RestPhase, Fault: "kill", Occurrence: 1}},
		{"rest", slo.Phase{Kind: slo.FaultPhase, Fault: "rest"}},
		{"browse.peak", slo.Phase{Kind: slo.FaultPhase, Fault: "browse.peak"}},

		// texts that no name allows: of files of another's, they stay as they are
		{"run#2", slo.Phase{Kind: slo.FaultPhase, Fault: "run", Occurrence: 2}},
		{"recovery/run", slo.Phase{Kind: slo.RecoveryPhase, Fault: "run"}},
		{"recovery/", slo.Phase{Kind: slo.RecoveryPhase}},
		{"recovery/rest/kill", slo.Phase{Kind: slo.RecoveryPhase, Fault: "rest/kill"}},
		{"#3", slo.Phase{Kind: slo.FaultPhase, Occurrence: 3}},
		{"a#1#2", slo.Phase{Kind: slo.FaultPhase, Fault: "a#1", Occurrence: 2}},
		{"kill#", slo.Phase{Kind: slo.FaultPhase, Fault: "kill#"}},
		{"kill#0", slo.Phase{Kind: slo.FaultPhase, Fault: "kill#0"}},
		{"kill#02", slo.Phase{Kind: slo.FaultPhase, Fault: "kill#02"}},
		{"kill#+2", slo.Phase{Kind: slo.FaultPhase, Fault: "kill#+2"}},
		{"kill#-2", slo.Phase{Kind: slo.FaultPhase, Fault: "kill#-2"}},
		{"kill#x", slo.Phase{Kind: slo.FaultPhase, Fault: "kill#x"}},
		{"kill#99999999999999999999", slo.Phase{Kind: slo.FaultPhase, Fault: "kill#99999999999999999999"}},
	} {
		if got := slo.ParsePhase(c.text); got != c.want {
			t.Errorf("%q is %+v, want %+v", c.text, got, c.want)
		}
	}
}

// FuzzParsePhase: each text is kept, as text and as JSON.
func FuzzParsePhase(f *testing.F) {
	for _, text := range []string{
		"", "run", "kill#2", "recovery/kill#2", "rest/x", "a#01", "#", "recovery/#1", "日本\xff#3",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if p := slo.ParsePhase(text); p.String() != text {
			t.Errorf("%q is written %q", text, p)
		}
		if p := slo.ParseOccurrence(text); p.String() != text || p.Kind != slo.FaultPhase {
			t.Errorf("the occurrence %q is written %q", text, p)
		}
		text = strings.ToValidUTF8(text, "?") // as JSON is
		plain, err := json.Marshal(map[string]string{text: text})
		if err != nil {
			t.Fatal(err)
		}
		var read map[slo.Phase]slo.Phase
		if err := json.Unmarshal(plain, &read); err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(read); err != nil || string(again) != string(plain) {
			t.Errorf("%s is written %s: %v", plain, again, err)
		}
	})
}

func TestPhase_Includes(t *testing.T) {
	for _, c := range []struct {
		p, q string
		want bool
	}{
		{"kill", "kill", true},
		{"kill", "kill#2", true},
		{"kill#2", "kill#2", true},
		{"kill#2", "kill#1", false},
		{"kill#2", "kill", false},
		{"kill", "recovery/kill#2", false},
		{"recovery/kill", "recovery/kill#2", true},
		{"kill", "cut#2", false},
		{"run", "run", true},
		{"run", "baseline", false},
		{"", "kill", false},
	} {
		if got := slo.ParsePhase(c.p).Includes(slo.ParsePhase(c.q)); got != c.want {
			t.Errorf("%q includes %q: %t", c.p, c.q, got)
		}
	}
}

func TestPhase_Of(t *testing.T) {
	for _, c := range []struct{ text, during, recovery string }{
		{"kill#2", "kill#2", "recovery/kill#2"},
		{"recovery/kill#2", "kill#2", "recovery/kill#2"},
		{"rest/kill", "kill", "recovery/kill"},
		{"run", "run", "run"},
		{"incident", "incident", "incident"},
		{"", "", ""},
	} {
		p := slo.ParsePhase(c.text)
		if during, recovery := p.Of(slo.FaultPhase), p.Of(slo.RecoveryPhase); during.String() != c.during ||
			recovery.String() != c.recovery {
			t.Errorf("%q: %q and %q", c.text, during, recovery)
		}
	}
}
