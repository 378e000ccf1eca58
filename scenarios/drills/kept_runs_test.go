package drills_test

import (
	"compress/gzip"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/drills"
	"brunt/scenarios/result"
)

// keptRuns are four runs of the built-in system, the first by an older build, as they were written. What they show was
// read from the counts of their requests, phase by phase:
//
//	replica-and-users  posts[1] crashes: 0 of 501 lists fail, and 1 of 100 writes. users hangs: 0 of 401 lists fail, whose p90 is 101 ms
//	                   after 5 ms, and 0 of 80 logins and of 80 writes, which take no longer. It passed
//	store              store is stopped: all of 307 lists and of 61 writes fail, and 0 of 61 logins. The links from gateway to both of posts
//	                   are slow, which no objective is on. It failed
//	no-retries         the newer loss of posts[1]: 177 of 307 lists fail. posts[0] is throttled, which no objective is on. It failed
//	no-traffic         lists alone. notifications hangs, and no request passes it: its objective is invalid. The link from gateway to users is
//	                   cut: 0 of 301 lists fail, whose p90 is 102 ms after 4 ms, and its objective on the p90 fails. The newest
var keptRuns = []string{"replica-and-users", "store", "no-retries", "no-traffic"}

// kept reads a run.
func kept(t *testing.T, name string) drills.Tried {
	t.Helper()
	f, err := os.Open("testdata/runs/" + name + ".json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	res := &result.Result{}
	if err := json.NewDecoder(text).Decode(res); err != nil {
		t.Fatal(err)
	}
	return drills.Tried{Name: name, Link: name, Result: res}
}

// TestMatrix_OfKeptRuns: every cell of the matrix of four runs, and of what their steps need, is what a person reads in
// them. Their order is of no account.
func TestMatrix_OfKeptRuns(t *testing.T) {
	var runs []drills.Tried
	for _, name := range keptRuns {
		runs = append(runs, kept(t, name))
	}
	type cell struct {
		verdict scenarios.Verdict
		run     string
	}
	want := map[[2]string]cell{
		{"posts[1]", "dies"}:            {scenarios.Fail, "no-retries"},
		{"users[0]", "hangs"}:           {scenarios.Pass, "replica-and-users"},
		{"store[0]", "dies"}:            {scenarios.Fail, "store"},
		{"gateway->posts", "slow"}:      {scenarios.None, "store"},
		{"posts[0]", "starved"}:         {scenarios.None, "no-retries"},
		{"gateway[0]->users[0]", "cut"}: {scenarios.Fail, "no-traffic"},
	}
	parts := []string{
		"gateway[0]", "notifications[0]", "posts[0]", "posts[1]", "store[0]", "users[0]", "gateway->posts",
		"gateway[0]->users[0]",
	}
	needs := map[[2]string]drills.Need{
		{"list", "store"}: drills.Hard, {"write", "store"}: drills.Hard, {"login", "store"}: drills.Apart,
		{"list", "users"}: drills.Soft, {"write", "users"}: drills.Apart, {"login", "users"}: drills.Apart,
	}
	for turn := range len(runs) {
		order := slices.Concat(runs[turn:], runs[:turn])
		m := drills.NewMatrix(order)
		if !slices.Equal(m.Parts, parts) || !slices.Equal(slices.Sorted(slices.Values(m.Effects)),
			[]string{"cut", "dies", "hangs", "slow", "starved"}) {
			t.Errorf("parts %q, effects %q", m.Parts, m.Effects)
		}
		for at, found := range m.Cells {
			if w := want[at]; found.Verdict != w.verdict || found.Link != w.run {
				t.Errorf("%s: %s of %s (%s), want %s of %s", at, found.Verdict, found.Link, found.Why, w.verdict, w.run)
			}
		}
		for at, w := range want {
			if _, tried := m.Cells[at]; !tried {
				t.Errorf("%s is empty, want %s of %s", at, w.verdict, w.run)
			}
		}
		if word, why := m.Empty(nil, "notifications[0]", "hangs"); word != drills.NeverTried || why != "" {
			t.Errorf("notifications hung without traffic: %s, %s", word, why)
		}
		d := drills.NewDependencies(order)
		got := map[[2]string]drills.Need{}
		for at, found := range d.Cells {
			got[at] = found.Need
			if found.Surprise {
				t.Errorf("%s is a surprise: %s", at, found.Why)
			}
		}
		if !maps.Equal(got, needs) {
			t.Errorf("what steps need: %v, want %v", got, needs)
		}
		if !maps.Equal(d.Declared, map[string]string{"users": "soft", "store": "hard"}) {
			t.Errorf("declared %v", d.Declared)
		}
	}
}

// TestMatrix_OfKeptRuns_Alone: without the newer run, an older one fills its cell.
func TestMatrix_OfKeptRuns_Alone(t *testing.T) {
	first := kept(t, "replica-and-users")
	m := drills.NewMatrix([]drills.Tried{first})
	at := [2]string{"posts[1]", "dies"}
	if cell := m.Cells[at]; cell.Verdict != scenarios.Pass || len(m.Cells) != 2 {
		t.Errorf("%d cells, %+v", len(m.Cells), cell)
	}
	if void := drills.NewMatrix([]drills.Tried{kept(t, "no-traffic")}); len(void.Cells) != 1 {
		t.Errorf("a fault without traffic fills a cell: %v", void.Cells)
	}
	other := kept(t, "no-retries")
	if a, b := first.Result.Environment.Binary, other.Result.Environment.Binary; a == b || a == "" {
		t.Errorf("builds %q and %q", a, b)
	}
}
