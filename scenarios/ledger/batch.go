package ledger

import (
	"time"

	"brunt/scenarios/result"
)

// A Batch holds the records of a worker's ledger since its last batch. Batches add up.
type Batch struct {
	WriteBatch
	Unnamed int64
	Reads   *result.LedgerReads `json:",omitempty"` // nil if it makes no reads
	Stale   []time.Duration     // when the stale reads were sent
}

// mostOfBatch is the maximum size of the writes of a batch, in bytes.
const mostOfBatch = 8 << 20

// collect starts to record the writes of one of several parts of the load, for the ledger of the whole run.
func collect(p *Spec, parts, shards int) *Ledger {
	return newLedger(p, newHeldLog(shards), parts)
}

// Take returns the records since its last call, as far as they fit into a batch. more reports whether there are
// further records. The ledger must come from [Collect].
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

// Import adds the records of a worker's ledger. Any goroutine may call it.
func (l *Ledger) Import(b *Batch) {
	l.acked.Add(l.kept.Import(b.WriteBatch) + b.Unnamed)
	l.unnamed.Add(b.Unnamed)
	if l.reads != nil && b.Reads != nil {
		l.reads.add(b.Reads, b.Stale)
	}
}
