package catalog_test

import (
	"encoding/json"
	"html"
	"math"
	"regexp"
	"strings"
	"testing"

	"brunt/reporters"
	"brunt/reporters/ci"
	"brunt/reporters/evidence"
	"brunt/reporters/reporterstest"
	"brunt/reporters/terminal"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"

	page "brunt/reporters/html"
)

// near is how far the figures of a row may be from its name, in bytes of plain text.
const near = 1500

// TestReports_Agree: page, JUnit, Markdown, terminal and result.json have the same words and figures for each
// objective, fault and incident of a run with three faults, one objective of which failed, one is invalid
// and one is inconclusive.
func TestReports_Agree(t *testing.T) {
	r := reporterstest.Results()["failing"]
	invalid := &r.Objectives[3]
	invalid.Verdict, invalid.Note = scenarios.Invalid, "brunt's own lag decides it: p99 lag 21ms"
	r.Incidents = []result.Incident{
		{
			Begin: 15.002, End: 16.4, Over: true, Bad: 26, Requests: 413, Kinds: map[string]int64{"refused": 26},
			Faults: []string{"lose-a-replica"},
			Steps:  []result.IncidentStep{{Load: "browse", Step: "read post", Bad: 26}},
		},
		{
			Begin: 44.5, End: 60, EndLow: 47.25, Bad: 512, Requests: 1784,
			Kinds: map[string]int64{"timeout": 500, "status 503": 12},
		},
	}
	seen := map[scenarios.Verdict]bool{}
	for i := range r.Objectives {
		seen[r.Objectives[i].Verdict] = true
	}
	if len(r.Faults) != 3 || !seen[scenarios.Fail] || !seen[scenarios.Inconclusive] || !seen[scenarios.Invalid] ||
		!seen[scenarios.Pass] {
		t.Fatalf("the run has %d faults and the verdicts %v", len(r.Faults), seen)
	}
	r.Earlier = []result.Earlier{{
		Run: "before", Folder: "../before", Started: r.Started, Verdict: scenarios.Pass, Requests: 18_000, P95: .002,
		Changed: []result.SettingChange{{Param: "replicas", Before: "2", Now: "1"}},
	}}
	var again result.Result
	if err := json.Unmarshal([]byte(reporterstest.Render(t, evidence.JSON{}, r)), &again); err != nil {
		t.Fatal(err)
	}
	for _, form := range []struct {
		name  string
		plain string
	}{
		{"page", plain(t, page.Page{}, r)},
		{"junit", plain(t, ci.JUnit{}, r)},
		{"markdown", strings.ReplaceAll(plain(t, ci.GitHub{}, r), `\`, "")},
		{"ticket", strings.ReplaceAll(plain(t, ci.Markdown{}, r), `\`, "")},
		{"terminal", plain(t, terminal.New(nil, terminal.Options{Width: terminal.Unwrapped, Verbose: true}), r)},
	} {
		t.Run(form.name, func(t *testing.T) {
			for i := range again.Objectives {
				o := &again.Objectives[i]
				together(t, form.plain, words.ObjectiveTitle(o), words.Verdict(o.Verdict), words.ObjectiveMeasured(o),
					words.ObjectiveBounds(o),
					words.ObjectiveNote(o))
			}
			for i := range again.Faults {
				f := &again.Faults[i]
				effect := words.FaultEffect(f)
				// its times are in a line of figures
				if _, losses, impact := strings.Cut(effect, "; "); impact && form.name == "terminal" {
					effect = losses
				}
				together(t, form.plain, words.Clean(f.Name), words.FaultTarget(f), words.Offset(f.Injected),
					words.Offset(f.Cleared), effect)
			}
			for i := range again.Incidents {
				row := words.IncidentRow(&again, i+1, &again.Incidents[i])
				together(t, form.plain, row[1], row[2:]...)
			}
			answer := words.AnswerOf(&again).Line()
			if form.name == "page" { // its head is in the page's heading, before the name of the scenario
				answer = words.AnswerOf(&again).Sentence.String()
			}
			if !strings.Contains(form.plain, answer) {
				t.Errorf("the answer %q is missing", answer)
			}
			agreesWhy(t, words.AnswerOf(&again), form.name == "page", unmarked.Replace(form.plain))
		})
	}
}

// unmarked takes the marks of Markdown out of a text.
var unmarked = strings.NewReplacer("**", "", "`", "")

// agreesWhy checks that a report has each line of why the run has its verdict, what to change, and how far to trust it.
// The page has the last runs as marks and a table.
func agreesWhy(t *testing.T, a *words.Answer, table bool, plain string) {
	t.Helper()
	for _, line := range a.Because() {
		if table && a.Past != nil && line == a.Past.Line() {
			for _, d := range a.Past.Since {
				together(t, plain, d.Name, d.Before, d.Now, d.Word)
			}
			continue
		}
		if text := unmarked.Replace(one(mark.ReplaceAllString(line, ""))); !strings.Contains(plain, text) {
			t.Errorf("%q is missing", text)
		}
	}
}

// TestReports_AgreeInARun: while a run goes on, the live page and the terminal say the same of each objective, and the
// live page has the answer of the run so far.
func TestReports_AgreeInARun(t *testing.T) {
	iv := reporterstest.Interval(14) // split is in
	for _, c := range []struct {
		text           string
		verdict        scenarios.Verdict
		measured, left float64
	}{
		{"errors < 1%", scenarios.Fail, .025, -1.5},
		{"p95 < 200ms", scenarios.Pass, math.NaN(), .91},
		{"p95 < 100ms in split", scenarios.Pass, math.NaN(), .01},
		{"errors = 0%", scenarios.Fail, .5, math.Inf(-1)},
		{"recover < 4s after split", scenarios.Pending, math.NaN(), math.NaN()},
		{"rate > 100/s", scenarios.Pass, 299, math.NaN()},
	} {
		asked, err := slo.ParseObjective(c.text)
		if err != nil {
			t.Fatal(err)
		}
		phase := slo.Phase{Kind: slo.RunPhase}
		if strings.Contains(c.text, "split") {
			phase = slo.ParsePhase("split")
		}
		iv.Objectives = append(iv.Objectives, result.RunningVerdict{
			Asked: asked, Text: c.text, Phase: phase, Verdict: c.verdict, Measured: result.Num(c.measured),
			Left: result.Num(c.left),
		})
	}
	going := *reporterstest.Results()["failing"]
	going.Verdict, going.Going = scenarios.Running, &result.Going{At: iv.At, End: iv.End}
	var follower page.Follower
	follower.Add(iv)
	var live, tty strings.Builder
	if err := page.DrawLive(&live, &going, follower.Now()); err != nil {
		t.Fatal(err)
	}
	terminal.New(&tty, terminal.Options{TTY: true, Width: 200, Height: 40}).Observe(iv)
	shown := running(live.String())
	answer := words.AnswerOf(&going)
	if !strings.Contains(shown, answer.Sentence.String()) {
		t.Errorf("the live page lacks %q", answer.Sentence)
	}
	agreesWhy(t, answer, true, shown)
	for i := range iv.Objectives {
		o := &iv.Objectives[i]
		state := words.StateOf(*o, &iv)
		together(t, shown, words.Mark(o.Verdict)+" "+o.Text, state.String())
		columns := state.Columns()
		together(t, one(escapes.ReplaceAllString(tty.String(), " ")), o.Text, columns[:]...)
	}
}

// TestReports_Untested: where it is not certain whether a fault made answers slower, no report says that it did
// nothing.
func TestReports_Untested(t *testing.T) {
	none := regexp.MustCompile(`(?i)none seen|none of \S+ faults?|did no harm|no effect|no impact|within the limit during`)
	for _, impact := range []result.Impact{result.NotImpacted, result.UnknownYet} {
		r := reporterstest.Results()["minute"]
		r.Faults, r.Incidents = r.Faults[:1], nil
		f := &r.Faults[0]
		f.Impact, f.Note, f.Failed, f.OnsetAt, f.RecoveredAt = impact, "", 0, result.NaN, result.NaN
		f.Onset, f.Failover, f.Recover, f.Heal = result.NaN, result.NaN, result.NaN, result.NaN
		f.Parts = &result.ImpactParts{
			Requests: 800, First: result.NaN, Last: result.NaN, P50: .5, P95: .6, P50Before: .001, P95Before: .002,
			SlowerBecause: result.Notes{{Kind: result.SlowerOwn}},
		}
		for _, form := range []struct {
			name  string
			plain string
		}{
			{"page", plain(t, page.Page{}, r)},
			{"junit", plain(t, ci.JUnit{}, r)},
			{"github", strings.ReplaceAll(plain(t, ci.GitHub{}, r), `\`, "")},
			{"markdown", strings.ReplaceAll(plain(t, ci.Markdown{}, r), `\`, "")},
			{"terminal", plain(t, terminal.New(nil, terminal.Options{Width: terminal.Unwrapped, Verbose: true}), r)},
		} {
			t.Run(form.name+" of "+string(impact), func(t *testing.T) {
				if said := none.FindString(form.plain); said != "" {
					t.Errorf("it says %q", said)
				}
				if !strings.Contains(form.plain, "may have been slower: brunt itself was later than before the fault, which may explain all of it") {
					t.Error("it does not say what is not certain")
				}
			})
		}
	}
}

var (
	mark  = regexp.MustCompile(`^(- |[0-9]+\. )`) // before a line of an answer
	heads = regexp.MustCompile(`(?s)<(script|style|template)\b.*?</(script|style|template)>`)
	bolds = regexp.MustCompile(`</?(b|code)( [^>]*)?>`) // they stand within a sentence
	tags  = regexp.MustCompile(`</?[a-z][^>]*>`)
	// of a terminal
	escapes = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")
	space   = regexp.MustCompile(`[\s\x{a0}\x{202f}]+`)
)

// plain is a report as running text: without markup, except for the attributes of JUnit.
func plain(t *testing.T, rep reporters.Reporter, r *result.Result) string {
	text := reporterstest.Render(t, rep, r)
	if _, xml := rep.(ci.JUnit); !xml {
		return running(text)
	}
	return one(html.UnescapeString(text))
}

// running returns the text of a page or of Markdown without its markup.
func running(page string) string {
	text := heads.ReplaceAllString(reporterstest.WithoutTips(page), " ")
	return one(html.UnescapeString(tags.ReplaceAllString(bolds.ReplaceAllString(text, ""), " ")))
}

// one makes all white space single blanks.
func one(s string) string { return strings.TrimSpace(space.ReplaceAllString(s, " ")) }

// together checks that some occurrence of a name has all figures near it.
func together(t *testing.T, text, name string, figures ...string) {
	t.Helper()
	name = one(name)
	var least []string // of the best occurrence
	for at, from := 0, 0; ; from = at + 1 {
		next := strings.Index(text[from:], name)
		if next < 0 {
			break
		}
		at = from + next
		around := text[max(0, at-near/5):min(len(text), at+near)]
		var missing []string
		for _, f := range figures {
			if f = one(f); f != "" && !strings.Contains(around, f) {
				missing = append(missing, f)
			}
		}
		if len(missing) == 0 {
			return
		}
		if least == nil || len(missing) < len(least) {
			least = missing
		}
	}
	if least == nil {
		t.Errorf("%q is missing", name)
		return
	}
	t.Errorf("%q is shown without %q", name, least)
}
