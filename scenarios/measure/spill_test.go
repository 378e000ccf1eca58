package measure

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios"
)

// randomCell makes a settled cell with something in every field.
func randomCell(r *rand.Rand) (key, *cell) {
	var s scratch
	c := &cell{}
	for range r.IntN(400) {
		o := request(time.Duration(r.Int64N(1e9)), time.Duration(r.Int64N(1<<r.IntN(40))), scenarios.Kind(r.IntN(4)))
		o.Checks, o.Failed, o.Bytes = uint16(r.IntN(4)), uint16(r.IntN(2)), r.Int64N(1e6)
		if o.Kind == scenarios.Error {
			o.Cause = scenarios.Status(500 + r.IntN(5))
		}
		var over []int32
		if o.Kind == scenarios.OK && r.IntN(3) == 0 {
			over = []int32{int32(r.IntN(3))}
		}
		c.record(&o, over, 3, &s)
		c.waits(&o, &s)
	}
	c.during = events{r.Int64N(100), r.Int64N(100), r.Int64N(100)}
	c.settle(&s)
	return key{time.Duration(r.Int64N(1e12) - 1e10), int32(r.IntN(5)), int32(r.IntN(3))}, c
}

// same compares what cells count, not what memory they keep.
func same(a, b *cell) bool {
	at, bt := a.times(), b.times()
	for i := range at {
		if !bytes.Equal(at[i].append(nil), bt[i].append(nil)) || at[i].total != bt[i].total || at[i].sum != bt[i].sum || at[i].most != bt[i].most {
			return false
		}
	}
	for i := range max(len(a.over), len(b.over)) {
		if a.overs(i + 1)[i] != b.overs(i + 1)[i] {
			return false
		}
	}
	an, bn := a.numbers(), b.numbers()
	for i := range an {
		if *an[i] != *bn[i] {
			return false
		}
	}
	return a.kinds == b.kinds && len(a.causes) == len(b.causes) && (len(a.causes) == 0 || reflect.DeepEqual(a.causes, b.causes))
}

// TestSpill_RoundTrip: what is read back is what was written, in the order it was.
func TestSpill_RoundTrip(t *testing.T) {
	sp, err := newSpill(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer sp.close()
	r := rand.New(rand.NewPCG(1, 1))
	var keys []key
	var cells []*cell
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
		err := sp.each(func(k key, c *cell) error {
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

// written gives the bytes of a spill file.
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
	return eachRecord(bytes.NewReader(b), size, func(key, *cell) error { return nil })
}

// TestSpill_Damaged: a file that was torn, cut or overwritten is an error, and
// never fewer cells without one.
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

// TestSpill_Strangers: a file that holds a series or a set that there is not.
func TestSpill_Strangers(t *testing.T) {
	for _, k := range []key{{0, 2, 0}, {0, 0, 1}, {0, 1 << 30, 0}} {
		r := newRig(t, oneStep)
		if err := r.spill.write(k, &cell{}); err != nil {
			t.Fatal(err)
		}
		if _, err := Judge(r.Finish(), Case{Loads: []Span{{0, sec}}}); !errors.Is(err, errSpill) {
			t.Errorf("%v: %v", k, err)
		}
	}
}

// fullDisk is a file on a disk with room for so many bytes.
type fullDisk struct {
	File
	room int64
}

func (d *fullDisk) WriteAt(b []byte, at int64) (int, error) {
	n := min(int64(len(b)), max(0, d.room-at))
	if m, err := d.File.WriteAt(b[:n], at); err != nil || n == int64(len(b)) {
		return m, err
	}
	return int(n), syscall.ENOSPC
}

// TestSpill_Full: on a disk that is full, or becomes so amid a record, folding says
// so and goes on saying so; nothing is lost, and the verdict is that of a disk with
// room enough.
func TestSpill_Full(t *testing.T) {
	o := slo(t, "errors < 1%", "p95 < 20ms", "recover < 10s after f", "errors < 1% in baseline", "slices(1s, 99%) > 80%")
	run := func(room, later int64) (*Findings, error) {
		g := newRig(t, oneStep, o...)
		disk := &fullDisk{g.spill.f, room}
		g.spill.f = disk
		all := outage(between(30*sec, 34*sec))
		var failed error
		next := 0
		for g.now = 0; g.now <= 101*sec; g.now += 200 * ms {
			for ; next < len(all) && all[next].End <= g.now; next++ {
				g.Shard(next).Record(&all[next])
			}
			switch g.now {
			case 30 * sec:
				g.Inject("f", "f")
			case 33 * sec:
				g.Clear(0)
			case 80 * sec:
				disk.room = later
			}
			if err := g.Fold(); err != nil && failed == nil {
				failed = err
			} else if err == nil && failed != nil {
				t.Error("folding no longer says that it failed")
			}
		}
		return g.finish(Case{SLO: o}, 100*sec), failed
	}
	want, err := run(1<<40, 1<<40)
	if err != nil || len(want.Notes) > 0 {
		t.Fatal(err, want.Notes)
	}
	for _, c := range []struct {
		name        string
		room, later int64
	}{{"from the first byte", 0, 0}, {"amid a record", 3001, 3001}, {"until there is room again", 3001, 1 << 40}} {
		t.Run(c.name, func(t *testing.T) {
			f, err := run(c.room, c.later)
			if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "keeping measurements on disk in "+os.TempDir()) {
				t.Errorf("folding: %v", err)
			}
			if len(f.Notes) != 1 || !strings.Contains(f.Notes[0], "is complete") {
				t.Errorf("notes: %q", f.Notes)
			}
			f.Notes = nil
			if a, b := inJSON(t, f), inJSON(t, want); a != b {
				t.Errorf("the findings differ:\n%s\nwant\n%s", a, b)
			}
		})
	}
}

// inJSON gives what of the findings result.json has.
func inJSON(t testing.TB, f *Findings) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{
		"phases": f.Phases, "cells": f.Cells, "errors": f.Errors, "windows": f.Windows, "objectives": f.Objectives, "lag": f.Lag, "queue": f.Queue,
		"offered": f.Offered, "sent": f.Sent,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestSpill_Lost: what can't be read back is an error, and no findings.
func TestSpill_Lost(t *testing.T) {
	r := newRig(t, oneStep)
	o := request(0, ms, scenarios.OK)
	r.Shard(0).Record(&o)
	r.now = 20 * sec
	if err := r.Fold(); err != nil {
		t.Fatal(err)
	}
	if err := r.spill.f.Close(); err != nil {
		t.Fatal(err)
	}
	if f, err := Judge(r.Finish(), Case{}); !errors.Is(err, os.ErrClosed) || f != nil {
		t.Errorf("finishing: %v, %v", f, err)
	}
}

// TestSpill_NoName: nothing is left in the folder while a run goes on, where files
// can be unlinked.
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
		c := &cell{}
		k, err := readCell(body, c)
		if err != nil {
			return
		}
		again := &cell{}
		k2, err := readCell(c.append(nil, k), again)
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
		if len(b) > headSize { // and with a sum that is right
			n := min(len(b)-headSize, int(at))
			binary.LittleEndian.PutUint32(b, uint32(n))
			binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[headSize:headSize+n], castagnoli))
			_ = readAll(b, int64(len(b)))
		}
	})
}
