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

// nfqueue hands packets to brunt, which holds them until they are due, by rules in a
// Table of brunt's own. It all ends with brunt: the table goes, and what was held is lost,
// as on a wire that is cut. Where brunt only stops, the queue fills, and then everything
// passes.
//
// Packets are met at prerouting, on their way in: once in each round trip. On the way out
// a packet that is held is still its sender's, who sends no more than a little until it
// is gone: so a delay there would be a throttle too, and is refused, but a shaper is well
// served.
//
// Subtle: when the kernel takes any chain of netfilter away in the namespace, it drops
// what all queues in there hold. Other faults that end cost a delay its packets of that
// moment.
func nfqueueMechanism() mechanism {
	return mechanism{
		name: "nfqueue",
		can: func(s Spec) error {
			if s.Do != Bandwidth && s.Direction == Out {
				return errors.New("it would throttle what goes out while it delays it: netem delays that way, and so does nfqueue at the other end")
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
		fix: "load the kernel modules nf_tables, nfnetlink_queue and nft_queue (or nft_compat and xt_NFQUEUE); Linux 5.12 or newer",
	}
}

// queued is what is in force by a queue.
type queued struct {
	table  *nft.Table
	rules  []*nftables.Chain // that hand over
	holder *nfqueue.Worker

	mu     sync.Mutex
	closed bool
}

// wholeAbove is the rate, in bytes a second, from which packets come to the shaper as they
// are: below, a packet of 64 KB would take its turn for too long; above, there would be
// too many.
const wholeAbove = 25e6

// enqueue does it in the namespace that the thread is in.
func enqueue(s Spec) (_ *queued, err error) {
	sock, err := nfqueue.OpenQueue(nfqueue.Options{
		Packets: s.room(),
		Bytes:   nfqueue.HeadBytes,
		Whole:   s.Do != Bandwidth || s.Rate > wholeAbove,
	})
	if err != nil {
		return nil, err
	}
	// The holder before the rules: no packet waits for it to begin.
	q := new(queued)
	if q.holder, err = nfqueue.Start(sock, newCourse(s)); err != nil {
		return nil, err
	}
	q.table, err = nft.WithQueue(func(t *nft.Table, way int) error {
		if way == nft.QueueNone {
			return fmt.Errorf("%w: no way to hand packets to a queue", unix.EOPNOTSUPP)
		}
		q.rules = nil
		c := cutter{Spec: s, Table: t}
		for _, d := range c.sides() {
			act := t.Chain("act_" + d.name)
			q.rules = append(q.rules, act)
			t.Rule(act, nft.Count(), nft.Queue(way, sock.Number, true))
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
				base := t.BaseChain(d.name, nftables.ChainTypeFilter, hook, d.priority+10) // behind what cuts
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
		return nil, errors.Join(err, q.holder.Close())
	}
	return q, nil
}

// Via implements [Held].
func (q *queued) Via() string { return "nfqueue" }

// Met implements [Held].
func (q *queued) Met() (Met, error) {
	select {
	case <-q.holder.Done:
		if q.holder.Err != nil {
			return Met{}, q.holder.Err
		}
	default:
	}
	return Met{Packets: q.holder.Packets.Load(), Bytes: q.holder.Bytes.Load(), Hit: q.holder.Hit.Load()}, nil
}

// Close implements [Held]. First nothing comes any more, then what waits goes on its way,
// then the chains go: in another order the kernel would drop what waits.
func (q *queued) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil
	}
	q.closed = true
	err := q.table.Clear(q.rules)
	return errors.Join(err, q.holder.Close(), q.table.Close())
}

// newCourse is the schedule of a latency, a reorder or a bandwidth.
func newCourse(s Spec) nfqueue.Schedule {
	if s.Do == Bandwidth {
		return nfqueue.NewShaper(s.Rate)
	}
	return nfqueue.NewDelay(nfqueue.Delay{Delay: s.Delay, Jitter: s.Jitter, Correlation: s.Correlation, Share: s.Share, Seed: s.Seed, Reorder: s.Do == Reorder})
}

// room is how many packets may have to wait at a time: a queue that is full lets pass
// what comes, and one that is too long lets nothing pass for long where brunt has stopped.
func (s Spec) room() uint32 {
	const (
		perSecond = 100_000 // what the queue carries on a core, and more
		late      = 50 * time.Millisecond
	)
	need := int64(perSecond * (s.Delay + s.Jitter + late).Seconds())
	if s.Do == Bandwidth {
		need = int64(float64(s.Rate) * nfqueue.RouterTime.Seconds() / 64)
	}
	return uint32(min(max(need, 1<<10), 1<<17))
}
