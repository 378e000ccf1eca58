package netns

import (
	"errors"
	"fmt"
	"net"
	"slices"

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

// links are those of the namespace that the thread is in, without the loopback.
func links() ([]netlink.Link, error) {
	all, err := netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("listing links: %w", err)
	}
	all = slices.DeleteFunc(all, func(l netlink.Link) bool { return l.Attrs().Flags&net.FlagLoopback != 0 })
	if len(all) == 0 {
		return nil, errors.New("there is no link but the loopback")
	}
	return all, nil
}

// headerOf is how many bytes stand before the network header on a link.
func headerOf(l netlink.Link) int32 {
	if l.Attrs().EncapType == "ether" {
		return 14 // ETH_HLEN
	}
	return 0
}
