package catalog_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brunt/reporters"
	"brunt/reporters/catalog"
	"brunt/reporters/evidence"
	"brunt/reporters/reporterstest"
	"brunt/reporters/words"
)

// written are results that former brunts wrote, of one scenario: 1 is of version 1, from the commit before version 2
// (75898c27); 2-untyped is of version 2, from before limits and reasons were data (257cc1c8). 2 is of a later one, with
// notes as data, of the scenario with one more objective, on the fault; 2-definitions is of one whose values have the
// meanings of definitions 2, from a busy machine.
// They are real but for parts that were left out of them for their size, and the description of the machine.
var written = []struct {
	name    string
	verdict string
	figures []string // measured values of the objectives, in their order
	recover string   // time to recovery of the fault; empty: no fault was injected
}{
	{"1-control", "pass", []string{"3.15ms", "0%", "150/s"}, ""},
	{"1-fault", "fail", []string{"3.03ms", "8.92%", "150/s"}, "1.42s"},
	{"2-untyped-control", "pass", []string{"64.5ms", "0%", "150/s"}, ""},
	{"2-untyped-fault", "fail", []string{"180ms", "8.92%", "150/s"}, "1.42s"},
	{"2-control", "pass", []string{"38.7ms", "0%", "150/s"}, ""},
	{"2-fault", "fail", []string{"21.5ms", "15.2%", "150/s", "24.2%"}, "2.42s"},
	{"2-definitions-control", "pass", []string{"26.4ms", "0%", "150/s"}, ""},
	{"2-definitions-fault", "fail", []string{"34.2ms", "8.92%", "150/s", "14.2%"}, "1.41s"},
}

// TestVersions_Read checks that nothing that a file holds is lost when it is read and written again.
func TestVersions_Read(t *testing.T) {
	for _, c := range written {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join("testdata", "results", c.name)
			r, err := evidence.Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			if string(r.Verdict) != c.verdict || len(r.Objectives) != len(c.figures) || r.Chaos != (c.recover != "") {
				t.Errorf("verdict %s of %d objectives, with faults: %v", r.Verdict, len(r.Objectives), r.Chaos)
			}
			text, err := os.ReadFile(filepath.Join(dir, "result.json"))
			if err != nil {
				t.Fatal(err)
			}
			lost(t, "", decoded(t, text), decoded(t, []byte(reporterstest.Render(t, evidence.JSON{}, r))))
		})
	}
}

// decoded is JSON as maps, slices and numbers.
func decoded(t *testing.T, text []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// lost reports keys, values and elements of a that b has not, or has with another value. Reading adds notes.
func lost(t *testing.T, at string, a, b any) {
	t.Helper()
	switch a := a.(type) {
	case map[string]any:
		of, _ := b.(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(a)) {
			if kept, ok := of[key]; ok {
				lost(t, at+"."+key, a[key], kept)
			} else if !isZero(a[key]) {
				t.Errorf("%s.%s is lost: %v", at, key, a[key])
			}
		}
	case []any:
		of, _ := b.([]any)
		if len(of) < len(a) || len(of) > len(a) && at != ".notes" {
			t.Errorf("%s has %d elements, and had %d", at, len(of), len(a))
			return
		}
		for i := range a {
			lost(t, fmt.Sprintf("%s[%d]", at, i), a[i], of[i])
		}
	default:
		if a != b {
			t.Errorf("%s is %v, and was %v", at, b, a)
		}
	}
}

// isZero reports whether a value says nothing, so that it may be left out.
func isZero(v any) bool {
	switch v := v.(type) {
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return slices.Contains([]any{nil, false, "", 0.}, v)
}

// TestVersions_Drawn checks that every reporter draws each file, with its verdict, objectives and figures.
func TestVersions_Drawn(t *testing.T) {
	objectives := []string{"p95 < 250ms in baseline", "errors < 1%", "rate > 10/s"}
	for _, c := range written {
		t.Run(c.name, func(t *testing.T) {
			r, err := evidence.Read(filepath.Join("testdata", "results", c.name))
			if err != nil {
				t.Fatal(err)
			}
			for _, rep := range catalog.All() {
				f := rep.Format()
				want := slices.Concat(objectives, c.figures)
				if c.recover != "" {
					want = append(want, c.recover, "lose-a-replica")
				}
				switch f.Name {
				case "html", "github", "markdown":
					want = append(want, words.Capitalize(c.verdict)+": a replica of posts is lost")
				case "gitlab":
					want = []string{fmt.Sprintf("brunt_exit_code %d.0", r.Verdict.ExitCode())}
				case "terminal":
					// the time to recovery is in its tables
					want = append(slices.Concat(objectives, c.figures), words.Mark(r.Verdict)+" "+strings.ToUpper(c.verdict))
				case "junit":
					want = slices.Concat(objectives, c.figures)
				case "k6-json", "vegeta-csv", "vegeta-gob", "vegeta-json": // of single requests, which no file holds
					continue
				case "csv":
					want = []string{"0,1,*,*,150,"} // the first second
				default: // evidence, which TestVersions_Read reads
					want = nil
				}
				drawn(t, f, reporterstest.Render(t, rep, r), want)
			}
		})
	}
}

// drawn checks that what a reporter wrote contains texts, in whatever way it escapes them.
func drawn(t *testing.T, f reporters.Format, text string, want []string) {
	t.Helper()
	plain := strings.NewReplacer("&lt;", "<", "&gt;", ">", `\<`, "<", `\>`, ">", "\u00a0", " ").Replace(text)
	for _, w := range want {
		if !strings.Contains(plain, w) {
			t.Errorf("%s does not say %q", f.Name, w)
		}
	}
}
