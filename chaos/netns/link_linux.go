package netns

import (
	"fmt"

	"github.com/vishvananda/netlink"
)

// raise brings a link up.
func raise(name string) error {
	l, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("finding the link %s: %w", name, err)
	}
	if err := netlink.LinkSetUp(l); err != nil {
		return fmt.Errorf("bringing the link %s up: %w", name, err)
	}
	return nil
}

// furnish puts a pair of links, probe0 and probe1, into the namespace that the thread is
// in.
func furnish() error {
	a := netlink.NewLinkAttrs()
	a.Name = "probe0"
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: a, PeerName: "probe1"}); err != nil {
		return hint(fmt.Errorf("making a pair of links: %w", err))
	}
	if err := raise("probe0"); err != nil {
		return err
	}
	return raise("probe1")
}
