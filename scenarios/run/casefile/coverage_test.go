package casefile_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
	"brunt/scenarios/run/casefile"
)

// coverage is the file that says how many cases hit each verdict, adjustment and kind of note. Those that none hits
// have a 0: nothing guards them.
const coverage = "testdata/coverage.txt"

// adjusted are the kinds of notes by which an objective tells that an adjustment changed it.
var adjusted = map[string][]result.NoteKind{
	"own time":        {result.OwnLagFails, result.OwnLagHolds},
	"ended by brunt":  {result.CutByEnd, result.CutByGrace},
	"missed":          {result.SentAfter},
	"unsent":          {result.UsersWaited, result.UsersWaitedByTime},
	"lost workers":    {result.LostWorker},
	"processors held": {result.OwnLoadFails, result.MachineFails},
	"not the load":    {result.NotTheLoad},
	"lag":             {result.OwnLate},
	"slow by lag":     {result.OwnSlow},
	"unseen":          {result.OwnSawNothing, result.OwnSentAfter, result.OwnUnseen},
	"ends":            {result.OwnLate, result.OwnSawNothing},
}

// TestCoverage compares how many cases hit each verdict, adjustment, impact and kind of note or reason with the file
// coverage. Run it with -update after a change of the corpus, and see that no 0 is new.
func TestCoverage(t *testing.T) {
	for _, list := range [][]judge.Adjustment{judge.OfRequests(), judge.OfFaults()} {
		for _, a := range list {
			if adjusted[a.Name] == nil {
				t.Errorf("no note tells of the adjustment %q: add it to adjusted", a.Name)
			}
		}
	}
	hits := map[string]int{}
	for _, name := range known(t) {
		hits[name] = 0
	}
	for _, path := range corpusFiles(t) {
		golden, err := os.ReadFile(strings.TrimSuffix(path, ".case") + ".golden")
		if err != nil {
			t.Fatal(err)
		}
		for name := range features(string(golden)) {
			hits[name]++
		}
	}
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(hits)) {
		fmt.Fprintf(&out, "%5d %s\n", hits[name], name)
	}
	if *update {
		if err := os.WriteFile(coverage, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(coverage)
	if err != nil {
		t.Fatal(err)
	}
	if d := compared(string(want), out.String()); len(d) > 0 {
		t.Errorf("the coverage of the corpus changed:\n%s", strings.Join(d, "\n"))
	}
}

// constants matches the constants of a kind in a source file of package result.
var constants = regexp.MustCompile(`(?m)^\t[A-Z]\w+ +(NoteKind|ReasonKind|Impact) += "(\w+)"`)

// known lists the features that a case may have.
func known(t *testing.T) (out []string) {
	t.Helper()
	files, err := filepath.Glob("../../result/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range constants.FindAllStringSubmatch(string(text), -1) {
			out = append(out, strings.ToLower(strings.TrimSuffix(m[1], "Kind"))+" "+m[2])
		}
	}
	for name := range adjusted {
		out = append(out, "adjustment "+name)
	}
	for _, v := range scenarios.Verdicts() {
		out = append(out, "verdict "+string(v), "objective "+string(v))
	}
	return out
}

// seen matches the line of a feature in a golden file.
var seen = regexp.MustCompile(`(?m)^(?:note ([^\n]*?)(because|reasons)\[\d+\]: \{[^\n]*?"kind":"(\w+)"|` +
	`verdict (objectives\[\d+\]\.)?verdict: "([^"\n]+)"|verdict faults\[\d+\]\.impact: "(\w+)")`)

// features returns the features of a case by its golden file.
func features(golden string) map[string]bool {
	out := map[string]bool{}
	for _, m := range seen.FindAllStringSubmatch(golden, -1) {
		switch {
		case m[2] == "reasons" && m[1] == "":
			out["reason "+m[3]] = true
		case m[3] != "":
			out["note "+m[3]] = true
			for name, kinds := range adjusted {
				if slices.Contains(kinds, result.NoteKind(m[3])) {
					out["adjustment "+name] = true
				}
			}
		case m[5] != "" && m[4] != "":
			out["objective "+m[5]] = true
		case m[5] != "":
			out["verdict "+m[5]] = true
		default:
			out["impact "+m[6]] = true
		}
	}
	return out
}

// A candidate is a case that may become a part of the corpus.
type candidate struct {
	path     string
	origin   string
	features map[string]bool
	busy     bool
	class    string // pass, fail, or open
	size     int64
}

const (
	wantedCases = 300
	wantedHits  = 3  // of each feature
	mostAlike   = 12 // cases of one test
)

// TestCollect makes a new corpus of the case files in the folders BRUNT_COLLECT, separated by colons: as many cases of
// each feature as wanted, and then as many that passed, failed and were open, on a calm machine and on a busy one.
// The name of a folder says how its cases came about. Run TestCorpus and TestCoverage with -update afterwards.
func TestCollect(t *testing.T) {
	folders := os.Getenv("BRUNT_COLLECT")
	if folders == "" {
		t.Skip("BRUNT_COLLECT names no folders of case files")
	}
	var all []candidate
	for folder := range strings.SplitSeq(folders, ":") {
		paths, err := filepath.Glob(filepath.Join(folder, "*.case"))
		if err != nil || len(paths) == 0 {
			t.Fatal("no case files in", folder, err)
		}
		of := map[string]int{} // cases by the test that made them
		paths = slices.DeleteFunc(paths, func(path string) bool {
			test, _, _ := cutLast(path, "-")
			of[test]++
			return of[test] > mostAlike
		})
		var mu sync.Mutex
		each(paths, func(path string) {
			c := candidateOf(t, path)
			mu.Lock()
			defer mu.Unlock()
			if c.path != "" {
				all = append(all, c)
			}
		})
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.size, b.size), cmp.Compare(a.path, b.path))
	})
	old, err := filepath.Glob(corpus + "/*")
	if err == nil {
		err = os.MkdirAll(corpus, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range chosen(t, all) {
		of := scrubbed(t, opened(t, c.path))
		of.Origin = c.origin
		if c.busy {
			of.Origin += ", on a busy machine"
		}
		f, err := os.Create(filepath.Join(corpus, fmt.Sprintf("%s-%03d.case", c.origin, i)))
		if err != nil {
			t.Fatal(err)
		}
		if err := of.Write(f); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// paths matches paths of this machine.
var paths = regexp.MustCompile(`/(?:tmp|work|root|home|var/tmp)/[^\s"'\\,;:)]*`)

// scrubbed returns a case without what tells of the machine that it was recorded on.
func scrubbed(t *testing.T, c *casefile.Case) *casefile.Case {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	e := &c.Known.Result.Environment
	c.Known.Result.Environment = result.Environment{
		Brunt: e.Brunt, OS: e.OS, Arch: e.Arch, CPUs: e.CPUs, Command: e.Command, Target: e.Target,
	}
	scrub := func(from any) []byte {
		text, err := json.Marshal(from)
		if err != nil {
			t.Fatal(err)
		}
		if len(host) > 3 && bytes.Contains(text, []byte(host)) {
			t.Errorf("a case names the machine %s", host)
		}
		return paths.ReplaceAll(text, []byte("/tmp/x"))
	}
	out := &casefile.Case{Cells: c.Cells, Log: c.Log}
	if err := json.Unmarshal(scrub(c), out); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(scrub(c.Events), &out.Events); err != nil {
		t.Fatal(err)
	}
	if len(c.Result) > 0 {
		ran := written(t, c)
		ran.Environment = c.Known.Result.Environment
		out.Result = scrub(ran)
	}
	return out
}

func candidateOf(t *testing.T, path string) candidate {
	of := opened(t, path)
	res, err := of.Judge()
	if err != nil { // its recording is damaged, as a test of the judge wants
		t.Log(path, err)
		return candidate{}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	c := candidate{
		path: path, origin: filepath.Base(filepath.Dir(path)), size: info.Size(),
		features: features(strings.Join(facts(t, reread(t, res)), "\n")),
		busy:     len(of.Asked.Held) > 0 || res.Generator.Pressure > .3, class: "open",
	}
	switch res.Verdict {
	case scenarios.Pass, scenarios.Fail:
		c.class = string(res.Verdict)
	}
	return c
}

// chosen chooses the cases of the corpus. Small ones come first.
func chosen(t *testing.T, all []candidate) (out []candidate) {
	hits := map[string]int{}
	take := func(i int) {
		for name := range all[i].features {
			hits[name]++
		}
		out = append(out, all[i])
		all = slices.Delete(all, i, i+1)
	}
	for {
		best, most := -1, 0
		for i := range all {
			n := 0
			for name := range all[i].features {
				if hits[name] < wantedHits {
					n++
				}
			}
			if n > most {
				best, most = i, n
			}
		}
		if best < 0 {
			break
		}
		take(best)
	}
	counts := map[string]int{}
	kinds := func(c *candidate) []string {
		busy := fmt.Sprint("busy ", c.busy)
		return []string{c.class, busy, c.origin + " " + c.class + " " + busy}
	}
	count := func(c *candidate) {
		for _, kind := range kinds(c) {
			counts[kind]++
		}
	}
	fewer := func(a, b *candidate) bool { // cases are of the kinds of a
		for i, kind := range kinds(a) {
			if of := kinds(b)[i]; counts[kind] != counts[of] {
				return counts[kind] < counts[of]
			}
		}
		return false
	}
	for i := range out {
		count(&out[i])
	}
	for len(out) < wantedCases && len(all) > 0 {
		best := 0
		for i := range all {
			if fewer(&all[i], &all[best]) {
				best = i
			}
		}
		count(&all[best])
		take(best)
	}
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		t.Log(counts[kind], kind)
	}
	slices.SortFunc(out, func(a, b candidate) int { return strings.Compare(a.path, b.path) })
	return out
}
