package ledger

import (
	"bytes"
	"sync"
	"sync/atomic"
)

// A WriteBatch holds the writes that the log of a worker kept since its last batch, for the log of its run.
type WriteBatch struct {
	Lines []byte // whole lines, as in the file
	Over  int64  // writes that were not kept
}

// mostHeld is the maximum memory for the writes that a worker holds until its run asks for them, in bytes. That is
// about 4 million writes, which suffices because a worker without contact to its run soon ends its load.
const mostHeld = 256 << 20

// held holds lines in memory. Any goroutine may use it.
type held struct {
	mu    sync.Mutex
	lines []byte
	bytes atomic.Int64
}

func (h *held) full() bool { return h.bytes.Load() >= mostHeld }

func (h *held) add(lines []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, lines...)
	h.bytes.Store(int64(len(h.lines)))
}

// take removes and returns whole lines of at most most bytes.
func (h *held) take(most int) (lines []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.lines)
	if n > most {
		n = bytes.LastIndexByte(h.lines[:most], '\n') + 1
	}
	lines, h.lines = h.lines[:n:n], h.lines[n:]
	h.bytes.Store(int64(len(h.lines)))
	return lines
}

// newHeldLog returns a log that holds its writes in memory, until Take takes them.
func newHeldLog(shards int) *writeLog { return newLog(shards) }

// Take removes and returns writes of at most most bytes, which must be more than the longest line. more reports
// whether there are further writes. The log must come from [newHeldLog].
func (w *writeLog) Take(most int) (b WriteBatch, more bool) {
	_ = w.Flush() // memory has no errors
	b = WriteBatch{Lines: w.held.take(most), Over: w.over.Swap(0)}
	w.kept.Add(-writesIn(b.Lines))
	return b, w.held.bytes.Load() > 0 || w.kept.Load() > 0
}

// writesIn returns the number of writes in whole lines; the others are attempts.
func writesIn(lines []byte) int64 {
	return int64(bytes.Count(lines, newline) - bytes.Count(lines, failedLine))
}

var newline, writelogAcknowledged = []byte("\n"), []byte("\"ack\":true}\n")

// Import keeps the writes of a batch, and returns how many of them were acknowledged. Writes that were not kept count
// as acknowledged.
func (w *writeLog) Import(b WriteBatch) (acked int64) {
	lines, n := b.Lines, writesIn(b.Lines)
	acked = int64(bytes.Count(lines, writelogAcknowledged)) + b.Over
	over := w.kept.Add(n) - w.most
	if w.broken.Load() != nil {
		over = n
	}
	if over = min(over, n); over > 0 {
		w.kept.Add(-over)
		w.over.Add(over)
		lines = lines[:prefix(lines, n-over)]
	}
	w.over.Add(b.Over)
	if len(lines) > 0 {
		w.write(lines)
	}
	return acked
}

// prefix returns the length of the first lines with n writes.
func prefix(lines []byte, n int64) (length int) {
	for n > 0 {
		if !bytes.HasPrefix(lines[length:], failedLine) {
			n--
		}
		length += bytes.IndexByte(lines[length:], '\n') + 1
	}
	return length
}
