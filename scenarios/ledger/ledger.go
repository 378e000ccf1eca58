package ledger

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/template"
)

// Ledger records the writes of a run.
type Ledger struct {
	spec    *Spec
	kept    *writeLog
	acked   atomic.Int64
	unnamed atomic.Int64
	latest  atomic.Pointer[latest] // set only while a prober reads
	prober  atomic.Pointer[prober]
	reads   *reads // findings of reads during the load; nil if none are made
	// number of parts of the load, each with a ledger of its own; one means that this ledger has all writes
	parts    int
	stop     func()   // stops flushing and waits for it; nil if nothing is flushed
	rounds   []*round // readings between faults
	between  func()   // ends the readings between faults, and waits for it; nil if none are made
	findings string   // the file that lists writes which are not simply held; empty means none
}

// flushEvery is the interval of flushing, which limits how many records are lost if brunt is killed.
const flushEvery = time.Second

// open starts to record writes; path is the file for the findings.
func open(p *Spec, path string, shards int) (*Ledger, error) {
	raw := path
	if path != "" {
		raw = strings.TrimSuffix(path, ".jsonl") + "-writes.jsonl"
	}
	kept, err := newWriteLog(raw, shards)
	if err != nil {
		return nil, err
	}
	l := newLedger(p, kept, 1)
	l.findings = path
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		tick := time.NewTicker(flushEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = kept.Flush() // Verify reports the error when it reads the file
			case <-done:
				return
			}
		}
	}()
	l.stop = func() { close(done); <-over }
	return l, nil
}

func newLedger(p *Spec, kept *writeLog, parts int) *Ledger {
	l := &Ledger{spec: p, kept: kept, parts: parts}
	if p.Probe > 0 {
		l.reads = newReads()
	}
	return l
}

// Close discards the recorded writes.
func (l *Ledger) Close() error {
	l.EndProbe() // a run that an error ended may still read
	if l.stop != nil {
		l.stop()
	}
	return l.kept.Close()
}

// User wraps a virtual user and records its writes.
func (l *Ledger) User(u load.User, shard int) load.User {
	return &writer{User: u, ledger: l, shard: l.kept.Shard(shard)}
}

// writer is a virtual user whose writes are recorded. Each of its other steps costs one comparison.
type writer struct {
	load.User
	ledger *Ledger
	shard  *writeShard
	drawn  []byte
	id     []byte
}

func (w *writer) Do(it *template.Iter, c scenarios.Call, out *scenarios.Outcome) {
	l := w.ledger
	if !slices.Contains(l.spec.Writes, c) {
		w.User.Do(it, c, out)
		return
	}
	draws := l.spec.Draws && len(it.Write) == 0 // another ledger of the same write may have drawn
	if draws {
		it.Write = w.drawn[:0]
		it.NewWrite()
		w.drawn = it.Write
	}
	w.id = w.id[:0]
	if l.spec.Early {
		w.name(it)
	}
	w.User.Do(it, c, out)
	// subtle: variables are extracted only from an answer that is ok; after another answer they may
	// hold values of an earlier step.
	if !l.spec.Early && out.Kind == scenarios.OK {
		w.name(it)
	}
	if draws {
		it.Write = nil
	}
	acked := l.spec.Ack.Holds(out)
	if !acked && tried(out) {
		w.shard.Fail(attempt{begunAt(out), out.End})
	}
	if acked || l.spec.Early && out.WasSent {
		if acked {
			l.acked.Add(1)
		}
		named := w.shard.Record(w.id, out.End, out.End-begunAt(out), acked)
		if !named && acked {
			l.unnamed.Add(1)
		}
		if named && acked && l.prober.Load() != nil {
			l.latest.Store(&latest{string(w.id), out.End})
		}
	}
}

// tried reports whether a request asked the target for something: brunt itself made or cut off no other one.
func tried(o *scenarios.Outcome) bool {
	return !o.Cause.Own() &&
		!slices.Contains([]scenarios.Cause{scenarios.Unfinished, scenarios.NotAllowed, scenarios.NoData}, o.Cause)
}

// begunAt returns when a request was begun, which includes opening its connection.
func begunAt(o *scenarios.Outcome) time.Duration { return min(max(o.Slot, o.Ready), o.End) }

// name sets the id of the write. It is empty if a part of it is missing.
func (w *writer) name(it *template.Iter) {
	id, err := w.ledger.spec.ID.Append(w.id[:0], it)
	if err != nil {
		id = w.id[:0]
	}
	w.id = id
}
