package netns_test

import (
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"brunt/chaos/netns"
	"brunt/scenarios/suite"
)

// TestNamespace_Redirects finds what a mesh does in a namespace, and neither what brunt does nor what is for packets
// from outside.
func TestNamespace_Redirects(t *testing.T) {
	n, err := netns.New()
	if err != nil {
		suite.Lack(t, "%v: run it as root", err)
	}
	defer n.Close()
	suite.Needs(t, suite.Programs("nft"))
	nft := func(rules string) {
		t.Helper()
		if err := n.Do(func() error {
			out, err := exec.Command("nft", rules).CombinedOutput()
			if err != nil {
				t.Logf("%s", out)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	finds := func(want string) {
		t.Helper()
		got, err := n.Redirects()
		if err != nil || strings.Join(got, ", ") != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	finds("")
	d, err := n.NewDiversion()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Set(map[netip.AddrPort]netip.AddrPort{
		netip.MustParseAddrPort("192.0.2.1:80"): netip.MustParseAddrPort("127.0.0.1:81"),
	}, false); err != nil {
		t.Fatal(err)
	}
	finds("")
	nft("add table ip in; add chain ip in pre { type nat hook prerouting priority -100; }; add rule ip in pre tcp " +
		"dport 80 redirect to :15006")
	finds("")
	nft("add table ip mesh; add chain ip mesh out { type nat hook output priority -100; }; add chain ip mesh to; " +
		"add rule ip mesh out meta l4proto tcp jump to; add rule ip mesh to tcp dport 80 redirect to :15001")
	finds("chain to of the table mesh")
}
