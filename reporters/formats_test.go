package reporters

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
	"testing"

	"brunt/scenarios/result"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

func reported(t *testing.T, rep Reporter, r *result.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := rep.Report(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGitHub_Fits: several runs fit into a summary, however many objectives, steps and
// errors they have.
func TestGitHub_Fits(t *testing.T) {
	for name, r := range fixtures() {
		long := *r
		for range 2000 {
			long.Objectives = append(long.Objectives, result.ObjectiveResult{Text: strings.Repeat("|<>&@", 2000), Measured: 1})
			long.Errors = append(long.Errors, result.ErrorGroup{Kind: strings.Repeat("|<>&@", 2000), Sample: &result.Sample{Body: strings.Repeat("#", 5000)}})
		}
		long.Name, long.Reason = strings.Repeat("&", 1<<20), strings.Repeat("&", 1<<20)
		if n := len(reported(t, GitHub{}, &long)); n > mostSummary {
			t.Errorf("%s: %d bytes", name, n)
		}
		text := reported(t, GitHub{}, r)
		for i, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(line, "| ") && i > 0 {
				table := strings.ReplaceAll(strings.ReplaceAll(line, `\\`, ""), `\|`, "")
				if n := strings.Count(table, "|"); n < 6 || n > 8 {
					t.Errorf("%s: %d bars in %s", name, n, line)
				}
			}
		}
	}
}

// TestGitHub_Hostile: what was named is text, and nothing else.
func TestGitHub_Hostile(t *testing.T) {
	r := *fixtures()["hostile"]
	r.Name = "![x](http://evil/) <img src=x> @team #1 **b** `c` [l](javascript:alert(1)) http://evil www.evil.example $x$"
	text := reported(t, GitHub{}, &r)
	for _, bad := range []string{"<script", "<img", "](http", "](java", "@team", "#1", "**b**", "http://evil", "www.evil", "\x1b", "\u202e", "$x$"} {
		if strings.Contains(strings.NewReplacer(`\*`, "", `\$`, "", `\]`, "").Replace(text), bad) {
			t.Errorf("%q is in\n%s", bad, text)
		}
	}
}

// TestGitHub_Says: verdict, objectives, faults, and a link to the trace of an error.
func TestGitHub_Says(t *testing.T) {
	r := *fixtures()["failing"]
	r.TraceLink = "https://tracing.example/${trace.id}"
	e := r.Errors[0]
	sample := result.Sample{Request: "GET /x", Trace: "4bf92f3577b34da6a3ce929d0e0e4736"}
	e.Sample = &sample
	r.Errors = append([]result.ErrorGroup{e}, r.Errors[1:]...)
	text := reported(t, GitHub{}, &r)
	for _, want := range []string{"## ❌ Fail: ", "### Objectives\n\n| | Objective |", "❌ fail | ", "### Faults", "### Response times", "| run | ", "[4bf92f35](<https://tracing.example/4bf92f3577b34da6a3ce929d0e0e4736>)"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// TestGitLab: every run gives text that can be read, and its figures are the result's.
func TestGitLab(t *testing.T) {
	for name, r := range fixtures() {
		text := reported(t, GitLab{}, r)
		body, ended := strings.CutSuffix(text, "# EOF\n")
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(body))
		if err != nil || !ended {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, c := range r.Cells {
			if c.Phase != "run" || c.Load != "*" || c.Step != "*" || c.Outcome != "*" || c.Count == 0 {
				continue
			}
			got := -1.0
			for _, m := range families["brunt_requests"].Metric {
				if m.Label[0].GetValue() == "*" && m.Label[1].GetValue() == "*" {
					got = m.Gauge.GetValue()
				}
			}
			if got != float64(c.Count) {
				t.Errorf("%s: %g requests, want %d", name, got, c.Count)
			}
		}
		if got := families["brunt_exit_code"].Metric[0].Gauge.GetValue(); got != float64(r.ExitCode) {
			t.Errorf("%s: exit code %g", name, got)
		}
	}
}

// TestCSV: a row for each window, and the faults that were in; a formula is text.
func TestCSV(t *testing.T) {
	for name, r := range fixtures() {
		rows, err := csv.NewReader(strings.NewReader(reported(t, CSV{}, r))).ReadAll()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(rows) != len(r.Windows)+1 {
			t.Errorf("%s: %d rows for %d windows", name, len(rows), len(r.Windows))
		}
		for i, row := range rows[1:] {
			v := &r.Windows[i]
			if row[4] != strconv.FormatInt(v.Offered, 10) || row[7] != strconv.FormatInt(v.OK, 10) {
				t.Fatalf("%s: row %d is %q, want %+v", name, i+1, row, v)
			}
		}
	}
	r := &result.Result{
		Windows: []result.Window{{T: 0, D: 1, Load: "*", Step: "=1+1"}, {T: 1, D: .5, Load: "*", Step: "*"}, {T: 1.5, D: .5, P99: result.NaN}, {T: 2, D: 1}},
		Faults:  []result.FaultRecord{{Name: "b", Injected: .5, Cleared: 1.5}, {Name: "a", Injected: 1.2, Cleared: result.NaN}, {Name: "c", Injected: result.NaN}},
	}
	rows, err := csv.NewReader(strings.NewReader(reported(t, CSV{}, r))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"faults", "b", "a b", "a", "a"} {
		if got := rows[i][len(rows[i])-1]; got != want {
			t.Errorf("row %d: faults %q, want %q", i, got, want)
		}
	}
	if rows[1][3] != "'=1+1" || rows[3][13] != "" || rows[1][13] != "0" {
		t.Errorf("%q", rows)
	}
}

// TestTraceOf: only traces are shown as such, and only links of http are links.
func TestTraceOf(t *testing.T) {
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for link, want := range map[string]string{
		"https://t.example/${trace.id}":   "https://t.example/" + id,
		"http://t/?q=${trace.id}":         "http://t/?q=" + id,
		"javascript:alert('${trace.id}')": "", "data:text/html,${trace.id}": "", "//t/${trace.id}": "", "": "", "https://u:p@t/${trace.id}": "",
	} {
		if got := traceOf(link, id); got == nil || got.ID != id || got.Link != want {
			t.Errorf("%s: %+v, want %q", link, got, want)
		}
	}
	if traceOf("https://t/${trace.id}", "<script>") != nil || traceOf("https://t/${trace.id}", "") != nil {
		t.Error("that is no id")
	}
}
