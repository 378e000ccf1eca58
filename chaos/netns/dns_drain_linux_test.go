package netns_test

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/netns/netnstest"
	"brunt/scenarios/suite"

	"github.com/miekg/dns"
)

// TestDNS_InFlight begins and ends faults on a name that is never asked, while other names are asked of a resolver that
// takes its time: every question has its answer, over fresh and kept sockets, and nothing of the fault is left.
func TestDNS_InFlight(t *testing.T) {
	const answersAfter = 150 * time.Millisecond
	occurrences := suite.Times(4)
	for _, do := range []netns.Action{netns.DNSFail, netns.DNSMute, netns.DNSSpoof} {
		t.Run(string(do), func(t *testing.T) {
			t.Parallel()
			w := netnstest.New(t, 1)
			slowResolver(t, w.Peers[0], netip.AddrPortFrom(w.Peers[0].V4, 53), answersAfter)
			before := netnstest.State(t, w.Victim.Namespace)
			spec := netns.Spec{Do: do, Names: []string{"nobody.invalid"}, Answers: []netip.Addr{lie}}
			if do != netns.DNSSpoof {
				spec.Answers = nil
			}
			var over atomic.Bool
			var asked, bad atomic.Int64
			var all sync.WaitGroup
			for i := range 12 {
				all.Go(func() {
					to := &asking{network: []string{"udp", "tcp"}[i%2], to: netip.AddrPortFrom(w.Peers[0].V4, 53), fresh: i%4 < 2}
					for !over.Load() {
						asked.Add(1)
						got := to.ask(t, w.Victim, "db.example.com.", dns.TypeA, 5*time.Second)
						// a server may end a kept connection: RFC 7766, 6.2.4
						if got != truth.String() && to.network == "tcp" && !to.fresh {
							to.conn = nil
							got = to.ask(t, w.Victim, "db.example.com.", dns.TypeA, 5*time.Second)
						}
						if got != truth.String() {
							bad.Add(1)
							t.Errorf("%s: %s", to, got)
						}
					}
				})
			}
			longest := time.Duration(0)
			for range occurrences {
				held, err := w.Victim.Set(spec)
				if err != nil {
					t.Fatal(err)
				}
				come := asked.Load()
				suite.Until(t, "questions that met the fault", func() bool { return asked.Load() > come+24 })
				began := time.Now()
				if err := held.Close(); err != nil {
					t.Error(err)
				}
				longest = max(longest, time.Since(began))
				come = asked.Load()
				suite.Until(t, "questions after it", func() bool { return asked.Load() > come+24 })
			}
			over.Store(true)
			all.Wait()
			t.Logf("%d of %d questions were bad; the longest end took %s", bad.Load(), asked.Load(), longest)
			if longest > answersAfter {
				t.Errorf("an end waited for the questions in flight: it took %s", longest)
			}
			suite.Until(t, "the end of what was in flight",
				func() bool { return netnstest.State(t, w.Victim.Namespace) == before })
		})
	}
}

// slowResolver answers questions over UDP and TCP after a time, several at once.
func slowResolver(t *testing.T, n *netnstest.Node, at netip.AddrPort, after time.Duration) {
	t.Helper()
	var all sync.WaitGroup
	handle := dns.HandlerFunc(func(rw dns.ResponseWriter, q *dns.Msg) {
		time.Sleep(after) // simulates a resolver that asks others
		a := new(dns.Msg)
		a.SetReply(q)
		r, err := dns.NewRR(fmt.Sprintf("%s 5 IN A %s", q.Question[0].Name, truth))
		if err != nil {
			t.Error(err)
		}
		a.Answer = []dns.RR{r}
		rw.WriteMsg(a)
	})
	for _, s := range []*dns.Server{
		{PacketConn: n.ListenUDP(t, at), Handler: handle},
		{Listener: n.Listen(t, at), Handler: handle, MaxTCPQueries: -1},
	} {
		up := make(chan bool)
		s.NotifyStartedFunc = func() { close(up) }
		all.Go(func() { s.ActivateAndServe() })
		<-up
		t.Cleanup(func() { s.Shutdown() })
	}
}
