package netns

import (
	"errors"
	"fmt"
	"net"
	"slices"

	"brunt/chaos/netns/kernel"

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

// links are those of the namespace that the thread is in by which packets come and go:
// each packet by one of them. So the loopback is not among them, nor are the ports of a
// bridge or a bond, nor what stands on another link in here, as those of a VLAN do.
func links() ([]netlink.Link, error) {
	all, err := listed(netlink.LinkList)
	if err != nil {
		return nil, fmt.Errorf("listing links: %w", err)
	}
	all = slices.DeleteFunc(all, func(l netlink.Link) bool {
		a := l.Attrs()
		port := a.MasterIndex != 0
		// A veth's parent is its other end, which is most often in another namespace, as
		// the parent of a container's macvlan is.
		upper := a.ParentIndex != 0 && a.NetNsID < 0 && l.Type() != "veth"
		return a.Flags&net.FlagLoopback != 0 || port || upper
	})
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
		return kernel.Hint(fmt.Errorf("making a pair of links: %w", err))
	}
	if err := raise("probe0"); err != nil {
		return err
	}
	return raise("probe1")
}

// listed lists what the kernel has, again where it changed meanwhile.
func listed[T any](list func() ([]T, error)) (all []T, err error) {
	for range 100 {
		if all, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return all, err
}
