package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"brunt/chaos"
	faultcatalog "brunt/chaos/catalog"
	"brunt/reporters/html"
	"brunt/reporters/reporterstest"
	"brunt/reporters/terminal"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

// TestReference_ReportWords checks that the headings of the page, of the terminal and of a comparison, and the heads of
// their columns, are explained as they are written: those of the templates, and those that the reports of the fixtures
// have.
func TestReference_ReportWords(t *testing.T) {
	suite.Sequential(t)
	r := newReference()
	found := map[string]bool{}
	for pattern, files := range map[string]string{
		`<(?:h2|th)\b[^>]*>\{\{term "([^"]+)"`: "html/assets/page.tmpl",
		`\.head\("([^"]+)"\)`:                  "terminal/*.go",
	} {
		list, err := filepath.Glob(filepath.Join("..", "..", "reporters", filepath.FromSlash(files)))
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %d files, %v", files, len(list), err)
		}
		for _, file := range list {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
				found[strings.ToLower(strings.TrimSpace(m[1]))] = true
			}
		}
	}
	for name, res := range reporterstest.Results() {
		if name == "hostile" { // its names are no words
			continue
		}
		res.Incidents = []result.Incident{{Begin: 1, End: 2, Over: true, Bad: 1, Requests: 2}}
		res.Metrics = []result.ScriptMetric{{Load: "main", Name: "checks", Type: "rate"}}
		for _, head := range pageHeads(reporterstest.Render(t, html.Page{}, res)) {
			found[head] = true
		}
		for _, head := range textHeads(reporterstest.Render(t, terminal.New(nil, terminal.Options{Verbose: true}), res)) {
			found[head] = true
		}
	}
	var text strings.Builder
	if err := terminal.Decision(&text, (&compare.Comparison{Rows: []compare.Row{{Metric: "p50"}}}).Decision(),
		false); err != nil {
		t.Fatal(err)
	}
	for _, head := range textHeads(text.String()) {
		found[head] = true
	}
	for _, want := range []string{"planned", "what failed", "worse by", "sees from", "failover", "samples"} {
		if !found[want] {
			t.Errorf("no report has the head %q", want)
		}
	}
	for _, word := range slices.Sorted(maps.Keys(found)) {
		if _, err := r.Explain(word); err != nil {
			t.Error(err)
		}
	}
}

// TestChange_InjectedErrors checks that a run which failed by a fault on a link of the load has the advice for clients
// if the effect of the kind is errors, and not if it is another one.
func TestChange_InjectedErrors(t *testing.T) {
	n := 0
	for _, f := range faultcatalog.Faults() {
		d := f.Describe()
		if d.On&chaos.OnLinks == 0 {
			continue
		}
		a := words.AnswerOf(&result.Result{
			Verdict: scenarios.Fail, Duration: 30,
			Faults: []result.FaultRecord{{
				Name: "wrong", Kind: d.Kind, Nature: chaos.NatureOf(f),
				Units: []string{"load->web[0]"}, Planned: 10, Injected: 10, Until: 12, Cleared: 12,
			}},
			Incidents: []result.Incident{{
				Begin: 10, End: 12, Over: true, Bad: 100, Requests: 100, By: "wrong", Evidence: result.ByInjection,
			}},
		})
		given := slices.ContainsFunc(a.Change, func(a words.Advice) bool { return a.Rule == "client-errors" })
		if want := d.Effect == chaos.Errors; given != want {
			t.Errorf("%s, whose effect is %q: the advice is given: %t, want %t", d.Kind, d.Effect, given, want)
		}
		if given {
			n++
		}
	}
	if n < 9 {
		t.Errorf("only %d kinds have the advice", n)
	}
}

// pageHeads are the headings and the heads of columns of a page, without those that hold figures or names.
func pageHeads(page string) (out []string) {
	for _, m := range regexp.MustCompile(`(?s)<(h2|th scope="col")[^>]*>(.*?)</t?h`).FindAllStringSubmatch(page, -1) {
		head := regexp.MustCompile(`(?s)<span class="tip".*?</span>`).ReplaceAllString(m[2], "")
		text := strings.TrimSpace(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(head, ""))
		if isHead(text) {
			out = append(out, strings.ToLower(text))
		}
	}
	return out
}

// textHeads are the heads of columns in a text: of lines of three words and more, each apart from the next by two
// spaces.
func textHeads(text string) (out []string) {
	for line := range strings.Lines(text) {
		cells := regexp.MustCompile(` {2,}`).Split(strings.TrimSpace(line), -1)
		if len(cells) > 2 && !slices.ContainsFunc(cells, func(c string) bool { return !isHead(c) }) {
			out = append(out, cells...)
		}
	}
	return out
}

// isHead reports whether a cell may be the head of a column, and no name of a series: words, or a percentile.
func isHead(cell string) bool {
	return regexp.MustCompile(`^([A-Za-z][a-z ]+|p\d+(\.\d+)?|RPO|DNS|TLS)$`).MatchString(cell)
}
