package child

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/netns/remote"
	"brunt/scenarios/suite"
)

// TestServe_Forgets sets and ends faults on packets, diversions and proxies: the process keeps nothing of them, however
// many a run has.
func TestServe_Forgets(t *testing.T) {
	n, err := netns.New()
	if err != nil {
		suite.Lack(t, "%v: run it as root", err)
	}
	defer n.Close()
	s := newServer("token", "")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	in, err := opEnter.Of(t.Context(), s.asked, fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.File().Fd()))
	must(err)
	do := func(ctx context.Context, op string, args, result any) error {
		b, err := json.Marshal(args)
		must(err)
		said, err := opDo.Of(ctx, s.asked, doArgs{in, op, b})
		must(err)
		return json.Unmarshal(said, result)
	}
	space := remote.New(do, do, func() error { return nil })
	for i := range 3 {
		lease := netns.Lease{Key: fmt.Sprint("key", i), Until: time.Hour}
		held, err := space.Set(netns.Spec{Do: netns.Partition, Lease: lease})
		must(err)
		table, err := opTable.Of(t.Context(), s.asked, in)
		must(err)
		proxy, err := opStart.Of(t.Context(), s.asked, startArgs{Config{Upstream: "127.0.0.1:1"}, in, table})
		must(err)
		_, err = opDivert.Of(t.Context(), s.asked, divertArgs{Lease: lease, Table: table, Routes: []route{
			{netip.MustParseAddrPort("10.0.0.1:80"), netip.MustParseAddrPort("127.0.0.1:8080")},
		}})
		must(err)
		if kept := len(s.effects.in); kept != 2 {
			t.Errorf("%d effects are in; want a fault on packets and a diversion", kept)
		}
		must(held.Close())
		for range 2 { // a second end has no effect
			_, err := opStraight.Of(t.Context(), s.asked, table)
			must(err)
			_, err = opClose.Of(t.Context(), s.asked, proxy.N)
			must(err)
		}
	}
	_, err = opLeave.Of(t.Context(), s.asked, in)
	must(err)
	for name, kept := range map[string]int{
		"effects": len(s.effects.in), "tables": len(s.tables), "proxies": len(s.proxies), "spaces": len(s.spaces),
	} {
		if kept > 0 {
			t.Errorf("%d %s are kept", kept, name)
		}
	}
}
