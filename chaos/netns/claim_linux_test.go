package netns_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"brunt/chaos/netns"
	"brunt/scenarios/suite"
)

// opened opens a namespace once more, for a run.
func opened(t *testing.T, of *netns.Namespace, run string) *netns.Namespace {
	t.Helper()
	n, err := netns.Open(fmt.Sprintf("/proc/self/fd/%d", of.File().Fd()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	n.Run = run
	return n
}

// TestNamespace_OtherRun sets effects of two runs in one namespace, as their agents in the network of one pod do: the
// second run is refused with the name of the first until nothing of the first is active.
func TestNamespace_OtherRun(t *testing.T) {
	space, err := netns.New()
	if err != nil {
		suite.Lack(t, "%v: run it as root", err)
	}
	defer space.Close()
	first, second, unnamed := opened(t, space, "first"), opened(t, space, "second"), opened(t, space, "")
	spec := netns.Spec{Do: netns.Partition, Via: "nft"}
	set := func(n *netns.Namespace) netns.Held {
		t.Helper()
		h, err := n.Set(spec)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	refused := func(err error, by string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "another run of brunt, "+by+", has a fault in this network") {
			t.Errorf("%v; want that %s has a fault there", err, by)
		}
	}
	end := func(h netns.Held) {
		t.Helper()
		if err := errors.Join(h.Close(), h.Close()); err != nil {
			t.Error(err)
		}
	}
	one, two := set(first), set(opened(t, space, "first")) // of two agents of one run
	_, err = second.Set(spec)
	refused(err, "first")
	end(one)
	_, err = second.Set(spec)
	refused(err, "first")
	end(set(unnamed)) // of a container, where a journal tells
	end(two)

	table := diversion(t, second)
	to := map[netip.AddrPort]netip.AddrPort{
		netip.MustParseAddrPort("192.0.2.1:80"): netip.MustParseAddrPort("127.0.0.1:81"),
	}
	if err := table.Set(to, false); err != nil {
		t.Fatal(err)
	}
	_, err = first.Set(spec)
	refused(err, "second")
	refused(diversion(t, first).Set(to, false), "second")
	if err := table.Lift(); err != nil {
		t.Fatal(err)
	}
	end(set(first))
	if _, err := first.Set(netns.Spec{Do: netns.Partition, Via: "no such"}); err == nil {
		t.Error("a Spec that can't be applied is")
	}
	end(set(second)) // an effect that could not be set claims nothing
}

// diversion makes a diversion in a namespace.
func diversion(t *testing.T, n *netns.Namespace) *netns.Diversion {
	t.Helper()
	suite.Needs(t, suite.Root)
	d, err := n.NewDiversion()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}
