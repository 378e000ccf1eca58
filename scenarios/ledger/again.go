package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/result"

	"github.com/cenkalti/backoff/v5"
)

// The pauses between two rounds of asking for missing writes grow from firstPause to lastPause.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 2 * time.Second
)

// askAgain asks for the writes that no unit had until every unit has them, or until ctx ends, because a write that is
// still queued is late and not lost. How late a write is counts from its acknowledgement to the answer that has it.
func (b *verification) askAgain(ctx context.Context) error {
	if len(b.missing) == 0 {
		return nil
	}
	if end, ok := ctx.Deadline(); ok {
		until := quantity.FormatDuration(end.Sub(b.run.T0).Round(time.Second))
		b.run.Event(result.Event{
			Event: "ledger.again",
			Text:  fmt.Sprintf("%d writes are not there; they are asked for again until %s", len(b.missing), until),
		})
	}
	if err := b.askOthers(ctx); err != nil {
		return err
	}
	all := b.ledger.kept.Kept()
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = firstPause, lastPause
	for len(b.missing) > 0 && ctx.Err() == nil {
		b.run.Progress(all-int64(len(b.missing)), all)
		pause(ctx, wait.NextBackOff())
		if ctx.Err() != nil {
			break
		}
		if err := b.round(ctx); err != nil {
			return err
		}
	}
	b.weigh()
	for i := range b.missing {
		if err := b.settle(&b.missing[i], sumOf(b.missing[i].answers), ""); err != nil {
			return err
		}
	}
	b.missing = nil
	return nil
}

// weigh tells the suspects which writes are missing for good, before the first of them is settled.
func (b *verification) weigh() {
	var lost []time.Duration
	for i := range b.missing {
		if s := sumOf(b.missing[i].answers); b.missing[i].other == nil && b.missing[i].Acked && s.most == 0 && !s.unanswered {
			lost = append(lost, b.missing[i].End)
		}
	}
	slices.Sort(lost)
	slices.Sort(b.acked.held)
	b.suspects.weigh(b.ledger.rounds, lost, b.acked.held)
}

// round asks once for every missing write, and settles the writes that every unit has.
func (b *verification) round(ctx context.Context) error {
	still := b.missing[:0]
	for rest := b.missing; len(rest) > 0; {
		batch := rest[:min(len(rest), asksAtOnce)]
		rest = rest[len(batch):]
		asked := b.run.Now()
		before := make([][]sight, len(batch))
		for i := range batch {
			before[i] = batch[i].answers
		}
		b.ask(ctx, batch)
		found := b.run.Now()
		for i := range batch {
			c := &batch[i]
			for k := range c.answers { // if a unit gave no answer, its answer before says more
				if c.answers[k].n == noAnswer {
					c.answers[k] = before[i][k]
				}
			}
			switch s := sumOf(c.answers); {
			case s.absent: // the write may still arrive at some unit
				if s.most == 0 {
					c.absent = asked
				}
				still = append(still, *c)
			default:
				c.late = true
				b.lateness(c.absent-c.End, found-c.End)
				if err := b.settle(c, s, ""); err != nil {
					return err
				}
			}
		}
	}
	b.missing = still
	return nil
}

// lateness records how late a write was, with its bounds.
func (b *verification) lateness(low, high time.Duration) {
	b.out.LateLow = max(b.out.LateLow, result.Sec(max(0, low)))
	b.out.LateHigh = max(b.out.LateHigh, result.Sec(max(0, high)))
}

// lateTo counts a late write for each fault during which it was acknowledged.
func (b *verification) lateTo(acked time.Duration) {
	for _, c := range b.run.Faults {
		if c.N < 0 || acked < c.Injected || acked > c.Cleared {
			continue
		}
		if b.out.LateTo == nil {
			b.out.LateTo = map[string]int64{}
		}
		b.out.LateTo[c.Name]++
	}
}
