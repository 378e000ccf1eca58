package netns

import (
	"errors"
	"fmt"
	"net"
	"slices"

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
