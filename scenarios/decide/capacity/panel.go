package capacity

import (
	"context"
	"errors"
	"fmt"
	"math"

	"brunt/scenarios"
	"brunt/scenarios/result/search"
	"brunt/scenarios/run"
)

const (
	mostAsk  = 200 // largest number of probes in a search
	stalls   = 40  // largest number of disturbed probes at one value
	mostVoid = 3   // probes in a row that show nothing, of which the last ends the search
)

// A panel decides on values by a majority of probes, and narrows an interval between two values. Both searches use
// it: [Find] over rates, and [Tolerate] over the doses of a fault.
type panel struct {
	prober  Prober
	confirm int              // probes of which a majority decides; odd
	tried   func(search.Try) // is told of each probe; may be nil
	unfound func() error     // says how far the search is when it has made mostAsk probes

	tries  []search.Try // in their order
	able   float64      // the largest value that the generator reached
	within [2]int       // probes up to that value: undisturbed, and disturbed
	made   int          // undisturbed probes
	void   int          // probes in a row whose runs were invalid
}

// majority checks the number of probes of which a majority decides, and returns the default for zero.
func majority(confirm int) (int, error) {
	if confirm <= 0 {
		return defaultConfirm, nil
	}
	if confirm%2 == 0 {
		return 0, fmt.Errorf("a majority of %d probes is to decide, which can be torn; make it %d", confirm, confirm+1)
	}
	return confirm, nil
}

// An interval is what [panel.halve] narrows.
type interval interface {
	// between returns a value between the ends; more is false if they are close enough.
	between() (value float64, more bool)
	// note moves one end to a value that was decided.
	note(value float64, a search.Answer)
}

// halve narrows an interval until its ends are close. A majority decides on each value between them.
func (p *panel) halve(ctx context.Context, i interval) error {
	for {
		value, more := i.between()
		if !more {
			return nil
		}
		a, err := p.decided(ctx, value)
		if err != nil {
			return err
		}
		i.note(value, a)
	}
}

// decided probes a value until a majority of probes agrees. Before holds the answers so far.
func (p *panel) decided(ctx context.Context, value float64, before ...search.Answer) (search.Answer, error) {
	given := map[search.Answer]int{}
	for {
		var a search.Answer
		if len(before) > 0 {
			a, before = before[0], before[1:]
		} else {
			var err error
			if a, err = p.ask(ctx, value); err != nil {
				return "", err
			}
		}
		given[a]++
		switch {
		case a != search.Disturbed && given[a] > p.confirm/2:
			return a, nil
		case given[search.Disturbed] >= p.patience(value):
			return search.Limited, nil
		}
	}
}

// patience is the number of disturbed probes at a value after which the search considers the
// generator unable to reach the value. At the share of disturbed probes seen at lower values, that
// many occur by chance once in a thousand times. The number is on the high side, because
// disturbances come in bursts.
func (p *panel) patience(value float64) int {
	if value <= p.able {
		return stalls
	}
	calm, disturbed := float64(p.within[0]), float64(p.within[1])
	share := (disturbed + 2) / (calm + disturbed + 3)
	return min(max(4, int(math.Ceil(math.Log(.001)/math.Log(share)))), stalls)
}

// again turns the error of a probe whose run has no answer into a disturbed probe, which is repeated. The last one of
// mostVoid in a row ends the search.
func (p *panel) again(t search.Try, err error) (search.Try, error) {
	void, ok := errors.AsType[ProbeError](err)
	switch {
	case err == nil:
		p.void = 0
	case ok && (void.Verdict == scenarios.Invalid || void.Verdict == scenarios.Inconclusive):
		if p.void++; p.void == mostVoid {
			void.InRow = p.void
			return t, void
		}
		return search.Try{Answer: search.Disturbed, Why: "it shows nothing, and is repeated: " + void.Reason}, nil
	}
	return t, err
}

// A way is how a prober probes a value.
type way func(ctx context.Context, value float64) (search.Try, error)

// ask makes one probe, and lets the target cool down after a break.
func (p *panel) ask(ctx context.Context, value float64) (search.Answer, error) {
	return p.askBy(ctx, value, p.prober.Probe)
}

// calm probes a value until a probe is not disturbed, but not more than mostVoid times.
func (p *panel) calm(ctx context.Context, value float64, probe way) (a search.Answer, err error) {
	a = search.Disturbed
	for n := 0; err == nil && a == search.Disturbed && n < mostVoid; n++ {
		a, err = p.askBy(ctx, value, probe)
	}
	return a, err
}

// askBy is [panel.ask] for a way to probe.
func (p *panel) askBy(ctx context.Context, value float64, probe way) (search.Answer, error) {
	if p.made >= mostAsk {
		return "", p.unfound()
	}
	if err := ctx.Err(); err != nil {
		return "", context.Cause(ctx)
	}
	t, err := probe(ctx, value)
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.As(err, new(run.NotRevertedError)) {
		err = cause
	}
	t, err = p.again(t, err)
	if err != nil {
		return "", err
	}
	t.Rate = value
	a := t.Answer
	p.tries = append(p.tries, t)
	if p.tried != nil {
		p.tried(t)
	}
	if a == search.Holds || a == search.Breaks {
		p.able = max(p.able, value)
	}
	switch {
	case a != search.Disturbed:
		p.within[0]++
		p.made++
	case value <= p.able:
		p.within[1]++
	}
	if a == search.Breaks || a == search.Disturbed { // a disturbance needs time to end as well
		err = p.prober.CoolDown(ctx)
	}
	return a, err
}
