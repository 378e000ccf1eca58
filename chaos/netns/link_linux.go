package netns

import (
	"errors"
	"fmt"
	"net"
	"slices"

	"brunt/chaos/netns/kernel"

	"github.com/vishvananda/netlink"
)

// links lists the links of the thread's namespace over which packets enter and leave. Each packet
// passes exactly one of them. Therefore links omits the loopback, the ports of a bridge or a bond,
// and links on top of another link in the namespace, such as VLANs.
func links() ([]netlink.Link, error) {
	all, err := listed(netlink.LinkList)
	if err != nil {
		return nil, fmt.Errorf("listing links: %w", err)
	}
	all = slices.DeleteFunc(all, func(l netlink.Link) bool {
		a := l.Attrs()
		port := a.MasterIndex != 0
		// The parent of a veth is its other end, which is usually in another namespace, as is the
		// parent of a container's macvlan.
		upper := a.ParentIndex != 0 && a.NetNsID < 0 && l.Type() != "veth"
		return a.Flags&net.FlagLoopback != 0 || port || upper
	})
	if len(all) == 0 {
		return nil, errors.New("there is no link but the loopback")
	}
	return all, nil
}

// headerOf returns the number of bytes before the network header on a link.
func headerOf(l netlink.Link) int32 {
	if l.Attrs().EncapType == "ether" {
		return 14 // ETH_HLEN
	}
	return 0
}

// addProbeLinks adds a pair of links, probe0 and probe1, to the thread's namespace.
func addProbeLinks() error {
	a := netlink.NewLinkAttrs()
	a.Name = "probe0"
	if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: a, PeerName: "probe1"}); err != nil {
		return kernel.Hint(fmt.Errorf("making a pair of links: %w", err))
	}
	if err := kernel.Raise("probe0"); err != nil {
		return err
	}
	return kernel.Raise("probe1")
}

// listed lists objects of the kernel, and repeats the dump if they changed meanwhile.
func listed[T any](list func() ([]T, error)) (all []T, err error) {
	for range 100 {
		if all, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return all, err
}
