package ledger

import (
	"context"
	"sync"
	"time"

	"brunt/scenarios/measure/samples"
	"brunt/scenarios/result"
)

// mostStale bounds the stale reads whose faults are known.
const mostStale = 1 << 16

// A latest is the write that was acknowledged last.
type latest struct {
	id string
	at time.Duration // when it was acknowledged, an offset from t0
}

// A prober reads the latest acknowledged write from every unit while the load runs. A read that does not
// find it is stale: it was sent after the acknowledgement.
type prober struct {
	*verification
	stop func()

	mu    sync.Mutex
	reads result.LedgerReads
	stale []time.Duration // when the stale reads were sent
}

// Probe begins to read writes back at the rate of the ledger. [Ledger.EndProbe] ends it.
func (l *Ledger) Probe(ctx context.Context, r Run) error {
	if l.Spec.Probe <= 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	p := &prober{
		verification: &verification{Run: r, ledger: l, out: &result.LedgerRecord{}},
		reads:        result.LedgerReads{First: result.NaN, Last: result.NaN, Units: map[string]int64{}, Faults: map[string]int64{}},
	}
	for _, place := range l.Places {
		if place.Base == "" {
			place.Base = r.URL(place.Name)
		}
		u := &asked{Place: place, samples: &samples.Set{Mask: r.Mask}}
		var err error
		if u.client, err = r.Client(place.Base, askTimeout, u.samples); err != nil {
			cancel()
			p.close()
			return err
		}
		p.units = append(p.units, u)
	}
	var all sync.WaitGroup
	for _, u := range p.units {
		all.Go(func() { p.probe(ctx, u) })
	}
	p.stop = func() {
		cancel()
		all.Wait()
		p.close()
	}
	l.prober.Store(p)
	return nil
}

// EndProbe ends the reads, and waits for those under way.
func (l *Ledger) EndProbe() {
	if p := l.prober.Load(); p != nil {
		p.stop()
	}
}

// probe reads from one unit. A unit that answers slowly is asked less often.
func (p *prober) probe(ctx context.Context, u *asked) {
	a := p.asker(u)
	defer a.close()
	tick := time.NewTicker(max(time.Millisecond, time.Duration(float64(time.Second)/float64(p.ledger.Spec.Probe))))
	defer tick.Stop()
	var last *latest
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		w := p.ledger.latest.Load()
		if w == nil || w == last {
			continue
		}
		last = w
		sent := p.Now()
		s, _ := a.once(ctx, w.id)
		if ctx.Err() != nil {
			return // a read that was cut off says nothing
		}
		p.count(u.Name, s.n, sent, w)
	}
}

// count counts a read of a unit that found a write n times.
func (p *prober) count(unit string, n int, sent time.Duration, w *latest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := &p.reads
	r.Made++
	switch {
	case n == noAnswer:
		r.Unanswered++
	case n == 0:
		if r.Stale++; r.Stale == 1 {
			r.First = result.Sec(sent)
		}
		r.First, r.Last = min(r.First, result.Sec(sent)), max(result.Sec(sent), r.Last)
		if r.Stale == 1 {
			r.Last = result.Sec(sent)
		}
		r.Longest = max(r.Longest, result.Sec(sent-w.at))
		r.Units[unit]++
		if len(p.stale) < mostStale {
			p.stale = append(p.stale, sent)
		}
	}
}

// during returns what the reads found, with the faults that were in.
func (p *prober) during(r Run) *result.LedgerReads {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range p.stale {
		for _, c := range r.Faults {
			if c.N >= 0 && at >= c.Injected && at <= c.Cleared {
				p.reads.Faults[c.Name]++
			}
		}
	}
	return &p.reads
}
