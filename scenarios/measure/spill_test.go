package measure

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
)

// randomCell makes a settled cell with something in every field.
func randomCell(r *rand.Rand) (Key, *Cell) {
	var s Scratch
	c := &Cell{}
	for range r.IntN(400) {
		o := request(time.Duration(r.Int64N(1e9)), time.Duration(r.Int64N(1<<r.IntN(40))), scenarios.Kind(r.IntN(4)))
		o.Checks, o.Failed, o.Bytes = uint16(r.IntN(4)), uint16(r.IntN(2)), r.Int64N(1e6)
		if o.Kind == scenarios.Error {
			o.Cause = scenarios.Status(500 + r.IntN(5))
		}
		var over []excess
		if o.Kind == scenarios.OK && r.IntN(3) == 0 {
			over = []excess{{int32(r.IntN(3)), r.IntN(2) == 0}}
		}
		if r.IntN(9) == 0 && o.Kind != scenarios.OK {
			o.Cause = []scenarios.Cause{scenarios.Unsent, scenarios.Timeout}[r.IntN(2)]
			o.Ready = o.End
		}
		c.record(&o, over, time.Duration(r.Int64N(1e6)), 3, &s)
		c.waits(&o, &s)
		if r.IntN(3) == 0 {
			o.Opening = scenarios.Opening{
				DNS: time.Duration(r.Int64N(1e8)), Connect: time.Duration(r.Int64N(1e8)), TLS: time.Duration(r.Int64N(1e8)),
				Login:  time.Duration(r.Int64N(1e8)),
				Resent: r.Int32N(2),
			}
		}
		c.timings(&o)
		if r.IntN(50) == 0 {
			c.miss(int32(r.IntN(3)), 1+r.Int64N(9))
		}
	}
	c.Attempts += r.Int64N(9)
	c.During = Events{r.Int64N(100), r.Int64N(100), r.Int64N(100), r.Int64N(100)}
	c.Settle(&s)
	return Key{time.Duration(r.Int64N(1e12) - 1e10), int32(r.IntN(5)), int32(r.IntN(3))}, c
}

// same compares the counts of cells, not their allocated memory.
func same(a, b *Cell) bool {
	at, bt := a.times(), b.times()
	for i := range at {
		if !bytes.Equal(at[i].append(nil), bt[i].append(nil)) || at[i].Total != bt[i].Total || at[i].sum != bt[i].sum ||
			at[i].Most != bt[i].Most {
			return false
		}
	}
	for i := range a.Timings {
		if !bytes.Equal(a.Timings[i].append(nil), b.Timings[i].append(nil)) {
			return false
		}
	}
	for i := range max(len(a.over), len(b.over), len(a.lateOver), len(b.lateOver)) {
		if a.overs(i + 1)[i] != b.overs(i + 1)[i] || roomFor(a.lateOver, i+1)[i] != roomFor(b.lateOver, i+1)[i] {
			return false
		}
	}
	if !bytes.Equal(a.Late.Punctual.append(nil), b.Late.Punctual.append(nil)) ||
		!slices.Equal(a.Late.Missed, b.Late.Missed) {
		return false
	}
	if a.own != b.own || a.Resent != b.Resent {
		return false
	}
	if a.During != b.During || a.Attempts != b.Attempts {
		return false
	}
	an, bn := a.numbers(), b.numbers()
	for i := range an {
		if *an[i] != *bn[i] {
			return false
		}
	}
	return a.Kinds == b.Kinds && len(a.Causes) == len(b.Causes) &&
		(len(a.Causes) == 0 || reflect.DeepEqual(a.Causes, b.Causes))
}

// TestSpill_RoundTrip: cells are read back as they were written, in the same order.
func TestSpill_RoundTrip(t *testing.T) {
	sp, err := newSpill(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer sp.close()
	r := rand.New(rand.NewPCG(1, 1))
	var keys []Key
	var cells []*Cell
	for range 300 {
		k, c := randomCell(r)
		keys, cells = append(keys, k), append(cells, c)
		if err := sp.write(k, c); err != nil {
			t.Fatal(err)
		}
	}
	if err := sp.flush(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // it is read twice
		i := 0
		err := sp.each(func(k Key, c *Cell) error {
			if k != keys[i] || !same(c, cells[i]) {
				t.Fatalf("cell %d came back otherwise", i)
			}
			i++
			return nil
		})
		if err != nil || i != len(cells) {
			t.Fatalf("%d cells of %d, %v", i, len(cells), err)
		}
	}
}

// written returns the bytes of a spill file.
func written(t testing.TB, cells int) []byte {
	t.Helper()
	sp, err := newSpill(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer sp.close()
	r := rand.New(rand.NewPCG(2, 2))
	for range cells {
		if err := sp.write(randomCell(r)); err != nil {
			t.Fatal(err)
		}
	}
	if err := sp.flush(); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(io.NewSectionReader(sp.f, 0, sp.n))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readAll(b []byte, size int64) error {
	return eachRecord(bytes.NewReader(b), size, func(Key, *Cell) error { return nil })
}

// TestSpill_Damaged: a file that was torn, cut or overwritten is an error; it never yields fewer
// cells without one.
func TestSpill_Damaged(t *testing.T) {
	whole := written(t, 3)
	if err := readAll(whole, int64(len(whole))); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if err := readAll(whole[:n], int64(len(whole))); !errors.Is(err, errSpill) {
			t.Fatalf("cut after %d of %d bytes: %v", n, len(whole), err)
		}
	}
	for n := range whole {
		torn := bytes.Clone(whole)
		torn[n] ^= 0x41
		if err := readAll(torn, int64(len(torn))); !errors.Is(err, errSpill) {
			t.Fatalf("byte %d overwritten: %v", n, err)
		}
	}
}

// TestSpill_Strangers: a file with an unknown series or set is an error.
func TestSpill_Strangers(t *testing.T) {
	for _, k := range []Key{{0, 2, 0}, {0, 0, 1}, {0, 1 << 30, 0}} {
		r := newClocked(t, Config{Series: oneStep})
		if err := r.spill.write(k, &Cell{}); err != nil {
			t.Fatal(err)
		}
		if err := r.Finish().Cells(func(Key, *Cell) {}); !errors.Is(err, errSpill) {
			t.Errorf("%v: %v", k, err)
		}
	}
}

// TestSpill_NoName: the folder is empty while a run goes on, where open files can be unlinked.
func TestSpill_NoName(t *testing.T) {
	dir := t.TempDir()
	sp, err := newSpill(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := sp.close(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
	if _, err := newSpill(dir + "/none"); err == nil {
		t.Error("a folder that there is not was taken")
	}
}

func FuzzReadCell(f *testing.F) {
	whole := written(f, 3)
	for len(whole) > 0 {
		n := binary.LittleEndian.Uint32(whole)
		f.Add(whole[headSize : headSize+n])
		whole = whole[headSize+n:]
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c := &Cell{}
		k, err := readCell(body, c)
		if err != nil {
			return
		}
		again := &Cell{}
		k2, err := readCell(c.append(nil, k, false), again)
		if err != nil || k2 != k || !same(c, again) {
			t.Fatalf("%v is not what was read before: %v", k2, err)
		}
		for _, d := range c.times() {
			d.hdr()
		}
	})
}

func FuzzEachRecord(f *testing.F) {
	f.Add(written(f, 2), uint32(7))
	f.Fuzz(func(t *testing.T, b []byte, at uint32) {
		_ = readAll(b, int64(len(b)))
		if len(b) > headSize { // with a correct checksum
			n := min(len(b)-headSize, int(at))
			binary.LittleEndian.PutUint32(b, uint32(n))
			binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[headSize:headSize+n], castagnoli))
			_ = readAll(b, int64(len(b)))
		}
	})
}
