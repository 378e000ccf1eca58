package netns

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"brunt/chaos/netns/nfqueue"
	"brunt/chaos/netns/nft"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// nfqueueMechanism queues packets to brunt, which holds them until they are due. The rules are in brunt's own table.
// Everything ends with brunt: the kernel removes the table and drops held packets, as on a cut wire. If brunt is
// suspended, the queue fills and then all packets pass.
//
// The rules match incoming packets at prerouting: once in each round trip. A held outgoing packet
// still counts against its sender's socket buffer, so a delay would also throttle the sender and is
// refused; a shaper works as intended.
//
// Subtle: when the kernel removes any netfilter chain in the namespace, it drops the packets in all
// queues there. The end of another fault therefore costs a delay its held packets.
func nfqueueMechanism() mechanism {
	return mechanism{
		name: "nfqueue",
		can: func(s Spec) error {
			if s.Do != Bandwidth && s.Direction == Out {
				return errors.New("it would throttle what goes out while it delays it: netem delays that way, and so does " +
					"nfqueue at the other end")
			}
			return nil
		},
		probe: func() error {
			h, err := enqueue(Spec{Do: Latency, Delay: 1})
			if err != nil {
				return err
			}
			return h.Close()
		},
		set: func(n *Namespace, s Spec) (held Held, err error) {
			err = n.Do(func() (err error) {
				held, err = enqueue(s)
				return err
			})
			return held, err
		},
		fix: "load the kernel modules nf_tables, nfnetlink_queue and nft_queue (or nft_compat and xt_NFQUEUE); Linux 5.12 " +
			"or newer",
	}
}

// queued is a Spec that is active through a queue.
type queued struct {
	table  *nft.Table
	rules  []*nftables.Chain // chains that send to the queue
	worker *nfqueue.Worker

	mu     sync.Mutex
	closed bool
	left   error // error of Close: something may be left
}

// wholeAbove is the rate, in bytes per second, from which the shaper receives packets unsegmented.
// Below it, a packet of 64 KB would occupy the wire too long; above it, there would be too many
// packets.
const wholeAbove = 25e6

// enqueue applies s in the thread's namespace.
func enqueue(s Spec) (_ *queued, err error) {
	sock, err := nfqueue.OpenQueue(nfqueue.Options{
		Packets: s.room(),
		Bytes:   nfqueue.HeadBytes,
		Whole:   s.Do != Bandwidth || s.Rate > wholeAbove,
	})
	if err != nil {
		return nil, err
	}
	// The worker starts before the rules, so that no packet waits for it.
	q := new(queued)
	if q.worker, err = nfqueue.Start(sock, newSchedule(s)); err != nil {
		return nil, err
	}
	q.table, err = nft.WithQueue(func(t *nft.Table, queueing int) error {
		if queueing == nft.QueueNone {
			return fmt.Errorf("%w: packets cannot be sent to a queue", unix.EOPNOTSUPP)
		}
		q.rules = nil
		c := cutter{Spec: s, Table: t}
		for _, d := range c.sides() {
			act := t.Chain("act_" + d.name)
			q.rules = append(q.rules, act)
			t.Rule(act, nft.Count(), nft.Queue(queueing, sock.Number, true))
			sel := act
			if len(s.Match.Ports) > 0 {
				sel = t.Chain("select_" + d.name)
				for _, l4 := range []byte{unix.IPPROTO_TCP, unix.IPPROTO_UDP} {
					for _, p := range s.Match.Ports {
						t.Rule(sel, nft.Proto(l4), nft.Port(nft.SourcePort, p), gotoChain(act))
						t.Rule(sel, nft.Proto(l4), nft.Port(nft.DestPort, p), gotoChain(act))
					}
				}
			}
			for _, hook := range d.hooks {
				base := t.BaseChain(d.name, nftables.ChainTypeFilter, hook, d.priority+10) // after the cuts
				c.passes(base, d)
				for _, p := range s.Match.Peers {
					t.Rule(base, d.from(p), gotoChain(sel))
				}
				if len(s.Match.Peers) == 0 {
					t.Rule(base, gotoChain(sel))
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, q.worker.Close())
	}
	return q, nil
}

func (q *queued) Via() string { return "nfqueue" }

func (q *queued) Affected() (Affected, error) {
	select {
	case <-q.worker.Done:
		if q.worker.Err != nil {
			return Affected{}, q.worker.Err
		}
	default:
	}
	return Affected{Packets: q.worker.Packets.Load(), Bytes: q.worker.Bytes.Load(), Hit: q.worker.Hit.Load()}, nil
}

// Close implements [Held]. It first stops new packets, then releases the waiting ones, then removes
// the chains: in another order the kernel would drop the waiting packets.
func (q *queued) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return q.left
	}
	q.closed = true
	err := q.table.Clear(q.rules)
	q.left = errors.Join(err, q.worker.Close(), q.table.Close())
	return q.left
}

// newSchedule returns the schedule of a latency, a reorder or a bandwidth.
func newSchedule(s Spec) nfqueue.Schedule {
	if s.Do == Bandwidth {
		return nfqueue.NewShaper(s.Rate)
	}
	return nfqueue.NewDelay(nfqueue.Delay{
		Delay: s.Delay, Jitter: s.Jitter, Correlation: s.Correlation, Share: s.Share, Seed: s.Seed, Reorder: s.Do == Reorder,
	})
}

// room returns the number of packets that the queue must hold. A full queue lets new packets pass;
// one that is too long blocks traffic for long when brunt has stopped.
func (s Spec) room() uint32 {
	const (
		perSecond = 100_000 // more than the queue carries on one core
		late      = 50 * time.Millisecond
	)
	need := int64(perSecond * (s.Delay + s.Jitter + late).Seconds())
	if s.Do == Bandwidth {
		need = int64(float64(s.Rate) * nfqueue.RouterTime.Seconds() / 64)
	}
	return uint32(min(max(need, 1<<10), 1<<17))
}
