package measure

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/disk"
)

// spill is the file that stores the cells of closed windows. It has no name, so no file is left over however brunt
// ends.
//
//	file   = { record } .
//	record = length of the body, CRC-32C of the body (4 bytes each, little endian), body .
//	body   = version, one cell: varints in the order of its fields, a histogram as its buckets .
//
// If the file can't be written, for example on a full disk, records stay in memory. None is lost, and the caller ends
// the run.
type spill struct {
	f   File
	buf []byte // whole records not yet written
	n   int64  // bytes of whole records written
	err error  // error of the last write
}

// File stores cells.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Name() string
}

// cellVersion is the version of a record's body. It changes when the meaning of a field changes. Versions from
// oldestCell on can be read. Version 4 added the edges of shed requests. Version 5 added the times when requests were
// ready, their times without brunt's own time, the requests that missed a fault, and attempts. Version 6 added
// incomplete answers. Version 7 added the edges of slow answers, and of answers that exceed limits. Version 8 added the
// requests that brunt cut off.
const cellVersion, oldestCell = 8, 3

const (
	headSize  = 8
	spillSize = 64 << 10 // bytes written at once
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func newSpill(dir string) (*spill, error) {
	make := disk.Temp
	if dir != "" {
		make = func(pattern string) (*os.File, error) { return os.CreateTemp(dir, pattern) }
	}
	f, err := make("brunt-spill-*")
	if err != nil {
		return nil, fmt.Errorf("making a file for measurements: %w", err)
	}
	return &spill{f: f}, nil
}

// write appends a settled cell. It keeps the cell also when it returns an error.
func (s *spill) write(k Key, c *Cell) error {
	s.buf = appendRecord(s.buf, k, c, false)
	if s.err != nil || len(s.buf) < spillSize { // after an error, only a call of flush tries again
		return s.err
	}
	return s.flush()
}

// appendRecord appends the record of a settled cell. whole is passed to [Edges.Append].
func appendRecord(b []byte, k Key, c *Cell, whole bool) []byte {
	head := len(b)
	b = c.append(append(b, make([]byte, headSize)...), k, whole)
	body := b[head+headSize:]
	binary.LittleEndian.PutUint32(b[head:], uint32(len(body)))
	binary.LittleEndian.PutUint32(b[head+4:], crc32.Checksum(body, castagnoli))
	return b
}

// flush writes the waiting records. After a failed write it writes them again from their start.
func (s *spill) flush() error {
	if len(s.buf) == 0 {
		return nil
	}
	if _, err := s.f.WriteAt(s.buf, s.n); err != nil {
		s.err = fmt.Errorf("keeping measurements on disk in %s: %w", filepath.Dir(s.f.Name()), err)
		return s.err
	}
	s.n += int64(len(s.buf))
	s.buf, s.err = s.buf[:0], nil
	return nil
}

// errSpill means that the content of the file is damaged.
var errSpill = errors.New("the file that measurements were kept in is damaged")

// each reads all cells in the order of writing. A cell is valid until do returns.
func (s *spill) each(do func(Key, *Cell) error) error {
	if err := eachRecord(io.NewSectionReader(s.f, 0, s.n), s.n, do); err != nil {
		return err
	}
	return eachRecord(bytes.NewReader(s.buf), int64(len(s.buf)), do)
}

// eachRecord reads size bytes of records.
func eachRecord(in io.Reader, size int64, do func(Key, *Cell) error) error {
	r := bufio.NewReaderSize(in, 1<<18)
	var head [headSize]byte
	var body []byte
	c := &Cell{}
	for size > 0 {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return readError(err)
		}
		n, sum := int64(binary.LittleEndian.Uint32(head[:])), binary.LittleEndian.Uint32(head[4:])
		if size -= headSize + n; size < 0 {
			return errSpill
		}
		body = slices.Grow(body[:0], int(n))[:n]
		if _, err := io.ReadFull(r, body); err != nil {
			return readError(err)
		}
		if crc32.Checksum(body, castagnoli) != sum {
			return errSpill
		}
		k, err := readCell(body, c)
		if err != nil {
			return err
		}
		if err := do(k, c); err != nil {
			return err
		}
	}
	return nil
}

// readError returns errSpill if the file ended early.
func readError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errSpill
	}
	return fmt.Errorf("reading measurements back: %w", err)
}

func (s *spill) close() error {
	if s.f == nil { // a worker has no file
		return nil
	}
	return disk.Drop(s.f)
}

// append encodes the cell, which must be settled. whole is passed to [Edges.Append].
func (c *Cell) append(b []byte, k Key, whole bool) []byte {
	b = append(b, cellVersion)
	b = binary.AppendVarint(b, int64(k.Start))
	b = binary.AppendUvarint(b, uint64(k.Series))
	b = binary.AppendUvarint(b, uint64(k.Set))
	for _, n := range c.Kinds {
		b = binary.AppendUvarint(b, uint64(n))
	}
	b = binary.AppendUvarint(b, uint64(len(c.over)))
	for _, n := range c.over {
		b = binary.AppendUvarint(b, uint64(n))
	}
	b = binary.AppendUvarint(b, uint64(len(c.lateOver)))
	for _, n := range c.lateOver {
		b = binary.AppendUvarint(b, uint64(n))
	}
	b = binary.AppendVarint(b, int64(c.own.time))
	b = binary.AppendVarint(b, int64(c.own.most))
	for _, t := range c.times() {
		b = t.append(b)
		if t.Total > 0 {
			b = binary.AppendVarint(b, int64(t.sum))
			b = binary.AppendVarint(b, int64(t.Most))
		}
	}
	for i := range c.Timings {
		b = c.Timings[i].append(b)
	}
	b = binary.AppendUvarint(b, uint64(c.Resent.N))
	if c.Resent.N > 0 {
		b = binary.AppendUvarint(b, uint64(c.Resent.Least))
		b = binary.AppendUvarint(b, uint64(c.Resent.Most))
	}
	b = binary.AppendUvarint(b, uint64(len(c.Causes)))
	for _, n := range c.Causes {
		b = binary.AppendUvarint(b, uint64(n.Cause))
		b = binary.AppendUvarint(b, uint64(n.N))
		b = binary.AppendVarint(b, int64(n.First))
		b = binary.AppendVarint(b, int64(n.Last))
	}
	for _, n := range c.numbers() {
		b = binary.AppendUvarint(b, uint64(*n))
	}
	b = c.Edges.Append(b, FloorSecond(k.Start), whole)
	b = binary.AppendUvarint(b, uint64(c.During.Ready))
	b = c.Late.Punctual.append(b)
	b = binary.AppendUvarint(b, uint64(len(c.Late.Missed)))
	for _, n := range c.Late.Missed {
		b = binary.AppendUvarint(b, uint64(n.Fault))
		b = binary.AppendUvarint(b, uint64(n.N))
	}
	b = binary.AppendUvarint(b, uint64(c.Attempts))
	b = binary.AppendUvarint(b, uint64(c.checks.wants.all))
	b = binary.AppendUvarint(b, uint64(c.checks.wants.partial))
	for _, n := range []int64{c.cut.Errors, c.cut.Skipped, c.cut.Slow, int64(len(c.cut.Over))} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	for _, n := range c.cut.Over {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

// numbers lists the counts of a cell that are encoded as single numbers.
func (c *Cell) numbers() [12]*int64 {
	return [12]*int64{
		&c.Bytes, &c.checks.all, &c.checks.failed, &c.Sent, &c.Clamped, &c.own.overdue, &c.own.skipped, &c.Slow, &c.own.slow,
		&c.During.Sent, &c.During.Answered, &c.During.Ended,
	}
}

// readTally decodes what Tally.append encoded.
func readTally(r *WireReader, t *Tally) {
	at := int64(0)
	for i := range r.Length() {
		step := r.UpTo(buckets - 1)
		at += step
		n := r.Count()
		if i > 0 && step == 0 || at >= buckets || n == 0 || n > math.MaxInt64-t.Total {
			r.Fail()
		}
		if r.Bad {
			return
		}
		t.at, t.n = append(t.at, uint16(at)), append(t.n, n)
		t.Total += n
	}
}

// readCell decodes an encoded cell into c.
func readCell(b []byte, c *Cell) (Key, error) {
	c.reset()
	switch {
	case len(b) == 0:
		return Key{}, errSpill
	case b[0] < oldestCell || b[0] > cellVersion:
		return Key{}, fmt.Errorf("a cell of measurements is of version %d, and this brunt reads versions %d to %d", b[0],
			oldestCell, cellVersion)
	}
	r := &WireReader{B: b[1:]}
	k := Key{Start: time.Duration(r.Signed()), Series: int32(r.UpTo(math.MaxInt32)), Set: int32(r.UpTo(math.MaxInt32))}
	for i := range c.Kinds {
		c.Kinds[i] = r.Count()
	}
	c.over = c.over[:0]
	for range r.Length() {
		c.over = append(c.over, r.Count())
	}
	c.lateOver = c.lateOver[:0]
	for range r.Length() {
		c.lateOver = append(c.lateOver, r.Count())
	}
	c.own.time, c.own.most = time.Duration(r.Signed()), time.Duration(r.Signed())
	for _, t := range c.times() {
		readTally(r, &t.Tally)
		if t.Total > 0 {
			t.sum, t.Most = time.Duration(r.Signed()), time.Duration(r.Signed())
		}
	}
	for i := range c.Timings {
		readPhaseTimes(r, &c.Timings[i])
	}
	if c.Resent.N = r.Count(); c.Resent.N > 0 {
		c.Resent.Least, c.Resent.Most = time.Duration(r.Count()), time.Duration(r.Count())
	}
	for range r.Length() {
		cause := scenarios.Cause(r.UpTo(math.MaxUint32))
		c.Causes = append(c.Causes, CauseCount{cause, r.Count(), time.Duration(r.Signed()), time.Duration(r.Signed())})
	}
	for _, n := range c.numbers() {
		*n = r.Count()
	}
	c.Edges.Decode(r, FloorSecond(k.Start), b[0])
	c.During.Ready, c.Attempts = c.Offered()-c.Kinds[scenarios.Skipped], c.Sent
	if b[0] >= 5 {
		c.During.Ready = r.Count()
		readPhaseTimes(r, &c.Late.Punctual)
		for range r.Length() {
			c.Late.Missed = append(c.Late.Missed, Missed{int32(r.UpTo(math.MaxInt32)), r.Count()})
		}
		c.Attempts = r.Count()
	}
	if b[0] >= 6 {
		c.checks.wants = wants{r.Count(), r.Count()}
	}
	if c.cut.Over = c.cut.Over[:0]; b[0] >= 8 {
		c.cut.Errors, c.cut.Skipped, c.cut.Slow = r.Count(), r.Count(), r.Count()
		for range r.Length() {
			c.cut.Over = append(c.cut.Over, r.Count())
		}
	}
	if r.Bad || len(r.B) > 0 {
		return Key{}, errSpill
	}
	return k, nil
}
