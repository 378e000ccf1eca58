package netns_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/netns/netnstest"
	"brunt/scenarios/suite"
)

// holds starts a child that holds s, and returns a function that kills it.
func holds(t *testing.T, n *netnstest.Node, s netns.Spec) (kill func()) {
	t.Helper()
	c, says := startOwner(t, n, s, false)
	var said []string
	for says.Scan() {
		if said = append(said, says.Text()); says.Text() == "holds" {
			return sync.OnceFunc(func() {
				c.Process.Kill()
				c.Wait()
			})
		}
	}
	t.Fatalf("the child that was to hold it said:\n%s", strings.Join(said, "\n"))
	return nil
}

// TestKill_Packets checks that a fault ends when its owner is killed, unless it has an Undo.
func TestKill_Packets(t *testing.T) {
	suite.Needs(t, suite.VM, suite.In("kill"))
	times := 3
	if exact() {
		times = 50
	}
	if testing.Short() {
		times = 1
	}
	ports := netns.Match{Ports: []uint16{5001}}
	specs := []netns.Spec{
		{Do: netns.Latency, Delay: time.Hour, Via: "nfqueue", Match: ports},
		{Do: netns.Bandwidth, Rate: 1, Via: "nfqueue", Match: ports},
	}
	if !inVM() {
		specs = append(specs,
			netns.Spec{Do: netns.Loss, Via: "ebpf", Match: ports},
			netns.Spec{Do: netns.Corrupt, Via: "ebpf", Match: ports},
		)
	}
	for _, s := range append(specs, outliving(t)...) {
		t.Run(fmt.Sprintf("%s via %s", s.Do, s.Via), func(t *testing.T) {
			w := netnstest.New(t, 1)
			k := newRoute(t, w, netns.In, 5001)
			before := state(t, w.Victim)
			var took []time.Duration
			for range times {
				s, undo, err := w.Victim.Prepare(s)
				if err != nil {
					t.Fatal(err)
				}
				kill := holds(t, w.Victim, s)
				if undo != nil {
					kill()
					if state(t, w.Victim) == before {
						t.Error("it was gone with its owner, and nothing had undone it")
					}
					if err := w.Victim.Undo(*undo); err != nil {
						t.Error(err)
					}
				} else {
					const n = 20
					k.box.forget()
					for i := range n {
						k.sender.send(t, i)
					}
					if got := k.box.mail(); len(got) > n/2 { // the shaper lets some through
						t.Errorf("%d of %d came through the fault", len(got), n)
					}
					start := time.Now()
					go kill()
					k.box.forget()
					waitFor(t, "a datagram to get through after the kill", func() bool {
						if slices.ContainsFunc(k.box.mail(), func(d datagram) bool { return d.n == marker }) {
							return true
						}
						k.sender.send(t, marker)
						return false
					})
					took = append(took, time.Since(start))
					kill()
				}
				waitFor(t, "the namespace to be as it was", func() bool { return state(t, w.Victim) == before })
			}
			if len(took) > 0 {
				slices.Sort(took)
				t.Logf("%d kills: datagrams came through again after %v, half of them %v, at most %v", times, took[0],
					took[len(took)/2], took[len(took)-1])
				if exact() && took[len(took)-1] > time.Second {
					t.Error("that is too long")
				}
			}
		})
	}
}
