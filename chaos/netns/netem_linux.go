package netns

import (
	"errors"
	"math"
	"time"

	"github.com/vishvananda/netlink"
)

// netem is the kernel's own network emulator, where the kernel has it.
//
// It affects outgoing packets. A packet with a shorter delay overtakes others, even of the same
// connection, so with jitter a TCP sender sees apparent loss.
func netem() mechanism {
	q := qdisc{kind: "netem", make: func(s Spec, a netlink.QdiscAttrs) netlink.Qdisc {
		share := s.Share
		if share == 0 {
			share = 1
		}
		percent := float32(100 * share)
		n := netlink.NetemQdiscAttrs{Limit: s.room()}
		switch s.Do {
		case Latency, Reorder:
			n.Latency, n.Jitter = micros(s.Delay), micros(s.Jitter)
			n.DelayCorr = float32(100 * s.Correlation)
			if share < 1 {
				n.ReorderProb, n.Gap = 100-percent, 1 // this share is sent at once
			}
		case Loss:
			n.Loss = percent
		case Duplicate:
			n.Duplicate = percent
		case Corrupt:
			n.CorruptProb = percent
		}
		return netlink.NewNetem(a, n)
	}}
	return q.mechanism(func(s Spec) error {
		if s.Direction == In {
			return errors.New("it hits what goes out: nfqueue and ebpf can hit what comes in")
		}
		if s.Delay+s.Jitter > mostDelay {
			return errors.New("it delays by four minutes at most")
		}
		return nil
	}, "a kernel with CONFIG_NET_SCH_NETEM (for some peers or ports alone, CONFIG_NET_SCH_PRIO and CONFIG_NET_CLS_U32 "+
		"too), and root or CAP_NET_ADMIN; "+
		"on Debian and Ubuntu it is the module sch_netem: modprobe sch_netem")
}

// mostDelay fits into the kernel's 32 bits of 64 ns.
const mostDelay = 4 * time.Minute

func micros(d time.Duration) uint32 { return uint32(math.Round(float64(d) / 1e3)) }
