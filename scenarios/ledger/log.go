// The outcome of every write of a run is kept in a file, from which the ledger is verified after the run.
//
//	load --> [writeShard.Record] --> buffer of a shard --Flush, each second--> file --[writeLog.Each]--> ledger
//
//	worker: load --> buffer of a shard --> memory --[writeLog.Take], each turn--> [writeLog.Import] --> file of the run
//
// A write costs one line of JSON in its shard's buffer. To keep more of a write, add a field to [loggedWrite],
// and write and read it in log.go. Each attempt without an acknowledgement has a line of its own besides, without an
// id, because the id of some writes is known only after their answer.

package ledger

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"brunt/scenarios/disk"
	"brunt/scenarios/result"
)

// writeLog keeps the outcome of every write of a run in a file: one line of JSON each, with its id,
// its end in seconds from t0, and whether it was acknowledged. It uses one buffer of memory for each
// shard, however long the run is. After brunt is killed, the file lacks at most the writes of the
// last second.
type writeLog struct {
	shards []*writeShard
	file   *os.File // nil means that the writes are held in memory
	held   held
	most   int64
	kept   atomic.Int64
	failed atomic.Int64 // attempts without an acknowledgement
	over   atomic.Int64
	broken atomic.Pointer[error]
}

// A loggedWrite is the outcome of one write.
type loggedWrite struct {
	ID    string
	End   time.Duration // when its answer came, or it was given up, an offset from t0
	Took  time.Duration // of an acknowledged write: its service time
	Acked bool
}

// An attempt is a write that was tried and not acknowledged. Its times are offsets from t0.
type attempt struct{ begin, end time.Duration }

// mostFailed is the maximum number of attempts that a run keeps. Further ones tell no upper bound of a recovery point.
const mostFailed = 1 << 20

// mostWrites is the maximum number of writes that a run keeps; it only counts the rest. The verification needs 16
// bytes of memory for each.
const mostWrites = 8_000_000

// Limits on ids and buffers, in bytes.
const (
	longestID   = 4 << 10
	longestLine = 8 * longestID
	writesRoom  = 32 << 10
)

// newWriteLog creates the file at path, or an unnamed file if path is empty.
func newWriteLog(path string, shards int) (*writeLog, error) {
	w := newLog(shards)
	var err error
	if path == "" {
		w.file, err = disk.Temp("brunt-writes-*")
	} else {
		w.file, err = disk.Fresh(path, disk.Private)
	}
	if err != nil {
		return nil, fmt.Errorf("a file for the ledger: %w", err)
	}
	return w, nil
}

func newLog(shards int) *writeLog {
	w := &writeLog{most: mostWrites}
	for range max(1, shards) {
		w.shards = append(w.shards, &writeShard{of: w, lines: make([]byte, 0, writesRoom+longestID)})
	}
	for i, s := range w.shards {
		s.next = w.shards[(i+1)%len(w.shards)]
	}
	return w
}

// Shard returns shard i.
func (w *writeLog) Shard(i int) *writeShard { return w.shards[i%len(w.shards)] }

// A writeShard collects the writes of some workers. Like a measure.Shard it never blocks: a worker that finds it in
// use takes the next one.
type writeShard struct {
	of    *writeLog
	taken atomic.Bool
	lines []byte
	next  *writeShard
	_     [64]byte // keeps the next shard off this cache line
}

// Record keeps a write. It returns false for an invalid id: one that is empty, null, longer than 4 KiB, or not text.
func (s *writeShard) Record(id []byte, end, took time.Duration, acked bool) bool {
	if len(id) == 0 || len(id) > longestID || string(id) == "null" || !utf8.Valid(id) {
		return false
	}
	if w := s.of; w.kept.Load() >= w.most || w.broken.Load() != nil || w.held.full() {
		w.over.Add(1)
		return true
	}
	s.of.kept.Add(1)
	s.append(func(lines []byte) []byte { return appendWrite(lines, id, end, took, acked) })
	return true
}

// Fail keeps an attempt that was not acknowledged.
func (s *writeShard) Fail(a attempt) {
	if w := s.of; w.broken.Load() == nil && !w.held.full() && w.failed.Add(1) <= mostFailed {
		s.append(func(lines []byte) []byte { return appendFailed(lines, a) })
	}
}

// append adds a line to a shard that is free.
func (s *writeShard) append(line func([]byte) []byte) {
	t := s.take()
	t.lines = line(t.lines)
	if len(t.lines) >= writesRoom {
		t.flush()
	}
	t.taken.Store(false)
}

func (s *writeShard) take() *writeShard {
	t := s
	for !t.taken.CompareAndSwap(false, true) {
		if t = t.next; t == s {
			runtime.Gosched() // all shards are in use
		}
	}
	return t
}

// flush appends whole lines to the file; other shards may do so at the same time.
func (s *writeShard) flush() {
	if len(s.lines) == 0 {
		return
	}
	s.of.write(s.lines)
	s.lines = s.lines[:0]
}

// write appends whole lines to the file, or to the lines in memory.
func (w *writeLog) write(lines []byte) {
	if w.file == nil {
		w.held.add(lines)
	} else if _, err := w.file.Write(lines); err != nil {
		w.broken.CompareAndSwap(nil, &err)
	}
}

// failedLine begins the line of an attempt. No other line has this text, because JSON escapes the quotes of an id.
var failedLine = []byte(`{"from":`)

// appendFailed appends the line of an attempt.
func appendFailed(dst []byte, a attempt) []byte {
	dst = strconv.AppendFloat(append(dst, failedLine...), a.begin.Seconds(), 'f', 9, 64)
	dst = strconv.AppendFloat(append(dst, `,"t":`...), a.end.Seconds(), 'f', 9, 64)
	return append(dst, "}\n"...)
}

// appendWrite appends the line of a write.
func appendWrite(dst, id []byte, end, took time.Duration, acked bool) []byte {
	dst = append(dst, `{"id":`...)
	if plainID(id) {
		dst = append(append(append(dst, '"'), id...), '"')
	} else {
		quoted, _ := json.Marshal(string(id)) // never fails for a string
		dst = append(dst, quoted...)
	}
	dst = strconv.AppendFloat(append(dst, `,"t":`...), end.Seconds(), 'f', 9, 64)
	if acked {
		dst = strconv.AppendFloat(append(dst, `,"took":`...), took.Seconds(), 'f', 6, 64)
	}
	return append(strconv.AppendBool(append(dst, `,"ack":`...), acked), "}\n"...)
}

// plainID reports whether id needs no escape in JSON.
func plainID(id []byte) bool {
	for _, c := range id {
		if c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// Flush writes the buffers of all shards to the file.
func (w *writeLog) Flush() error {
	for _, s := range w.shards {
		for !s.taken.CompareAndSwap(false, true) {
			runtime.Gosched()
		}
		s.flush()
		s.taken.Store(false)
	}
	if err := w.broken.Load(); err != nil {
		return fmt.Errorf("keeping the ledger: %w", *err)
	}
	return nil
}

// Kept returns the number of writes that were kept.
func (w *writeLog) Kept() int64 { return w.kept.Load() }

// Over returns the number of writes that were not kept: beyond mostWrites, or after a write error.
func (w *writeLog) Over() int64 { return w.over.Load() }

// Each calls do for every write, in the order of recording, which is nearly the order of their ends. No write may be
// recorded meanwhile.
func (w *writeLog) Each(do func(loggedWrite) error) error { return w.Walk(do, func(attempt) {}) }

// Walk is Each, and also calls failed for every attempt that was not acknowledged.
func (w *writeLog) Walk(do func(loggedWrite) error, failed func(attempt)) error {
	if _, err := w.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return w.walk(w.file, do, failed)
}

// walk is Walk for the lines of r.
func (w *writeLog) walk(r io.Reader, do func(loggedWrite) error, failed func(attempt)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), longestLine)
	for lines.Scan() {
		one, tried, err := parseLine(lines.Bytes())
		if err != nil {
			if w.broken.Load() != nil { // after a write error the last line may be incomplete
				return nil
			}
			return fmt.Errorf("the ledger's file is damaged: %w", err)
		}
		if tried != nil {
			failed(*tried)
			continue
		}
		if err := do(one); err != nil {
			return err
		}
	}
	return lines.Err()
}

// parseLine decodes a line: a write, or, if tried is not nil, an attempt.
func parseLine(text []byte) (one loggedWrite, tried *attempt, err error) {
	var line struct {
		ID   string      `json:"id"`
		From *result.Num `json:"from"`
		T    result.Num  `json:"t"`
		Took result.Num  `json:"took"`
		Ack  bool        `json:"ack"`
	}
	if err = json.Unmarshal(text, &line); err == nil && line.From != nil {
		tried = &attempt{line.From.D(), line.T.D()}
	}
	return loggedWrite{ID: line.ID, End: line.T.D(), Took: line.Took.D(), Acked: line.Ack}, tried, err
}

// mostSorted is the number of writes up to which a sample reads all of them, which takes a tenth of a second.
const mostSorted = 20_000

// Sample returns at most most of the acknowledged writes so far, in random order, but first those that prefer selects,
// and the number of writes to choose from. Writes may be recorded meanwhile. If there are many more writes, it reads
// only as much of the file as it needs, because the load runs.
func (w *writeLog) Sample(
	most int, r *rand.Rand, prefer func(loggedWrite) bool,
) (list []loggedWrite, of int64, err error) {
	if err := w.Flush(); err != nil {
		return nil, 0, err
	}
	info, err := w.file.Stat()
	if err != nil {
		return nil, 0, err
	}
	of, size := w.kept.Load(), info.Size()
	if of <= int64(max(most, mostSorted)) {
		err = w.walk(io.NewSectionReader(w.file, 0, size), func(one loggedWrite) error {
			if one.Acked {
				list = append(list, one)
			}
			return nil
		}, func(attempt) {})
		of = int64(len(list))
	} else {
		list, err = w.pick(most, size, r)
	}
	r.Shuffle(len(list), func(i, k int) { list[i], list[k] = list[k], list[i] })
	slices.SortStableFunc(list, func(a, b loggedWrite) int {
		switch preferA := prefer(a); {
		case preferA == prefer(b):
			return 0
		case preferA:
			return -1
		}
		return 1
	})
	return list[:min(most, len(list))], of, err
}

// pick returns the acknowledged writes of most random lines within the first size bytes, each once.
func (w *writeLog) pick(most int, size int64, r *rand.Rand) (list []loggedWrite, err error) {
	taken := map[int64]bool{} // by the place of the line
	for range most {
		begin, text, err := w.lineAfter(r.Int64N(size), size)
		if err != nil {
			return nil, err
		}
		if text == nil || taken[begin] {
			continue
		}
		taken[begin] = true
		one, _, err := parseLine(text)
		if err != nil {
			return nil, fmt.Errorf("the ledger's file is damaged: %w", err)
		}
		if one.Acked {
			list = append(list, one)
		}
	}
	return list, nil
}

// lineAfter returns the first line that begins at from or later, within the first size bytes of the file, and where it
// begins. The text is nil if there is none.
func (w *writeLog) lineAfter(from, size int64) (begin int64, text []byte, err error) {
	begin = max(0, from-1) // a line that begins at from counts
	for room := int64(512); ; room *= 8 {
		text = make([]byte, min(room, size-begin))
		if _, err := w.file.ReadAt(text, begin); err != nil && err != io.EOF {
			return 0, nil, err
		}
		skip := 0
		if from > 0 {
			skip = bytes.IndexByte(text, '\n') + 1
		}
		if end := bytes.IndexByte(text[skip:], '\n'); end >= 0 && (skip > 0 || from == 0) {
			return begin + int64(skip), text[skip : skip+end], nil
		}
		if room >= 2*longestLine || int64(len(text)) < room {
			return 0, nil, nil
		}
	}
}

// Close closes the file and removes it.
func (w *writeLog) Close() error {
	if w.file == nil {
		return nil
	}
	return disk.Drop(w.file)
}
