package netns

import (
	"fmt"

	"github.com/vishvananda/netlink"
)

// furnish makes of the new namespace that the thread is in one to try things in.
func furnish() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("finding the loopback: %w", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("bringing the loopback up: %w", err)
	}
	a := netlink.NewLinkAttrs()
	a.Name = "probe0"
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: a, PeerName: "probe1"}); err != nil {
		return fmt.Errorf("making a pair of links: %w", err)
	}
	for _, name := range []string{"probe0", "probe1"} {
		l, err := netlink.LinkByName(name)
		if err != nil {
			return fmt.Errorf("finding the link %s: %w", name, err)
		}
		if err := netlink.LinkSetUp(l); err != nil {
			return fmt.Errorf("bringing the link %s up: %w", name, err)
		}
	}
	return nil
}
