package demo

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	bolt "go.etcd.io/bbolt"
)

func testStore(t testing.TB) *store {
	t.Helper()
	s, err := openStore(newSampler(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

func TestStore_Pages(t *testing.T) {
	tests := []struct {
		name  string
		added int
		page  int
		first string // id of the first item
		items int
	}{
		{"newest first", 0, 1, "500", 10},
		{"last page", 0, 50, "10", 10},
		{"begins again", 0, 51, "500", 10},
		{"far beyond", 0, 1_000_000_050, "10", 10},
		{"a new post comes first", 1, 1, "501", 10},
		{"the last page is a short one", 3, 51, "3", 3},
		{"begins again after it", 3, 52, "503", 10},
		{"a whole page added", 10, 51, "10", 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testStore(t)
			for range tt.added {
				if _, err := s.add(post{Author: "ann", Text: "hi"}, ""); err != nil {
					t.Fatal(err)
				}
			}
			items, err := s.items(tt.page, pageItems)
			if err != nil || len(items) != tt.items || items[0].ID != tt.first {
				t.Errorf("got %v, %v, want %d from %s", items, err, tt.items, tt.first)
			}
			for i, p := range items {
				if want := strconv.Itoa(atoi(t, tt.first) - i); p.ID != want || !validID(p.Author) || p.Text == "" {
					t.Errorf("item %d is %+v, want id %s", i, p, want)
				}
			}
		})
	}
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestStore_Together writes and reads concurrently: no call may fail, no id may repeat, and every
// written post must exist.
func TestStore_Together(t *testing.T) {
	s := testStore(t)
	const writers, each = 4, 50
	var mu sync.Mutex
	ids := map[int64]bool{}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for n := range 100 {
				if items, err := s.items(n+1, pageItems); err != nil || len(items) == 0 {
					t.Errorf("page %d: %v, %v", n+1, items, err)
					return
				}
			}
		})
	}
	for range writers {
		all.Go(func() {
			for range each {
				id, err := s.add(post{Author: "ann", Text: "hi"}, "key")
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if ids[id] {
					t.Errorf("id %d twice", id)
				}
				ids[id] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if items, err := s.found(byKey, "key"); err != nil || len(items) != writers*each {
		t.Errorf("%d posts, %v, want %d", len(items), err, writers*each)
	}
}

// TestStore_Forgets checks that the oldest posts are deleted, so that memory stays bounded in a
// long run.
func TestStore_Forgets(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 20 000 posts")
	}
	s := testStore(t)
	for i := range keptPosts + trimEvery {
		if _, err := s.add(post{Author: "ann", Text: "hi", Alias: fmt.Sprint("a", i)}, fmt.Sprint("k", i)); err != nil {
			t.Fatal(err)
		}
	}
	var n, first, last int64
	count := map[string]int{}
	err := s.db.View(func(tx *bolt.Tx) error {
		first, last = ends(tx)
		for _, name := range [][]byte{allPosts, byKey, byAlias} {
			count[string(name)] = tx.Bucket(name).Stats().KeyN
		}
		return nil
	})
	n = last - first + 1
	if err != nil || n < keptPosts || n >= keptPosts+trimEvery || last != seedPosts+keptPosts+trimEvery {
		t.Errorf("%d posts are kept, %d to %d: %v", n, first, last, err)
	}
	for name, of := range count {
		if of != int(n) {
			t.Errorf("%s has %d entries of %d posts", name, of, n)
		}
	}
	pages := (n + pageItems - 1) / pageItems
	if items, err := s.items(int(pages), pageItems); err != nil || len(items) == 0 {
		t.Errorf("the last page has %v, %v", items, err)
	}
}

func TestStore_Apart(t *testing.T) {
	a, b := testStore(t), testStore(t)
	if _, err := a.add(post{Author: "ann", Text: "hi"}, ""); err != nil {
		t.Fatal(err)
	}
	if items, err := b.items(1, pageItems); err != nil || items[0].ID != "500" {
		t.Errorf("a post in one store shows in another: %v, %v", items, err)
	}
}

// TestStore_Index: an index tells values apart that begin with each other, also around the byte that ends a value.
func TestStore_Index(t *testing.T) {
	s := testStore(t)
	want := map[string][]string{}
	for _, key := range []string{"a", "a\x00", "a\x00\x00\x00\x00\x00\x00\x00\x01", "ab", "b", "a"} {
		id, err := s.add(post{Author: "ann", Text: "hi"}, key)
		if err != nil {
			t.Fatal(err)
		}
		want[key] = append(want[key], strconv.FormatInt(id, 10))
	}
	for key, ids := range want {
		items, err := s.found(byKey, key)
		var got []string
		for _, p := range items {
			got = append(got, p.ID)
		}
		if err != nil || !slices.Equal(got, ids) {
			t.Errorf("%q: %v, %v; want %v", key, got, err, ids)
		}
	}
}

// TestStore_NoFile: a store leaves no file, also where its process is killed.
func TestStore_NoFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	t.Chdir(dir)
	s := testStore(t)
	if _, err := s.add(post{Author: "ann", Text: "hi"}, ""); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("files %v, %v", entries, err)
	}
}

func BenchmarkStore_Page(b *testing.B) {
	s := testStore(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.items(17, pageItems); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkStore_Add(b *testing.B) {
	s := testStore(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.add(post{Author: "ann", Text: "hi"}, "key"); err != nil {
			b.Fatal(err)
		}
	}
}
