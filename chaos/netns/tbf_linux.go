package netns

import (
	"errors"
	"math"

	"brunt/chaos/netns/nfqueue"

	"github.com/vishvananda/netlink"
)

// tbf is a token bucket that shapes outgoing packets. The rate counts whole packets including the
// link header.
func tbf() mechanism {
	q := qdisc{kind: "tbf", make: func(s Spec, a netlink.QdiscAttrs) netlink.Qdisc {
		rate := uint64(s.Rate)
		// An unsegmented packet is at most 64 KB, and the kernel segments it if the bucket is
		// smaller. The bucket is small, but never smaller than the longest packet on a wire.
		burst := min(max(rate/100, 4<<10), 64<<10)
		limit := max(rate/5, nfqueue.RouterBytes) + burst // RouterTime
		return &netlink.Tbf{
			QdiscAttrs: a, Rate: rate, Limit: uint32(min(limit, math.MaxUint32)), Buffer: netlink.Xmittime(rate, uint32(burst)),
		}
	}}
	return q.mechanism(func(s Spec) error {
		if s.Direction != Out {
			return errors.New("it shapes what goes out, and nothing that comes in: nfqueue shapes both")
		}
		return nil
	}, "a kernel with CONFIG_NET_SCH_TBF (for some peers or ports alone, CONFIG_NET_SCH_PRIO and CONFIG_NET_CLS_U32 "+
		"too), and root or CAP_NET_ADMIN")
}
