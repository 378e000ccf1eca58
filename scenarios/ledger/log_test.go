package ledger

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func newWrites(t testing.TB, shards int) (*writeLog, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "writes.jsonl")
	w, err := newWriteLog(path, shards)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the file is left: %v", err)
		}
	})
	return w, path
}

// TestWrites_Shards: many workers over few shards; each write is there once.
func TestWrites_Shards(t *testing.T) {
	w, _ := newWrites(t, 2)
	const workers, each = 16, 2000
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			for n := range each {
				if !w.Shard(i).Record(fmt.Appendf(nil, "%d-%d", i, n), time.Duration(n)*time.Microsecond, 0, n%2 == 0) {
					t.Error("not taken")
				}
				if n%500 == 0 {
					if err := w.Flush(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // it can be read again
		seen := map[string]bool{}
		err := w.Each(func(x loggedWrite) error {
			var i, n int
			if _, err := fmt.Sscanf(x.ID, "%d-%d", &i, &n); err != nil {
				return err
			}
			if seen[x.ID] || x.Acked != (n%2 == 0) || x.End.Round(time.Microsecond) != time.Duration(n)*time.Microsecond {
				t.Errorf("%+v", x)
			}
			seen[x.ID] = true
			return nil
		})
		if err != nil || len(seen) != workers*each || w.Kept() != workers*each {
			t.Fatalf("%d of %d, %d kept: %v", len(seen), workers*each, w.Kept(), err)
		}
	}
}

// TestWrites_Killed: what was flushed can be read by anyone, should brunt be killed.
func TestWrites_Killed(t *testing.T) {
	w, path := newWrites(t, 1)
	w.Shard(0).Record([]byte("a"), 1500*time.Millisecond, 2*time.Millisecond, true)
	w.Shard(0).Record([]byte("b"), 1600*time.Millisecond, 0, false)
	w.Shard(0).Fail(attempt{1600 * time.Millisecond, 1700 * time.Millisecond})
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	want := `{"id":"a","t":1.500000000,"took":0.002000,"ack":true}` + "\n" + `{"id":"b","t":1.600000000,"ack":false}` + "\n" +
		`{"from":1.600000000,"t":1.700000000}` + "\n"
	if err != nil || string(b) != want {
		t.Errorf("%q, %v", b, err)
	}
}

func TestWrites_IDs(t *testing.T) {
	w, _ := newWrites(t, 1)
	good := []string{
		"a", `"quoted" \ and <b>`, "Grüße\n\x00", strings.Repeat("x", longestID), strings.Repeat("\x01", longestID),
	}
	for _, id := range good {
		if !w.Shard(0).Record([]byte(id), 0, 0, true) {
			t.Errorf("%.20q is refused", id)
		}
	}
	for _, id := range []string{"", "null", strings.Repeat("x", longestID+1), "\xff"} {
		if w.Shard(0).Record([]byte(id), 0, 0, true) {
			t.Errorf("%.20q is taken", id)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := w.Each(func(x loggedWrite) error { got = append(got, x.ID); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(good) {
		t.Fatalf("%d of %d", len(got), len(good))
	}
	for i := range good {
		if got[i] != good[i] {
			t.Errorf("%.20q became %.20q", good[i], got[i])
		}
	}
}

func TestWrites_Bound(t *testing.T) {
	w, _ := newWrites(t, 1)
	w.most = 10
	for i := range 25 {
		w.Shard(0).Record(fmt.Appendf(nil, "%d", i), 0, 0, true)
	}
	if w.Kept() != 10 || w.Over() != 15 {
		t.Errorf("%d kept, %d over", w.Kept(), w.Over())
	}
}

// TestWrites_Disk: a disk that fails loses what comes after, and says so.
func TestWrites_Disk(t *testing.T) {
	w, _ := newWrites(t, 1)
	w.Shard(0).Record([]byte("a"), 0, 0, true)
	good := w.file
	bad, err := os.Open(good.Name()) // can't be written
	if err != nil {
		t.Fatal(err)
	}
	w.file = bad
	if err := w.Flush(); err == nil || !strings.Contains(err.Error(), "keeping the ledger") {
		t.Errorf("got %v", err)
	}
	w.Shard(0).Record([]byte("b"), 0, 0, true)
	if w.Over() == 0 {
		t.Error("what is not kept is not counted")
	}
	_ = bad.Close()
	w.file = good
}

func TestWrites_Allocations(t *testing.T) {
	w, _ := newWrites(t, 1)
	id := []byte("0f8fad5b-d9cb-469f-a165-70867728950e")
	if n := testing.AllocsPerRun(5000, func() { w.Shard(0).Record(id, time.Second, 0, true) }); n != 0 {
		t.Errorf("%v allocations a write", n)
	}
}

func BenchmarkWrites_Record(b *testing.B) {
	w, _ := newWrites(b, 2)
	id := []byte("0f8fad5b-d9cb-469f-a165-70867728950e")
	b.ReportAllocs()
	for b.Loop() {
		w.kept.Store(0) // or the bound is measured
		w.Shard(0).Record(id, time.Second, 0, true)
	}
}

// TestImport: the writes that workers held are in the log of their run, in whatever pieces they come, and what is over
// its bound is counted.
func TestImport(t *testing.T) {
	run, _ := newWrites(t, 1)
	run.most = 250
	acked := int64(0)
	for range 3 {
		worker := newHeldLog(2)
		for i := range 100 {
			if !worker.Shard(i).Record(fmt.Appendf(nil, "é\"ack\":true}%d", i), time.Duration(i), 0, i%2 == 0) {
				t.Fatal("not taken")
			}
			worker.Shard(i).Fail(attempt{time.Duration(i), time.Duration(2 * i)})
		}
		for more := true; more; {
			var b WriteBatch
			b, more = worker.Take(200)
			if len(b.Lines) > 200 || len(b.Lines) > 0 && b.Lines[len(b.Lines)-1] != '\n' {
				t.Fatalf("%q", b.Lines)
			}
			acked += run.Import(b)
		}
		if n := worker.Kept(); n != 0 {
			t.Errorf("%d writes are left", n)
		}
		if err := worker.Close(); err != nil {
			t.Error(err)
		}
	}
	n, failed := int64(0), map[attempt]int{}
	err := run.Walk(func(loggedWrite) error { n++; return nil }, func(a attempt) { failed[a]++ })
	if err != nil {
		t.Fatal(err)
	}
	if n != 250 || run.Kept() != 250 || run.Over() != 50 || acked != 150 {
		t.Errorf("%d of %d writes, %d over, %d acknowledged", n, run.Kept(), run.Over(), acked)
	}
	if len(failed) != 100 || failed[attempt{99, 198}] < 2 {
		t.Errorf("%d attempts that were not acknowledged, want those of at least two workers: %v", len(failed), failed)
	}
}

// TestWrites_Sample: a sample has each acknowledged write at most once, all of them where they are few, and of many
// some of each part, while others are recorded.
func TestWrites_Sample(t *testing.T) {
	w, _ := newWrites(t, 2)
	random, any := rand.New(rand.NewPCG(5, 6)), func(loggedWrite) bool { return true }
	if list, of, err := w.Sample(10, random, any); len(list) != 0 || of != 0 || err != nil {
		t.Fatalf("%v of %d, %v", list, of, err)
	}
	long := strings.Repeat("x", longestID-8)
	const all = mostSorted + 8000
	for n := range all {
		id := fmt.Sprintf("%d", n)
		if n%15000 == 0 {
			id += long
		}
		if !w.Shard(n).Record([]byte(id), time.Duration(n)*time.Millisecond, 0, n%4 != 0) {
			t.Fatal("not taken")
		}
	}
	var meanwhile sync.WaitGroup
	meanwhile.Go(func() {
		for n := range all {
			w.Shard(n).Record([]byte("later"), time.Hour, 0, false)
		}
	})
	for _, most := range []int{1 << 20, 500, 1} {
		list, of, err := w.Sample(most, random, func(x loggedWrite) bool { return x.End == time.Second+time.Millisecond })
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		first, last := 0, 0
		for _, x := range list {
			if !x.Acked || seen[x.ID] {
				t.Fatalf("%.20s is not acknowledged, or there twice", x.ID)
			}
			seen[x.ID] = true
			if x.End < all/2*time.Millisecond {
				first++
			} else {
				last++
			}
		}
		switch {
		case most > all && (list[0].ID != "1001" || len(list) != all*3/4 || of != all*3/4 ||
			slices.IsSortedFunc(list, func(a, b loggedWrite) int { return cmp.Compare(a.End, b.End) })):
			t.Errorf("%d of %d, or in order, first %s; want all %d, first 1001", len(list), of, list[0].ID, all*3/4)
		case most == 500 && (len(list) > most || of < all || first < 50 || last < 50):
			t.Errorf("%d of %d, %d of the first half and %d of the second", len(list), of, first, last)
		}
	}
	meanwhile.Wait()
}
