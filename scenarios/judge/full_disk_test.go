package judge_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
)

// fullDisk is a file on a disk with limited room.
type fullDisk struct {
	measure.File
	room int64
}

func (d *fullDisk) WriteAt(b []byte, at int64) (int, error) {
	n := min(int64(len(b)), max(0, d.room-at))
	if m, err := d.File.WriteAt(b[:n], at); err != nil || n == int64(len(b)) {
		return m, err
	}
	return int(n), syscall.ENOSPC
}

// TestSpill_Full: on a disk that is full, or becomes full within a record, each fold returns an
// error; no data is lost, and the verdict is the same as with room enough.
func TestSpill_Full(t *testing.T) {
	o := parseObjectives(t, "errors < 1%", "p95 < 20ms", "recover < 10s after f", "errors < 1% in baseline",
		"slices(1s, 99%) > 80%")
	run := func(room, later int64) (*judge.Findings, error) {
		disk := &fullDisk{tempFile(t), room}
		g := newFixtureWith(t, measure.Config{Series: oneStep, File: disk}, o...)
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
		return g.finish(judge.Case{SLO: o}, 100*sec), failed
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
			if !errors.Is(err, syscall.ENOSPC) ||
				!strings.Contains(err.Error(), "keeping measurements on disk in "+os.TempDir()) {
				t.Errorf("folding: %v", err)
			}
			if len(f.Notes) != 1 || !strings.Contains(f.Notes[0], "are complete") {
				t.Errorf("notes: %q", f.Notes)
			}
			f.Notes = nil
			if a, b := inJSON(t, f), inJSON(t, want); a != b {
				t.Errorf("the findings differ:\n%s\nwant\n%s", a, b)
			}
		})
	}
}

// inJSON returns the part of the findings that result.json contains.
func inJSON(t testing.TB, f *judge.Findings) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{
		"phases": f.Phases, "cells": f.Cells, "errors": f.Errors, "windows": f.Windows, "objectives": f.Objectives,
		"lag": f.Lag, "queue": f.Queue,
		"offered": f.Offered, "sent": f.Sent,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// tempFile creates a file for cells.
func tempFile(t testing.TB) *os.File {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "cells")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestSpill_Lost: cells that can't be read back are an error, without findings.
func TestSpill_Lost(t *testing.T) {
	file := tempFile(t)
	r := newFixtureWith(t, measure.Config{Series: oneStep, File: file})
	o := request(0, ms, scenarios.OK)
	r.Shard(0).Record(&o)
	r.now = 20 * sec
	if err := r.Fold(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if f, err := judge.Judge(r.Finish(), judge.Case{}); !errors.Is(err, os.ErrClosed) || f != nil {
		t.Errorf("finishing: %v, %v", f, err)
	}
}
