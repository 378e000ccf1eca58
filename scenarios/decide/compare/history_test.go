package compare

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
)

var local = Machine{OS: "linux", Arch: "amd64", CPUs: 2, Score: 1000}

// record makes a record of a run.
func (w *world) record(worse float64) *Record {
	return NewRecord(w.run(worse, 0).Result, local)
}

func opened(t *testing.T, dir string) *History {
	t.Helper()
	h, err := OpenHistory(dir)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHistory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	w := &world{r: rand.New(rand.NewPCG(1, 1)), spread: .02}
	h := opened(t, dir)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 { // `brunt trend` only reads
		t.Errorf("a folder that was only opened holds %v, %v", entries, err)
	}
	var key string
	for i := range 5 {
		r := w.record(0)
		key = r.Key
		if i == 3 {
			r.Machine.Score *= 2
		}
		if i == 4 {
			r.Key = "another"
		}
		if err := h.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	h = opened(t, dir)
	if all := h.Records(); len(all) != 5 || !all[0].Started.Before(all[4].Started) {
		t.Fatalf("%d records, not in their order", len(all))
	}
	entries, err := os.ReadDir(dir)
	must(t, err)
	if b, err := os.ReadFile(filepath.Join(dir, ".gitignore")); string(b) != ".new-*\n" {
		t.Errorf(".gitignore holds %q, %v", b, err)
	}
	for _, e := range entries {
		if n := e.Name(); n != ".gitignore" && !strings.HasSuffix(n, recordSuffix) {
			t.Errorf("%s is beside the records", n)
		}
	}
	alike, _ := (&Record{Key: key, Machine: local}).Comparable(h.Records())
	if len(alike) != 3 {
		t.Errorf("%d records of the scenario on machines of the kind, want 3", len(alike))
	}
	if at := alike[0].values()[place{slo.ParsePhase("run"), "*", "*"}]; at["p95"].n != offered || at["p95"].x <= 0 {
		t.Errorf("read back as %+v", at)
	}
}

// TestHistory_Changed: what others change in the folder is found when it is opened again.
func TestHistory_Changed(t *testing.T) {
	dir := t.TempDir()
	w := &world{r: rand.New(rand.NewPCG(1, 1)), spread: .02}
	h := opened(t, dir)
	for range 3 {
		must(t, h.Add(w.record(0)))
	}
	if n := len(opened(t, dir).Records()); n != 3 {
		t.Fatalf("%d records before", n)
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*"+recordSuffix))
	must(t, os.Remove(names[0]))
	must(t, os.WriteFile(names[1], []byte("{}"), 0o644))
	if h = opened(t, dir); len(h.Records()) != 1 || len(h.Problems) != 1 {
		t.Errorf("%d records, and %v", len(h.Records()), h.Problems)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestHistory_OtherVersions: records of other versions are left out, and told in one line.
func TestHistory_OtherVersions(t *testing.T) {
	dir := t.TempDir()
	w := &world{r: rand.New(rand.NewPCG(1, 1)), spread: .02}
	must(t, opened(t, dir).Add(w.record(0)))
	for name, head := range map[string]string{
		"a": `"version":3`, "b": `"version":99`, "c": `"version":4`, "d": `"version":4,"definitions":2`,
	} {
		text := `{` + head + `,"run":"a","key":"k","started":"2026-11-20T10:00:00Z","values":[]}`
		must(t, os.WriteFile(filepath.Join(dir, name+recordSuffix), []byte(text), 0o644))
	}
	h := opened(t, dir)
	want := dir + ": 4 records of another version of brunt, whose figures mean something else: they are ignored; the last " +
		"is d.run.json"
	if got := errors.Join(h.Problems...).Error(); len(h.Records()) != 1 || got != want {
		t.Errorf("%d records, want 1; got %s\nwant %s", len(h.Records()), got, want)
	}
}

// TestHistory_Spoiled adds files that are not records: each is listed with its reason, and no record
// is lost.
func TestHistory_Spoiled(t *testing.T) {
	dir := t.TempDir()
	w := &world{r: rand.New(rand.NewPCG(1, 1)), spread: .02}
	h := opened(t, dir)
	must(t, h.Add(w.record(0)))
	spoiled := map[string]string{
		"empty": "", "cut": `{"version":1,"run":"a","va`, "array": "[]",
		"two": `{"version":4,"definitions":3,"run":"a","key":"k","started":"2026-11-20T10:00:00Z"}` +
			`{"version":4,"definitions":3,"run":"b","key":"k","started":"2026-11-20T10:00:00Z"}`,
		"conflict": "<<<<<<< HEAD\n" + `{"version":4,"definitions":3,"run":"a","key":"k","started":"2026-11-20T10:00:00Z"}` +
			"\n=======\n",
		"negative": `{"version":4,"definitions":3,"run":"a","key":"k","started":"2026-11-20T10:00:00Z","values":[{"metric":"p95","value":-1,"count":5}]}`,
		"unknown":  `{"version":4,"definitions":3,"run":"a","key":"k","started":"2026-11-20T10:00:00Z","values":[{"metric":"p59","value":1,"count":5}]}`,
	}
	for name, text := range spoiled {
		must(t, os.WriteFile(filepath.Join(dir, name+recordSuffix), []byte(text), 0o644))
	}
	must(t, os.WriteFile(filepath.Join(dir, "README.md"), []byte("about"), 0o644))
	must(t, os.Mkdir(filepath.Join(dir, "folder"+recordSuffix), 0o755))
	h = opened(t, dir)
	if n := len(h.Records()); n != 1 {
		t.Errorf("%d records, want 1", n)
	}
	all := errors.Join(h.Problems...).Error()
	for name, text := range spoiled {
		if !strings.Contains(all, name+recordSuffix) {
			t.Errorf("%s is not named in %q", name, all)
		}
		if b, err := os.ReadFile(filepath.Join(dir, name+recordSuffix)); err != nil || string(b) != text {
			t.Errorf("%s was touched: %q, %v", name, b, err)
		}
	}
	if strings.Contains(all, "README") {
		t.Error("what is not a record's file is taken for one")
	}
}

// TestHistory_AtOnce lets several jobs open and write at once.
func TestHistory_AtOnce(t *testing.T) {
	dir := t.TempDir()
	const jobs, each = 6, 5
	errs := make([]error, jobs)
	var wg sync.WaitGroup
	for j := range jobs {
		wg.Go(func() {
			w := &world{r: rand.New(rand.NewPCG(1, uint64(j))), spread: .02, made: j * each}
			for range each {
				h, err := OpenHistory(dir)
				if err == nil {
					err = h.Add(w.record(0))
				}
				errs[j] = errors.Join(errs[j], err)
			}
		})
	}
	wg.Wait()
	must(t, errors.Join(errs...))
	if n := len(opened(t, dir).Records()); n != jobs*each {
		t.Errorf("%d records, want %d", n, jobs*each)
	}
}

func TestMeasure(t *testing.T) {
	at := func(i int, red, accept bool) *Record { return &Record{Run: fmt.Sprint(i), Red: red, Accept: accept} }
	tests := []struct {
		name string
		all  []*Record
		want string
	}{
		{"plain", []*Record{at(1, false, false), at(2, false, false)}, "1 2"},
		{"red ones don't count", []*Record{at(1, false, false), at(2, true, false), at(3, false, false)}, "1 3"},
		{"an accepted one begins again", []*Record{
			at(1, false, false), at(2, true, false), at(3, false, true),
			at(4, false, false),
		}, "3 4"},
		{"none", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, r := range Measure(tt.all) {
				got = append(got, r.Run)
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("%q, want %q", s, tt.want)
			}
		})
	}
}

// TestGate compares runs with histories of runs on different days: how often an unchanged one fails
// at first, and after fresh runs, and how often a worse one fails.
func TestGate(t *testing.T) {
	suite.Sequential(t)
	trials := suite.Trials(1000)
	gates := func(history int, days, worse float64, confirm int) (red, open int) {
		for i := range trials {
			w := &world{r: rand.New(rand.NewPCG(11, uint64(i))), spread: .03}
			run := func(worse float64) *Record {
				w.day = w.r.NormFloat64() * days
				return w.record(worse)
			}
			var past []*Record
			for range history {
				past = append(past, run(0))
			}
			c, err := gate(past, []*Record{run(worse)}, Options{})
			if err == nil && c.Verdict == scenarios.Regression && confirm > 0 {
				var fresh []*Record
				for range confirm {
					fresh = append(fresh, w.record(worse)) // on the same day
				}
				c, err = gate(past, fresh, Options{})
			}
			must(t, err)
			switch c.Verdict {
			case scenarios.Regression:
				red++
			case scenarios.Inconclusive:
				open++
			}
		}
		return red, open
	}
	two := 2 * math.Sqrt(DefaultAlpha*(1-DefaultAlpha)*float64(trials))
	for _, n := range []int{LeastHistory, 20} {
		red, open := gates(n, .02, 0, 0)
		t.Logf("history of %d, no worse: red %d, inconclusive %d of %d", n, red, open, trials)
		if float64(red) > DefaultAlpha*float64(trials)+two {
			t.Errorf("history of %d: %d of %d false alarms", n, red, trials)
		}
		again, _ := gates(n, .02, 0, 2)
		t.Logf("history of %d, no worse, confirmed: red %d of %d", n, again, trials)
		if again > red {
			t.Errorf("fresh runs made %d red ones of %d", again, red)
		}
		seen, _ := gates(n, .02, .3, 2)
		t.Logf("history of %d, worse by 30 %%: red %d of %d", n, seen, trials)
		if float64(seen) < .8*float64(trials) {
			t.Errorf("history of %d: 30 %% worse is seen %d times of %d", n, seen, trials)
		}
	}
	w := &world{r: rand.New(rand.NewPCG(1, 1)), spread: .02}
	var past []*Record
	for range LeastHistory - 1 {
		past = append(past, w.record(0))
	}
	if _, err := gate(past, []*Record{w.record(0)}, Options{}); !errors.Is(err, errLearning) {
		t.Errorf("a history of %d judges: %v", len(past), err)
	}
}

func TestMachine_Alike(t *testing.T) {
	tests := []struct {
		name string
		m    Machine
		want bool
	}{
		{"itself", local, true},
		{"a little slower", Machine{"linux", "amd64", 2, 850}, true},
		{"half as fast", Machine{"linux", "amd64", 2, 500}, false},
		{"more processors", Machine{"linux", "amd64", 4, 1000}, false},
		{"of another kind", Machine{"linux", "arm64", 2, 1000}, false},
		{"unknown speed", Machine{"linux", "amd64", 2, 0}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := local.Alike(tt.m); got != tt.want || tt.m.Alike(local) != got {
				t.Errorf("alike: %t", got)
			}
		})
	}
	if m := Calibrate(result.Environment{OS: "linux", CPUs: 2}); m.Score <= 0 {
		t.Errorf("calibrated as %+v", m)
	}
}

func TestChanges(t *testing.T) {
	series := func(seed uint64, levels ...float64) []float64 {
		r := rand.New(rand.NewPCG(seed, 1))
		var out []float64
		for _, level := range levels {
			for range 12 {
				out = append(out, level+.1*r.NormFloat64())
			}
		}
		return out
	}
	tests := []struct {
		name   string
		levels []float64
		want   []int
	}{
		{"one level", []float64{1, 1, 1}, nil},
		{"two", []float64{1, 2}, []int{12}},
		{"up and down", []float64{1, 2, 1}, []int{12, 24}},
		{"stairs", []float64{1, 2, 3, 4}, []int{12, 24, 36}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := changes(series(3, tt.levels...), leastLevel, 1, rand.New(rand.NewPCG(1, 1)))
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("moved at %v, want %v", got, tt.want)
			}
		})
	}
	for _, short := range [][]float64{nil, {1}, {1, 2, 3}, {5, 5, 5, 5, 5, 5, 5, 5, 5, 5}} {
		if got := changes(short, leastLevel, 1, rand.New(rand.NewPCG(1, 1))); got != nil {
			t.Errorf("%v moved at %v", short, got)
		}
	}
}

// TestChanges_FalseAlarms counts changes found in series that have none.
func TestChanges_FalseAlarms(t *testing.T) {
	trials := suite.Trials(200)
	const alpha = .05
	moved := 0
	for i := range trials {
		r := rand.New(rand.NewPCG(21, uint64(i)))
		var x []float64
		for range 30 {
			x = append(x, r.NormFloat64())
		}
		if changes(x, leastLevel, 1, r) != nil {
			moved++
		}
	}
	t.Logf("%d of %d series without a move moved", moved, trials)
	if most := alpha*float64(trials) + 2*math.Sqrt(alpha*(1-alpha)*float64(trials)); float64(moved) > most {
		t.Errorf("%d of %d series without a move moved, want at most %.0f", moved, trials, most)
	}
}

func TestTrends(t *testing.T) {
	w := &world{r: rand.New(rand.NewPCG(1, 1)), spread: .01}
	var all []*Record
	for i := range 24 {
		worse := 0.0
		if i >= 12 {
			worse = .25
		}
		r := w.record(worse)
		r.Commit = fmt.Sprintf("c%d", i)
		all = append(all, r)
	}
	trends := Trends(all, Options{Metrics: []string{"p95", "rate"}})
	if len(trends) != 2 {
		t.Fatalf("%d trends, want 2", len(trends))
	}
	p95, rate := trends[0], trends[1]
	if len(p95.Moves) != 1 || p95.Moves[0].At != 12 || math.Abs(p95.Moves[0].Change-.25) > .03 || len(rate.Moves) != 0 {
		t.Errorf("p95 moved %+v, rate %+v; want p95 worse by a quarter at 12", p95.Moves, rate.Moves)
	}
	var b strings.Builder
	must(t, TrendText(&b, trends))
	if s := b.String(); !strings.Contains(s, "with c12 (run-13): worse by 2") {
		t.Errorf("it says %q", s)
	}
	for n, untested := range map[int]bool{7: true, 8: false} {
		few := Trends(all[:n], Options{Metrics: []string{"p95", "rate"}})
		b.Reset()
		must(t, TrendText(&b, few))
		const says = "Whether the level changed is not tested for 2 of 2 figures: that needs 8 runs with a finite value."
		if few[0].Untested != untested || strings.Contains(b.String(), says) != untested {
			t.Errorf("of %d runs it says %q", n, b.String())
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	w := &world{r: rand.New(rand.NewPCG(1, 1)), spread: .02}
	dir := f.TempDir()
	h, err := OpenHistory(dir)
	if err != nil {
		f.Fatal(err)
	}
	if err := h.Add(w.record(0)); err != nil {
		f.Fatal(err)
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*"+recordSuffix))
	b, err := os.ReadFile(names[0])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"version":4,"definitions":3,"run":"a","key":"k","started":"2026-11-20T10:00:00Z","values":[{"metric":"errors","value":null,"count":0}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRecord(b)
		if err != nil {
			return
		}
		var past []*Record
		for i := range LeastHistory {
			c := *r
			c.Started = r.Started.Add(time.Duration(i) * time.Hour)
			past = append(past, &c)
		}
		if c, err := gate(past, []*Record{r}, Options{}); err == nil && c.Verdict == scenarios.Regression {
			t.Errorf("a run is worse than itself: %s", c.Reason)
		}
		var out strings.Builder
		if err := TrendText(&out, Trends(past, Options{})); err != nil {
			t.Error(err)
		}
	})
}

// TestGate_Enough: more history makes the prediction bound no narrower than the spread of a single
// run.
func TestGate_Enough(t *testing.T) {
	const dev, alpha, limit = .04, .05, .1
	history := func(n int) []float64 { // of mean 0 and deviation dev
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = dev * math.Sqrt(float64(n-1)/float64(n)) * float64(1-2*(i%2))
		}
		return xs
	}
	single := func(xs []float64) (out []session) {
		for _, x := range xs {
			out = append(out, session{mean: x, runs: 1})
		}
		return out
	}
	at := func(n int, now float64) estimate {
		return predicted(single(history(n)), session{mean: now, runs: 1}, 0)
	}
	tells := func(e estimate) bool { return e.high(alpha) < limit }
	tests := []struct {
		now  float64
		some bool // some length of history is enough
	}{
		{now: .03, some: true},
		{now: .05}, // no history reaches 1.64 deviations below the limit
		{now: .09},
	}
	for _, tt := range tests {
		e := at(LeastHistory, tt.now)
		n := e.enough(LeastHistory, limit, alpha)
		switch {
		case tells(e):
			t.Errorf("%v is reported already", tt.now)
		case (n > 0) != tt.some:
			t.Errorf("%v: a history of %d would do", tt.now, n)
		case !tt.some && tells(at(mostRuns, tt.now)):
			t.Errorf("%v is reported by a history of %d", tt.now, mostRuns)
		case tt.some && (!tells(at(n, tt.now)) || tells(at(n-2, tt.now))):
			t.Errorf("%v: a history of %d is said to do; it does: %t, %d does: %t", tt.now, n, tells(at(n, tt.now)), n-2,
				tells(at(n-2, tt.now)))
		}
	}
	w := &world{r: rand.New(rand.NewPCG(1, 1)), spread: .2}
	var past []*Record
	for range LeastHistory {
		past = append(past, w.record(0))
	}
	c, err := gate(past, past[:1], Options{Metrics: []string{"p50"}})
	must(t, err)
	if !strings.Contains(c.Reason, "this gate can decide nothing") {
		t.Errorf("single runs that differ by a fifth: %s", c.Reason)
	}
}

// TestHistory_SameName adds two runs with the same name and second: both are kept.
func TestHistory_SameName(t *testing.T) {
	dir := t.TempDir()
	w := &world{r: rand.New(rand.NewPCG(1, 1)), spread: .02}
	r := w.record(0)
	h := opened(t, dir)
	must(t, h.Add(r))
	must(t, h.Add(r))
	if n, own := len(opened(t, dir).Records()), len(h.Records()); n != 2 || own != 2 {
		t.Errorf("%d records, and %d in the history that added them, want 2", n, own)
	}
}

// FuzzHistory puts any bytes into the folder as a record: a file that is not a record is listed and not changed, and
// the record beside it is found.
func FuzzHistory(f *testing.F) {
	w := &world{r: rand.New(rand.NewPCG(1, 1)), spread: .02}
	good := w.record(0)
	b, err := json.Marshal(good)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add(append(b, b...))
	f.Fuzz(func(t *testing.T, record []byte) {
		dir := t.TempDir()
		file := filepath.Join(dir, "fuzzed"+recordSuffix)
		must(t, os.WriteFile(file, record, 0o644))
		h := opened(t, dir)
		must(t, h.Add(good))
		h = opened(t, dir)
		want := 1
		if _, err := parseRecord(record); err == nil {
			want = 2
		} else if len(h.Problems) != 1 || !strings.Contains(h.Problems[0].Error(), file) {
			t.Errorf("what is not a record is reported as %v", h.Problems)
		}
		if n := len(h.Records()); n != want {
			t.Errorf("%d records, want %d", n, want)
		}
		if left, err := os.ReadFile(file); err != nil || !bytes.Equal(left, record) {
			t.Errorf("the file was touched: %q, %v", left, err)
		}
	})
}

// TestMean makes one record of three runs, one of which lacks a value and one of which has an
// infinite one.
func TestMean(t *testing.T) {
	kept := func(metric string, v result.Num, n, bad int64) Kept {
		return Kept{Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Metric: metric, Value: v, Count: n, Bad: bad}
	}
	m := Mean([]*Record{
		{Run: "a", Values: []Kept{kept("p50", 1, 100, 0), kept("errors", .01, 100, 1), kept("p95", 3, 100, 0)}},
		{Run: "b", Values: []Kept{
			kept("p50", 2, 200, 0), kept("errors", .03, 200, 6),
			kept("p95", result.Num(math.NaN()), 200, 0),
		}},
		{Run: "c", Values: []Kept{
			kept("p50", 4, 300, 0), kept("errors", .02, 300, 6), kept("p95", 3, 300, 0),
			kept("p99", 5, 1300, 0),
		}},
	})
	got := map[string]Kept{}
	for _, k := range m.Values {
		got[k.Metric] = k
	}
	if k := got["p50"]; math.Abs(float64(k.Value)-2) > 1e-9 || k.Runs != 3 || k.Count != 600 ||
		math.Abs(k.Spread-math.Log(2)) > 1e-9 {
		t.Errorf("p50 %+v", k)
	}
	if k := got["errors"]; math.Abs(float64(k.Value)-.02) > 1e-9 || k.Bad != 13 || math.Abs(k.Spread-.01) > 1e-9 {
		t.Errorf("errors %+v", k)
	}
	if k := got["p95"]; k.Value.Known() || k.Runs != 3 || k.Spread != 0 {
		t.Errorf("p95 %+v", k)
	}
	if k := got["p99"]; k.Value != 5 || k.Runs > 1 {
		t.Errorf("p99 %+v", k)
	}
	b, err := json.Marshal(m)
	must(t, err)
	if !strings.Contains(string(b), `"runs":3,"spread":0.69`) {
		t.Errorf("it is written as %s", b)
	}
}
