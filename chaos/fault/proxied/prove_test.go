package proxied

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/medium/link"
	"brunt/chaos/proof"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/peer"
)

// TestSome_Find checks that a fault on all connections that hits only some is probed again.
func TestSome_Find(t *testing.T) {
	for _, tt := range []struct {
		name    string
		missed  func(sample int) int // connections of a sample that are not hit; sample counts from 1
		want    error
		samples int
	}{
		{"all at once", func(int) int { return 0 }, nil, 1},
		{"some were late at first", func(sample int) int { return max(0, 3-sample) }, nil, 3},
		{"some are never hit", func(int) int { return 1 }, chaos.ErrNoEffect, link.InARow},
		{"none is", func(int) int { return proof.Tries(1) }, chaos.ErrNoEffect, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var n atomic.Int64
			_, err := (&Some{}).find(t.Context(), "are hit", 0, func(context.Context) (dialed, error) {
				i := int(n.Add(1)) - 1
				return dialed{hit: i%proof.Tries(1) >= tt.missed(1+i/proof.Tries(1))}, nil
			})
			if samples := int(n.Load()) / proof.Tries(1); !errors.Is(err, tt.want) || samples != tt.samples {
				t.Errorf("%v after %d looks, want %v after %d", err, samples, tt.want, tt.samples)
			}
		})
	}
}

// TestSlicer_Dialed checks that a message is hit only if the proxy cut it in each direction of the fault: on a late
// machine an uncut one takes as long.
func TestSlicer_Dialed(t *testing.T) {
	const least, late = 16 * time.Millisecond, 32 * time.Millisecond
	for _, tt := range []struct {
		name      string
		direction string
		got       proxy.ProbeResult
		want      dialed
		silent    bool
	}{
		{name: "cut", got: proxy.ProbeResult{Spread: late, Largest: [2]int64{96, 80}}, want: dialed{late, least, false}},
		{name: "cut, and read together", got: proxy.ProbeResult{Largest: [2]int64{96, 80}}, want: dialed{0, least, false}},
		{name: "late and whole", got: proxy.ProbeResult{Spread: late, Largest: [2]int64{5000, 5000}}},
		{name: "late, and cut one way", got: proxy.ProbeResult{Spread: late, Largest: [2]int64{96, 5000}}},
		{name: "late, and it is not known what was written", got: proxy.ProbeResult{Spread: late}},
		{
			name: "cut, of requests", direction: "request", got: proxy.ProbeResult{Spread: late, Largest: [2]int64{96, 5000}},
			want: dialed{late, least, false},
		},
		{
			name: "late and whole, of answers", direction: "response",
			got: proxy.ProbeResult{Spread: late, Largest: [2]int64{96, 5000}},
		},
		{
			name: "cut, and not whole in time",
			got: proxy.ProbeResult{
				Outcome: proxy.Silent, Received: 96, Waited: time.Minute, Largest: [2]int64{96, 96},
			},
			want: dialed{time.Minute, least, false},
		},
		{
			name:   "not cut, and not whole in time",
			got:    proxy.ProbeResult{Outcome: proxy.Silent, Received: 5000, Waited: time.Minute, Largest: [2]int64{5000, 5000}},
			silent: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &Slicer{Size: 64, Variation: 32}
			f.Direction = tt.direction
			if got, err := f.dialed(tt.got, least); got != tt.want || errors.Is(err, chaos.ErrNoAnswer) != tt.silent {
				t.Errorf("%+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

// TestAsked_Proves checks when slow requests prove a delay of a share of them.
func TestAsked_Proves(t *testing.T) {
	for _, tt := range []struct {
		name  string
		asked asked
		share float64
		all   bool
		want  string // of the error
	}{
		{"a fifth is hit, the others are quick", asked{n: 62, hits: 12, sure: 12}, 0.2, true, ""},
		{"a few others are slow", asked{n: 62, hits: 12, sure: 12, between: 3}, 0.2, true, ""},
		{
			"the machine delays as many by itself",
			asked{n: 62, hits: 27, sure: 27, between: 20},
			0.2, true,
			"this machine itself was late for some",
		},
		{"lateness explains the hits", asked{n: 62, hits: 12, sure: 1}, 0.2, true, "this machine itself was late"},
		{
			"lateness may hide the hits",
			asked{n: 20, hits: 12, sure: 12, hidden: 8},
			1, true,
			"this machine itself was late for some",
		},
		{"it can't hide all of them", asked{n: 20, hits: 12, sure: 12, hidden: 7}, 1, true, "its effect was not seen"},
		{"too few are hit", asked{n: 62, hits: 2, sure: 2}, 0.2, true, "its effect was not seen"},
		{"of all, one is not hit", asked{n: 20, hits: 19, sure: 19}, 1, true, "its effect was not seen"},
		{"of all, one is not hit, with much jitter", asked{n: 20, hits: 19, sure: 19}, 1, false, ""},
	} {
		_, err := tt.asked.proves(tt.share, tt.all, "found", "missing")
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v; want %q", tt.name, err, tt.want)
		}
	}
}

// TestForm: a link that is known to carry a special form is probed by it, where the fault reads the general one.
func TestForm(t *testing.T) {
	for _, c := range []struct {
		general peer.Form
		carries chaos.Formats
		want    peer.Form
	}{
		{peer.HTTP1, nil, peer.HTTP1},
		{peer.HTTP1, chaos.Formats{"http"}, peer.HTTP1},
		{peer.HTTP1, chaos.Formats{"http", "http/2"}, peer.HTTP2},
		{peer.GRPC, chaos.Formats{"http", "http/2", "grpc"}, peer.GRPC},
		{peer.SQL, chaos.Formats{"sql"}, peer.SQL},
		{peer.SQL, chaos.Formats{"sql", "mysql"}, peer.MySQL},
		{peer.Redis, chaos.Formats{"sql", "mysql"}, peer.Redis},
		{peer.HTTP1, chaos.Formats{"sql", "mysql"}, peer.HTTP1},
	} {
		if got := form(&chaos.Link{Carries: c.carries}, c.general); got != c.want {
			t.Errorf("%v on a link with %v: %v, want %v", c.general, c.carries, got, c.want)
		}
	}
}

// TestStatements_Probe: a fault on statements is proved by the protocol that its settings name.
func TestStatements_Probe(t *testing.T) {
	for protocol, want := range map[string]peer.Form{"": peer.SQL, "mysql": peer.MySQL} {
		s := Statements{Protocol: protocol, Statement: "update *"}
		if q := s.probe(); q.Form != want || q.Path != "update x" {
			t.Errorf("%q: %+v", protocol, q)
		}
	}
}
