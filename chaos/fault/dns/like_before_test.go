package dns

import (
	"testing"

	"brunt/chaos/netns"
	"brunt/chaos/packets"
)

// TestLikeBefore: which answers after a fault that answers with SERVFAIL show that it is over.
func TestLikeBefore(t *testing.T) {
	silent := netns.ProbeResult{Sent: 1}
	answer := func(rcode string) netns.ProbeResult { return netns.ProbeResult{Sent: 1, Came: 1, RCode: rcode} }
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
		{"the fault's answer where none came before", silent, answer("SERVFAIL"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			over := likeBefore(func(now netns.ProbeResult) bool { return now.RCode == "SERVFAIL" })
			if said, err := over(packets.Baseline{Result: c.before}, c.now); (err == nil) != c.over {
				t.Errorf("%q, %v", said, err)
			}
		})
	}
}
