package words_test

import (
	"slices"
	"testing"

	"brunt/reporters/words"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestNoConnection: requests count that found no connection, and no more than were not sent.
func TestNoConnection(t *testing.T) {
	r := &result.Result{
		Generator: result.Generator{Offered: 2000, Sent: 1009},
		Errors: []result.ErrorGroup{
			{Kind: "refused", Step: "a", Count: 700},
			{Kind: "refused", Step: "b", Count: 200},
			{Kind: "unreachable", Count: 80},
			{Kind: "timeout", Count: 5},
			{Kind: "status 503", Count: 900},
		},
	}
	if n := words.NoConnection(r); n != 980 {
		t.Error(n)
	}
	if r.Generator.Sent = 1500; words.NoConnection(r) != 500 {
		t.Error(words.NoConnection(r))
	}
}

// TestLimits: lags with one remedy are one sentence, another limit and another remedy have their own.
func TestLimits(t *testing.T) {
	lag := func(phase string, value result.Num, remedy result.Remedy, sentence string) result.Limit {
		return result.Limit{
			Kind: result.LimitLag, Phase: slo.ParsePhase(phase), Value: value, Remedy: remedy, Sentence: sentence,
		}
	}
	g := &result.Generator{}
	g.Add(lag("run", .03, result.OwnCore, "p99 lag 30ms in run is over 10ms."),
		lag("baseline", .02, result.OwnCore, "p99 lag 20ms in baseline is over 10ms."),
		result.Limit{Kind: result.LimitPorts, Sentence: "no port was free"},
		lag("split", .0125, "", "p99 lag 12.5ms in split is over 10ms."),
		lag("crash", .015, result.OwnCore, "p99 lag 15ms in crash is over 10ms."))
	want := []string{
		"p99 lag 30ms in run is over 10ms. The same: 20ms in baseline and 15ms in crash.", "no port was free",
		"p99 lag 12.5ms in split is over 10ms.",
	}
	if got := words.Limits(g); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestPeers: each address is named with its connections, the most first, up to three.
func TestPeers(t *testing.T) {
	first := map[string]int64{"10.0.0.1:80": 4, "10.0.0.2:80": 9}
	for _, c := range []struct {
		opened []map[string]int64 // by worker
		want   string
	}{
		{nil, ""},
		{[]map[string]int64{{"10.0.0.1:80": 1}}, "1 connection opened to 10.0.0.1:80"},
		{[]map[string]int64{first}, "13 connections opened to 10.0.0.2:80 (9) and 10.0.0.1:80 (4)"},
		{[]map[string]int64{first, {"10.0.0.1:80": 7}}, "20 connections opened to 10.0.0.1:80 (11) and 10.0.0.2:80 (9)"},
		{
			[]map[string]int64{first, {"10.0.0.3:80": 2, "10.0.0.4:80": 1, "10.0.0.5:80": 1}},
			"17 connections opened to 10.0.0.2:80 (9) and 10.0.0.1:80 (4) and 10.0.0.3:80 (2) and 2 further addresses (2)",
		},
	} {
		g := &result.Generator{}
		for _, opened := range c.opened {
			g.Peers = result.PeersOf(opened, g.Peers)
		}
		if got := words.Peers(g); got != c.want {
			t.Errorf("%v: %q, want %q", c.opened, got, c.want)
		}
	}
}
