package ledger

import (
	"context"
	"sync"
	"time"

	"brunt/scenarios/result"
)

// mostStale is the maximum number of stale reads whose faults are determined.
const mostStale = 1 << 16

// A latest is the write that was acknowledged last.
type latest struct {
	id string
	at time.Duration // when it was acknowledged, an offset from t0
}

// A prober reads the latest acknowledged write from every unit while the load runs. A read that does not
// find it is stale: it was sent after the acknowledgement.
type prober struct {
	ledger *Ledger
	reader *reader
	stop   func()
}

// reads holds the findings of the reads. Any goroutine may use it.
type reads struct {
	mu    sync.Mutex
	found result.LedgerReads
	stale []time.Duration // when the stale reads were sent
}

func newReads() *reads { return &reads{found: noReads()} }

func noReads() result.LedgerReads {
	return result.LedgerReads{First: result.NaN, Last: result.NaN, Units: map[string]int64{}, Faults: map[string]int64{}}
}

// Probe begins to read writes back at the rate of the ledger. [Ledger.EndProbe] ends it.
func (l *Ledger) Probe(ctx context.Context, r Run) error {
	if l.spec.Probe <= 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	p := &prober{ledger: l, reader: &reader{run: r, spec: l.spec, places: l.spec.Places}}
	if err := p.reader.open(); err != nil {
		cancel()
		p.reader.close()
		return err
	}
	var all sync.WaitGroup
	for _, u := range p.reader.units {
		all.Go(func() { p.probe(ctx, u) })
	}
	p.stop = func() {
		cancel()
		all.Wait()
		p.reader.close()
	}
	l.prober.Store(p)
	return nil
}

// EndProbe ends the reads of [Ledger.Probe] and [Ledger.ReadBetween], and waits for those under way.
func (l *Ledger) EndProbe() {
	if l.between != nil {
		l.between()
	}
	if p := l.prober.Swap(nil); p != nil {
		p.stop()
	}
}

// probe reads from one unit. A unit that answers slowly is asked less often.
func (p *prober) probe(ctx context.Context, u *asked) {
	a := p.reader.asker(u)
	defer a.close()
	tick := time.NewTicker(max(time.Millisecond,
		time.Duration(float64(time.Second)*float64(p.ledger.parts)/float64(p.ledger.spec.Probe))))
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
		sent := p.reader.run.Now()
		s, _ := a.once(ctx, w.id)
		if ctx.Err() != nil {
			return // a read that was cut off says nothing
		}
		p.ledger.reads.count(u.Name, s.n, sent, w)
	}
}

// count counts a read of a unit that found a write n times.
func (p *reads) count(unit string, n int, sent time.Duration, w *latest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := &p.found
	r.Made++
	switch {
	case n == noAnswer:
		r.Unanswered++
	case n == 0:
		if r.Stale++; r.Stale == 1 {
			r.First, r.Last = result.Sec(sent), result.Sec(sent)
		}
		r.First, r.Last = min(r.First, result.Sec(sent)), max(result.Sec(sent), r.Last)
		r.Longest = max(r.Longest, result.Sec(sent-w.at))
		r.Units[unit]++
		if len(p.stale) < mostStale {
			p.stale = append(p.stale, sent)
		}
	}
}

// take returns the findings since its last call.
func (p *reads) take() (found result.LedgerReads, stale []time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, stale = p.found, p.stale
	p.found, p.stale = noReads(), nil
	return found, stale
}

// add adds the findings of a worker's ledger.
func (p *reads) add(found *result.LedgerReads, stale []time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := &p.found
	if found.Stale > 0 {
		if r.Stale == 0 {
			r.First, r.Last = found.First, found.Last
		}
		r.First, r.Last = min(r.First, found.First), max(r.Last, found.Last)
	}
	r.Made, r.Unanswered, r.Stale = r.Made+found.Made, r.Unanswered+found.Unanswered, r.Stale+found.Stale
	r.Longest = max(r.Longest, found.Longest)
	for unit, n := range found.Units {
		r.Units[unit] += n
	}
	p.stale = append(p.stale, stale[:min(len(stale), mostStale-len(p.stale))]...)
}

// during returns the findings of the reads, with the faults that were active.
func (p *reads) during(r Run) *result.LedgerReads {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range p.stale {
		for _, c := range r.Faults {
			if c.N >= 0 && at >= c.Injected && at <= c.Cleared {
				p.found.Faults[c.Name]++
			}
		}
	}
	return &p.found
}
