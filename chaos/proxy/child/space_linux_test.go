package child_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/netns/remote"
	"brunt/chaos/proxy/child"
	"brunt/scenarios/suite"
)

// TestSpace_Set has the process set faults in a namespace. One ends by itself at the end of its lease, another when the
// watchdog ends it by its key, after which it can't be set again.
func TestSpace_Set(t *testing.T) {
	n, err := netns.New()
	if err != nil {
		suite.Lack(t, "%v: run it as root", err)
	}
	defer n.Close()
	p, err := child.Start(t.Context(), []string{os.Args[0], "proxies"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := p.Enter(t.Context(), fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.File().Fd()))
	if err != nil {
		t.Fatal(err)
	}
	short, err := s.Set(netns.Spec{Do: netns.Partition, Lease: netns.Lease{Key: "short", Until: 50 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "the process to end it", func() bool {
		ago, err := remote.Lifted(t.Context(), short)
		return err == nil && ago > 0
	})
	long := netns.Spec{Do: netns.Partition, Lease: netns.Lease{Key: "long", Until: time.Hour}}
	held, err := s.Set(long)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := p.Control().Clear(t.Context(), "long"); n != 1 || err != nil {
		t.Errorf("the watchdog ends %d, %v", n, err)
	}
	if _, err := s.Set(long); err == nil {
		t.Error("it comes in after the watchdog has taken it back")
	}
	if ago, err := remote.Lifted(t.Context(), held); ago != 0 || err != nil {
		t.Errorf("what the watchdog ended has ended by itself %s ago", ago)
	}
	for _, h := range []netns.Held{short, held} {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
