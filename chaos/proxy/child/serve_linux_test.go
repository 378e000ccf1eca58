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
	ask := func(op string, a arguments) (is struct{ N int }) {
		t.Helper()
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.do(context.Background(), op, b)
		if err != nil {
			t.Fatalf("%s: %v", op, err)
		}
		if b, err = json.Marshal(out); err != nil {
			t.Fatal(err)
		}
		_ = json.Unmarshal(b, &is) // some answer nothing
		return is
	}
	of := func(a spaceArguments) arguments { return arguments{Space: a} }
	in := ask(opEnter, of(spaceArguments{Path: fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.File().Fd())})).N
	for i := range 3 {
		lease := netns.Lease{Key: fmt.Sprint("key", i), Until: time.Hour}
		set, err := json.Marshal(map[string]any{"spec": netns.Spec{Do: netns.Partition, Lease: lease}})
		if err != nil {
			t.Fatal(err)
		}
		held := ask(opDo, of(spaceArguments{N: in, Op: "set", Args: set})).N
		if held == 0 {
			t.Fatal("nothing is set")
		}
		table := ask(opTable, of(spaceArguments{N: in})).N
		proxy := ask(opStart, arguments{
			Config: Config{Upstream: "127.0.0.1:1"}, Space: spaceArguments{N: in, Table: table},
		}).N
		ask(opDivert, arguments{Lease: lease, Space: spaceArguments{Table: table, Routes: []route{
			{netip.MustParseAddrPort("10.0.0.1:80"), netip.MustParseAddrPort("127.0.0.1:8080")},
		}}})
		if kept := len(s.effects.in); kept != 2 {
			t.Errorf("%d effects are in; want a fault on packets and a diversion", kept)
		}
		ask(opDo, of(spaceArguments{N: in, Op: "close", Args: json.RawMessage(fmt.Sprintf(`{"n": %d}`, held))}))
		for range 2 { // a second end has no effect
			ask(opStraight, of(spaceArguments{Table: table}))
			ask(opClose, arguments{Proxy: proxy})
		}
	}
	ask(opLeave, of(spaceArguments{N: in}))
	for name, kept := range map[string]int{
		"effects": len(s.effects.in), "tables": len(s.tables), "proxies": len(s.proxies), "spaces": len(s.spaces),
	} {
		if kept > 0 {
			t.Errorf("%d %s are kept", kept, name)
		}
	}
}
