package network

import (
	"net/netip"
	"slices"
	"testing"

	"brunt/chaos/medium/packets"
	"brunt/chaos/netns"
)

// TestLikeBefore: which answers after a fault that answers with SERVFAIL or with an address show that it is over.
func TestLikeBefore(t *testing.T) {
	silent := netns.ProbeResult{Sent: 1}
	answer := func(rcode string) netns.ProbeResult { return netns.ProbeResult{Sent: 1, Came: 1, RCode: rcode} }
	spoof := netip.MustParseAddr("192.0.2.1")
	addrs := func(a string) netns.ProbeResult {
		return netns.ProbeResult{Sent: 1, Came: 1, RCode: "NOERROR", Addrs: []netip.Addr{netip.MustParseAddr(a)}}
	}
	for _, c := range []struct {
		name        string
		before, now netns.ProbeResult
		over        bool
	}{
		{"the same answer", answer("NXDOMAIN"), answer("NXDOMAIN"), true},
		{"the fault's answer", answer("NXDOMAIN"), answer("SERVFAIL"), false},
		{"no answer any more", answer("NXDOMAIN"), silent, false},
		{"another answer, where another fault was in before", answer("REFUSED"), answer("NXDOMAIN"), true},
		{"no answer, as before", silent, silent, true},
		{"an answer where none came before", silent, answer("NXDOMAIN"), true},
		{"other addresses, as a name server that takes turns gives", addrs("10.0.0.1"), addrs("10.0.0.2"), true},
		{"the fault's addresses", addrs("10.0.0.1"), addrs("192.0.2.1"), false},
		{"the fault's answer where none came before", silent, answer("SERVFAIL"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			over := likeBefore(func(now netns.ProbeResult) bool {
				return now.RCode == "SERVFAIL" || slices.Contains(now.Addrs, spoof)
			})
			if said, err := over(packets.Baseline{Result: c.before}, c.now); (err == nil) != c.over {
				t.Errorf("%q, %v", said, err)
			}
		})
	}
}
