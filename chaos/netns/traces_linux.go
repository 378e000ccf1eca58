package netns

import (
	"fmt"
	"slices"

	"brunt/chaos/netns/kernel"
	"brunt/chaos/netns/nft"

	"github.com/vishvananda/netlink"
)

// Traces lists possible remnants of faults in the namespace. It changes nothing.
func (n *Namespace) Traces() ([]Trace, error) {
	var out []Trace
	err := n.Do(func() error {
		name, err := n.name()
		if err != nil {
			return err
		}
		all, err := listed(netlink.LinkList)
		if err != nil {
			return kernel.Hint(fmt.Errorf("listing links: %w", err))
		}
		for _, l := range all {
			root, err := rootOf(l)
			if err != nil {
				return err
			}
			if root == nil || !slices.Contains([]string{"netem", "tbf", "prio"}, root.Type()) {
				continue
			}
			if major, _ := netlink.MajorMinor(root.Attrs().Handle); ofHandles(major) {
				a := l.Attrs()
				out = append(out, Trace{Undo: Undo{
					Namespace: name, Kind: root.Type(), Handle: major,
					Links: []LinkUndo{{Index: a.Index, Name: a.Name, QueueLen: a.TxQLen}},
				}})
			}
		}
		tables, _ := nft.Tables() // a kernel without them has none
		for _, table := range tables {
			out = append(out, Trace{Table: table})
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	for i := range out {
		for j := range out[i].Undo.Links {
			guessQueueLen(n, &out[i].Undo.Links[j])
		}
	}
	return out, nil
}

// guessQueueLen sets the queue length that a link had before a discipline changed it from 0: the length at the other
// end of the pair, which is in brunt's own namespace. Engines give both ends the same length.
func guessQueueLen(n *Namespace, l *LinkUndo) {
	var peer int
	err := n.Do(func() error {
		link, err := netlink.LinkByIndex(l.Index)
		if err == nil && link.Type() == "veth" {
			peer = link.Attrs().ParentIndex
		}
		return err
	})
	if err != nil || peer == 0 {
		return
	}
	if other, err := netlink.LinkByIndex(peer); err == nil && other.Attrs().ParentIndex == l.Index &&
		other.Type() == "veth" {
		l.QueueLen = other.Attrs().TxQLen
	}
}
