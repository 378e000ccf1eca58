package network

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/medium/packets"
	"brunt/chaos/netns"
	"brunt/chaos/proxy"
)

const ms = time.Millisecond

// answers is the result of pings with these round trips.
func answers(times ...time.Duration) netns.ProbeResult {
	slices.Sort(times)
	return netns.ProbeResult{Sent: len(times), Came: len(times), Times: times}
}

// TestDelayed_PacketsByBaseline: a delay is what a round trip takes beyond that before the fault.
func TestDelayed_PacketsByBaseline(t *testing.T) {
	near, far := answers(ms/10, ms/10, ms/5), answers(29*ms, 30*ms, 31*ms)
	for _, c := range []struct {
		name         string
		d            delayed
		before, now  netns.ProbeResult
		proved, over bool
	}{
		{"near, with the delay", delayed{delay: 20 * ms}, near, answers(20*ms, 21*ms, 22*ms), true, false},
		{"near, without it", delayed{delay: 20 * ms}, near, near, false, true},
		{"far, with the delay", delayed{delay: 20 * ms}, far, answers(49*ms, 50*ms, 51*ms), true, false},
		{"far, without it", delayed{delay: 20 * ms}, far, answers(28*ms, 30*ms, 33*ms), false, true},
		{
			"a busy machine before",
			delayed{delay: 20 * ms},
			answers(5*ms, 6*ms, 7*ms), answers(20*ms, 21*ms, 22*ms),
			true, false,
		},
		{"far, with jitter", delayed{delay: 20 * ms, jitter: 20 * ms}, far, answers(31*ms, 43*ms, 60*ms), true, false},
		{"nothing known from before", delayed{delay: 20 * ms}, netns.ProbeResult{}, answers(20*ms, 21*ms), true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, b := c.d.onPackets(), packets.Baseline{Result: c.before}
			said, err := e.Prove(b, c.now, netns.Affected{Packets: 5, Hit: 5})
			if (err == nil) != c.proved || err != nil && !errors.Is(err, chaos.ErrNoEffect) {
				t.Errorf("the proof says %q, %v", said, err)
			}
			if said, err := e.Undone(b, c.now); (err == nil) != c.over {
				t.Errorf("that it is over: %q, %v", said, err)
			}
		})
	}
}

// TestDelayed_LinkOnALateMachine: a slow round trip that the machine's own lateness explains shows nothing.
func TestDelayed_LinkOnALateMachine(t *testing.T) {
	d := delayed{delay: 100 * ms}
	for _, c := range []struct {
		rtt, late time.Duration
		want      string // begin of the answer
		noAnswer  bool
	}{
		{2 * ms, 0, "a round trip takes", false},
		{110 * ms, 5 * ms, "a round trip still takes", false},
		{110 * ms, 90 * ms, chaos.ErrNoAnswer.Error(), true},
	} {
		said, err := d.passed(c.rtt, c.late)
		if err != nil {
			said = err.Error()
		}
		if !strings.HasPrefix(said, c.want) || errors.Is(err, chaos.ErrNoAnswer) != c.noAnswer {
			t.Errorf("%v on a machine %v late: %q", c.rtt, c.late, said)
		}
	}
}

// TestSomeEvidence_Over: which pings after a loss show that it is over.
func TestSomeEvidence_Over(t *testing.T) {
	e := someEvidence(.01, "have no answer", netns.ProbeResult.Silent)
	damaged := someEvidence(.01, "came damaged or not at all",
		func(s netns.ProbeResult) int { return s.Silent() + s.Damaged })
	for _, c := range []struct {
		name     string
		e        packets.Evidence
		now      netns.ProbeResult
		over     bool
		noAnswer bool
	}{
		{"all answered", e, netns.ProbeResult{Sent: 1375, Came: 1375}, true, false},
		{"a few lost, as in any network", e, netns.ProbeResult{Sent: 1375, Came: 1373}, true, false},
		{"the share lost", e, netns.ProbeResult{Sent: 1375, Came: 1361}, false, true},
		{"nothing answered", e, netns.ProbeResult{Sent: 1375}, false, true},
		{"the share lost after a corruption", damaged, netns.ProbeResult{Sent: 1375, Came: 1361}, false, true},
		{"the share damaged", damaged, netns.ProbeResult{Sent: 1375, Came: 1375, Damaged: 14}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			said, err := c.e.Undone(packets.Baseline{}, c.now)
			if (err == nil) != c.over || errors.Is(err, chaos.ErrNoAnswer) != c.noAnswer {
				t.Errorf("%q, %v", said, err)
			}
		})
	}
}

// TestLimited_Over: which rates show that a limit of 1 MB/s is over.
func TestLimited_Over(t *testing.T) {
	l := limited{rate: 1e6}
	rate := func(r float64) netns.ProbeResult {
		return netns.ProbeResult{Sent: 100, Came: 100, Bytes: int64(r), Span: time.Second}
	}
	for _, c := range []struct {
		name        string
		before, now netns.ProbeResult
		over        bool
		noAnswer    bool
	}{
		{"fast", netns.ProbeResult{}, rate(50e6), true, false},
		{"slow, as the network was before", rate(1.3e6), rate(1.2e6), true, false},
		{"slower than the slow network was", rate(1.3e6), rate(.9e6), false, true},
		{"slow, and fast before", rate(50e6), rate(1e6), false, false},
		{"slow, and nothing known from before", netns.ProbeResult{}, rate(1e6), false, true},
		{"silent", rate(50e6), netns.ProbeResult{Sent: 100}, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			said, err := l.onPackets().Undone(packets.Baseline{Sized: c.before}, c.now)
			if (err == nil) != c.over || errors.Is(err, chaos.ErrNoAnswer) != c.noAnswer {
				t.Errorf("%q, %v", said, err)
			}
		})
	}
	half := proxy.ProbeResult{Rate: 1e6, Spread: 500 * ms}
	if _, err := l.cleared(half, 10*ms); err == nil || errors.Is(err, chaos.ErrNoAnswer) {
		t.Errorf("a slow link: %v", err)
	}
	if _, err := l.cleared(half, 300*ms); !errors.Is(err, chaos.ErrNoAnswer) {
		t.Errorf("a slow link by a machine that is late: %v", err)
	}
}

// TestCut_ProvesByHits: silence proves a cut only if it hit packets, and what can't be sent has no answer.
func TestCut_ProvesByHits(t *testing.T) {
	e := cut{fresh: proxy.Silent, old: proxy.Silent}.onPackets()
	for _, c := range []struct {
		name   string
		now    netns.ProbeResult
		hit    int64
		proved bool
	}{
		{"silent and hit", netns.ProbeResult{Sent: 5}, 5, true},
		{"silent, as the other end has ended", netns.ProbeResult{Sent: 5}, 0, false},
		{"not sent, as the cut drops with an error", netns.ProbeResult{Sent: 5, Unreachable: 5}, 5, true},
		{"answered", netns.ProbeResult{Sent: 5, Came: 1}, 4, false},
		{"refused", netns.ProbeResult{Sent: 5, Refused: 5}, 5, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			said, err := e.Prove(packets.Baseline{}, c.now, netns.Affected{Packets: c.hit, Hit: c.hit})
			if (err == nil) != c.proved || err != nil && !errors.Is(err, chaos.ErrNoEffect) {
				t.Errorf("%q, %v", said, err)
			}
		})
	}
}
