package ledger

import (
	"time"

	"brunt/scenarios/result"
)

// A Batch is what the ledger of a worker recorded since its last batch. Batches add up.
type Batch struct {
	WriteBatch
	Unnamed int64
	Reads   *result.LedgerReads `json:",omitempty"` // nil: it makes none
	Stale   []time.Duration     // when the stale reads were sent
}

// mostOfBatch bounds the writes of a batch, in bytes.
const mostOfBatch = 8 << 20

// collect starts to record the writes of one part of the load, of several, for the ledger of the whole.
func collect(p *Spec, parts, shards int) *Ledger {
	return newLedger(p, newHeldLog(shards), parts)
}

// Take returns what was recorded since it was called last, as far as it fits into a batch; more reports whether there
// is other. The ledger is one of [Collect].
func (l *Ledger) Take() (b *Batch, more bool) {
	b = new(Batch)
	b.WriteBatch, more = l.kept.Take(mostOfBatch)
	b.Unnamed = l.unnamed.Swap(0)
	if l.reads != nil {
		found, stale := l.reads.take()
		b.Reads, b.Stale = &found, stale
	}
	return b, more
}

// Import adds what the ledger of a worker recorded. Any goroutine may call it.
func (l *Ledger) Import(b *Batch) {
	l.acked.Add(l.kept.Import(b.WriteBatch) + b.Unnamed)
	l.unnamed.Add(b.Unnamed)
	if l.reads != nil && b.Reads != nil {
		l.reads.add(b.Reads, b.Stale)
	}
}
