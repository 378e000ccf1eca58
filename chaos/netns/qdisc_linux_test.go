package netns_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"brunt/chaos/netns"
	"brunt/chaos/netns/netnstest"
	"brunt/scenarios/suite"
)

// needs skips the test if the kernel lacks what s requires. In the virtual machine that is a
// failure, because Debian's kernel has it.
func needs(t testing.TB, s netns.Spec) {
	t.Helper()
	w := netnstest.New(t, 1)
	h, err := w.Victim.Set(s)
	if err == nil {
		err = h.Close()
	}
	if err == nil {
		return
	}
	if inVM() && s.Via != "ebpf" { // Debian's kernel is too old for ebpf
		t.Fatal(err)
	}
	t.Skipf("this kernel can't: %v; .ci/vm runs the test on one that can", err)
}

func TestNetemLatency(t *testing.T) {
	suite.Needs(t, suite.VM)
	spec := netns.Spec{Do: netns.Latency, Delay: 100 * time.Millisecond, Jitter: 20 * time.Millisecond, Via: "netem"}
	needs(t, spec)
	w := netnstest.New(t, 1)
	k := newRoute(t, w, netns.Out, 5001)
	h := set(t, w.Victim, spec)
	n := spread(t, k, 80*time.Millisecond, 120*time.Millisecond)
	if m := affected(t, h); m.Packets < int64(n) || m.Hit != m.Packets || m.Bytes < int64(n)*128 {
		t.Errorf("it met %+v of %d datagrams", m, n)
	}
}

func TestNetemShares(t *testing.T) {
	suite.Needs(t, suite.VM)
	const n = 10_000
	for _, test := range []struct {
		name                   string
		spec                   netns.Spec
		came, copies           float64 // shares
		overtakenLo, overtaken float64
	}{
		{name: "loss 10 %", spec: netns.Spec{Do: netns.Loss, Share: 0.1}, came: 0.9},
		{name: "loss 30 %", spec: netns.Spec{Do: netns.Loss, Share: 0.3}, came: 0.7},
		{name: "duplicate 20 %", spec: netns.Spec{Do: netns.Duplicate, Share: 0.2}, came: 1, copies: 0.2},
		{name: "corrupt 10 %", spec: netns.Spec{Do: netns.Corrupt, Share: 0.1}, came: 0.9},
		{
			name: "reorder 25 %", spec: netns.Spec{Do: netns.Reorder, Share: 0.25, Delay: 300 * time.Millisecond},
			came: 1, overtakenLo: 0.1, overtaken: 0.25,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.spec.Via = "netem"
			needs(t, test.spec)
			w := netnstest.New(t, 1)
			k := newRoute(t, w, netns.Out, 5001)
			h := set(t, w.Victim, test.spec)
			n := n
			if test.spec.Do == netns.Reorder {
				n = 2000 // waiting packets are released at once
			}
			k.burst(t, n, func(int) {
				if test.spec.Do != netns.Reorder {
					k.last(t)
				}
			})
			if test.spec.Do == netns.Reorder {
				k.box.expect(t, n)
			}
			m := affected(t, h)
			if err := h.Close(); err != nil {
				t.Fatal(err)
			}
			came, copies, overtaken := seen(k.last(t), n)
			share(t, "came", came, n, test.came)
			share(t, "copies", copies, n, test.copies)
			if o := float64(overtaken) / float64(n); o < test.overtakenLo || o > test.overtaken+0.03 {
				t.Errorf("%.3f were overtaken, and %v held back", o, test.overtaken)
			}
			// Packets of the kernel itself may have been hit in addition to the datagrams.
			if lost := int64(n - came); test.spec.Do == netns.Loss && (m.Hit < lost || m.Hit > lost+m.Packets-int64(n)) {
				t.Errorf("it met %+v, and %d of %d came", m, came, n)
			}
		})
	}
}

func TestTBF(t *testing.T) {
	suite.Needs(t, suite.VM)
	w := netnstest.New(t, 1)
	before := state(t, w.Victim)
	const rate = 1_250_000
	h := set(t, w.Victim, netns.Spec{Do: netns.Bandwidth, Rate: rate, Direction: netns.Out, Via: "tbf"})
	got, _ := bulk(t, w, netns.Out, rate)
	t.Logf("%.2f Mbit/s", got*8/1e6)
	if got > 1.02*rate {
		t.Errorf("%.0f bytes a second passed, of %d", got, rate)
	}
	if m := affected(t, h); m.Bytes < rate {
		t.Errorf("it met %+v", m)
	}
	for range 2 {
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if after := state(t, w.Victim); after != before {
		t.Errorf("afterwards the namespace is\n%s\nand was\n%s", after, before)
	}
}

// lengths sets the queue length of every link of n to Docker's value.
func lengths(t testing.TB, n *netnstest.Node) {
	t.Helper()
	in(t, n, func() error {
		ls, err := netlink.LinkList()
		if err != nil {
			return err
		}
		for _, l := range ls {
			if err := netlink.LinkSetTxQLen(l, 0); err != nil {
				return err
			}
		}
		return nil
	})
}

// outliving returns Specs whose effect the kernel does not remove by itself.
func outliving(t testing.TB) []netns.Spec {
	all := []netns.Spec{{Do: netns.Bandwidth, Rate: 1e6, Direction: netns.Out, Via: "tbf"}}
	if inVM() {
		all = append(all,
			netns.Spec{Do: netns.Latency, Delay: time.Millisecond, Via: "netem"},
			netns.Spec{Do: netns.Bandwidth, Rate: 1e6, Direction: netns.Out, Via: "tbf", Match: netns.Match{Ports: []uint16{1}}},
		)
	}
	return all
}

// TestDisciplineUndo checks that the Undo data alone restores what Prepare announced, in whatever
// state brunt left it, and changes nothing else.
func TestDisciplineUndo(t *testing.T) {
	suite.Needs(t, suite.VM)
	for _, spec := range outliving(t) {
		w := netnstest.New(t, 2)
		lengths(t, w.Victim)
		before := state(t, w.Victim)
		spec, u, err := w.Victim.Prepare(spec)
		if err != nil {
			t.Fatal(err)
		}
		if u == nil || state(t, w.Victim) != before {
			t.Fatalf("preparing gave %+v and left\n%s\nof\n%s", u, state(t, w.Victim), before)
		}
		written, err := json.Marshal(u)
		if err != nil {
			t.Fatal(err)
		}
		var undo netns.Undo
		if err := json.Unmarshal(written, &undo); err != nil {
			t.Fatal(err)
		}
		same := func(when string) {
			t.Helper()
			if after := state(t, w.Victim); after != before {
				t.Errorf("%s: %s the namespace is\n%s\nand was\n%s", spec.Via, when, after, before)
			}
		}
		undone := func(when string) {
			t.Helper()
			if err := w.Victim.Undo(undo); err != nil {
				t.Errorf("%s: undoing %s: %v", spec.Via, when, err)
			}
			same(when)
		}
		undone("before it was set")
		for range 2 {
			if _, err := w.Victim.Set(spec); err != nil {
				t.Fatal(err)
			}
			if state(t, w.Victim) == before {
				t.Fatal("nothing can be seen of it")
			}
			undone("when it was set")
			undone("a second time")
		}
		if _, err := w.Victim.Set(spec); err != nil {
			t.Fatal(err)
		}
		other := netnstest.New(t, 1)
		if err := other.Victim.Undo(undo); !errors.Is(err, netns.ErrOther) {
			t.Errorf("undoing it in another namespace: %v", err)
		}
		// One of the links is gone, and another has a foreign discipline.
		in(t, w.Victim, func() error {
			l, err := netlink.LinkByName("eth1")
			if err != nil {
				return err
			}
			if err := netlink.LinkDel(l); err != nil {
				return err
			}
			if l, err = netlink.LinkByName("eth0"); err != nil {
				return err
			}
			return netlink.QdiscReplace(&netlink.Tbf{
				QdiscAttrs: netlink.QdiscAttrs{
					LinkIndex: l.Attrs().Index, Handle: netlink.MakeHandle(7, 0),
					Parent: netlink.HANDLE_ROOT,
				},
				Rate: 1e6, Limit: 1e6, Buffer: 1e6,
			})
		})
		before = state(t, w.Victim)
		undone("where another's stands")
	}
}

// TestDisciplineConflict checks that a link accepts no second discipline, and that another
// mechanism is used where possible.
func TestDisciplineConflict(t *testing.T) {
	suite.Needs(t, suite.VM)
	w := netnstest.New(t, 2)
	set(t, w.Victim, netns.Spec{Do: netns.Bandwidth, Rate: 1e6, Direction: netns.Out, Via: "tbf"})
	before := state(t, w.Victim)
	second := netns.Spec{Do: netns.Bandwidth, Rate: 2e6, Direction: netns.Out, Via: "tbf"}
	if _, err := w.Victim.Set(second); !errors.Is(err, netns.ErrCannot) ||
		!strings.Contains(err.Error(), "of another fault") {
		t.Errorf("a second: %v", err)
	}
	if _, _, err := w.Victim.Prepare(second); !errors.Is(err, netns.ErrCannot) {
		t.Errorf("preparing a second: %v", err)
	}
	if after := state(t, w.Victim); after != before {
		t.Errorf("the refusal left\n%s\nwhere was\n%s", after, before)
	}
	if via, err := w.Victim.Pick(netns.Spec{Do: netns.Latency, Delay: time.Second}); via != "nfqueue" {
		t.Errorf("a latency where netem can't be: by %s, %v", via, err)
	}
}

// TestDisciplineLinks checks that a fault affects each packet once, whatever is built on the links.
func TestDisciplineLinks(t *testing.T) {
	suite.Needs(t, suite.VM)
	if inVM() {
		t.Skip("it has fewer kinds of links there")
	}
	w := netnstest.New(t, 2)
	w.Victim.Run(t, `ip link add br0 type bridge && ip link set eth1 master br0 &&
		ip link add in0 type veth peer name in1 && ip link set in0 master br0 &&
		ip link add over0 link eth0 type macvlan && ip link set over0 up`)
	_, u, err := w.Victim.Prepare(netns.Spec{Do: netns.Bandwidth, Rate: 1e6, Direction: netns.Out, Via: "tbf"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, l := range u.Links {
		names = append(names, l.Name)
	}
	slices.Sort(names)
	if got, want := strings.Join(names, " "), "br0 eth0 in1"; got != want {
		t.Errorf("the links are %s, not %s", got, want)
	}
}
