package netns_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/netns/netnstest"
)

// TestClose_WithCopies closes faults while another process holds copies of all descriptors: the end
// of a fault must not wait for that process.
func TestClose_WithCopies(t *testing.T) {
	for _, test := range []struct {
		name string
		spec netns.Spec
	}{
		{"a program", netns.Spec{Do: netns.Loss, Share: 1, Via: "ebpf"}},
		{"a table", netns.Spec{Do: netns.Partition, Via: "nft"}},
		{"a queue", netns.Spec{Do: netns.Latency, Delay: time.Hour, Via: "nfqueue"}},
		{"a responder", netns.Spec{Do: netns.DNSFail, Names: []string{"store"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			needs(t, test.spec)
			w := netnstest.New(t, 1)
			k := newRoute(t, w, netns.In, 5001)
			before := state(t, w.Victim) + open(t, w.Victim)
			h := set(t, w.Victim, test.spec)
			if in := state(t, w.Victim) + open(t, w.Victim); in == before && test.spec.Via != "ebpf" {
				t.Error("nothing of it can be seen, so this shows nothing")
			}
			forget := netnstest.Copies(t)
			defer forget()
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
			if after := state(t, w.Victim) + open(t, w.Victim); after != before {
				t.Errorf("before:\n%s\nafter:\n%s", before, after)
			}
			k.sender.send(t, 1)
			if got := k.box.expect(t, 1); got[0].n != 1 {
				t.Errorf("%d came first", got[0].n)
			}
		})
	}
}

// open lists the queues in use, the listening TCP sockets, and the UDP sockets.
func open(t *testing.T, n *netnstest.Node) string {
	t.Helper()
	var out []string
	in(t, n, func() error {
		queues, err := os.ReadFile("/proc/thread-self/net/netfilter/nfnetlink_queue")
		if err != nil {
			return err
		}
		sockets, err := os.ReadFile("/proc/thread-self/net/tcp")
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(queues)) {
			out = append(out, "queue "+strings.Fields(line)[0])
		}
		for line := range strings.Lines(string(sockets)) {
			if f := strings.Fields(line); f[3] == "0A" {
				out = append(out, "listens "+f[1])
			}
		}
		for _, table := range []string{"udp", "udp6"} {
			sockets, err := os.ReadFile("/proc/thread-self/net/" + table)
			if err != nil {
				return err
			}
			for line := range strings.Lines(string(sockets)) {
				if f := strings.Fields(line); f[0] != "sl" {
					out = append(out, table+" "+f[1])
				}
			}
		}
		return nil
	})
	slices.Sort(out)
	return strings.Join(out, "\n")
}
