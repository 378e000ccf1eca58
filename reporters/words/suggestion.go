package words

import (
	"fmt"
	"strings"

	"brunt/scenarios/quantity"
	"brunt/scenarios/result/search"
	"brunt/scenarios/syntax"
)

// suggestionHead says what proposals rest on, in sentences.
func suggestionHead(s *search.Suggestion) (out []string) {
	share := quantity.FormatShareBriefly
	sample := syntax.Amount(len(s.Runs), "run")
	if s.Parts > 0 {
		out = append(out, fmt.Sprintf("Proposed by brunt from %d parts of one run of %q. Each part counts as a run. "+
			"How another start of the same build differs is not known: several runs show that, and give objectives "+
			"on steps and memory.", s.Parts, Clean(s.Name)))
	} else {
		out = append(out, fmt.Sprintf("Proposed by brunt from %s of %q.", sample, Clean(s.Name)))
	}
	out = append(out, fmt.Sprintf("Behind each objective stands the share of its runs that an unchanged build fails "+
		"at most, with %s confidence. It assumes that the logarithms of times, rates and sizes are normally "+
		"distributed, and that requests fail independently of each other.", share(s.Confidence)))
	sum, known := 0., true
	for _, o := range s.Objectives {
		sum, known = sum+float64(o.Bound), known && o.Bound.Known()
	}
	if known && len(s.Objectives) > 1 {
		out = append(out, fmt.Sprintf("One or more of the %d objectives fail in at most %s of runs.", len(s.Objectives),
			share(min(1, sum))))
	}
	free := fmt.Sprintf("Without these assumptions each objective fails in at most %s of runs, as %s it",
		share(float64(s.Any)), met(len(s.Runs)))
	if float64(s.Any) > s.Rate {
		free += fmt.Sprintf("; %d runs would show %s", s.Enough, share(s.Rate))
	}
	return append(out, free+".")
}

// met says that all of n runs meet an objective.
func met(n int) string {
	if n == 1 {
		return "one run meets"
	}
	return fmt.Sprintf("all %d runs meet", n)
}

// suggestedNote says which values a baseline had, and the bound of an objective.
func suggestedNote(o *search.Suggested) string {
	format := quantity.FormatSeconds
	switch o.Unit {
	case "share":
		format = quantity.FormatShareBriefly
	case "bytes":
		format = func(f float64) string { return Bytes(int64(f)) }
	case "per second":
		format = func(f float64) string { return quantity.Figures(f) + "/s" }
	}
	low, high := format(float64(o.Low)), format(float64(o.High))
	seen := low + " to " + high
	if low == high {
		seen = low
	}
	if !o.Bound.Known() {
		return seen + " in the baseline, always the same, so that no share is known"
	}
	return fmt.Sprintf("%s; an unchanged build fails in at most %s", seen,
		quantity.FormatShareBriefly(float64(o.Bound)))
}

// LeftOutSentence says why a figure has no proposal.
func LeftOutSentence(l *search.LeftOut) string {
	runs := "runs"
	if l.Runs > 0 {
		runs = Plural(int64(l.Runs), "run or part", "runs or parts")
	}
	why := map[search.LackWhy]string{
		search.LacksValue:  "too few requests in " + runs + "; a longer baseline has more",
		search.LacksFinite: "more requests failed than the percentile excludes, in " + runs,
		search.LacksCalm:   "it is of the whole run, and these runs had faults; --no-chaos runs without",
		search.LacksName:   "no objective can name the step; give it another name",
		search.LacksLimit: "runs scatter so much that the limit would be over the timeout of the load; a quiet machine " +
			"or more runs give a closer one",
		search.LacksMeaning:  "no limit below 100% is failed as rarely; more requests would give one",
		search.LacksPositive: "it was zero in " + runs,
	}[l.Why]
	return Clean(l.Text) + ": " + why
}

// SuggestionYAML writes proposals as the key `slo` of a scenario, with comments of at most a width.
func SuggestionYAML(s *search.Suggestion, width int) string {
	var b strings.Builder
	comment := func(indent, text string) {
		for _, line := range Wrap(text, width-len(indent)-2) {
			b.WriteString(strings.TrimRight(indent+"# "+line, " ") + "\n")
		}
	}
	for _, line := range suggestionHead(s) {
		comment("", line)
	}
	b.WriteString("slo:\n")
	for i := range s.Objectives {
		o := &s.Objectives[i]
		text := o.Text
		if strings.Contains(text, ": ") || strings.Contains(text, " #") {
			text = "'" + strings.ReplaceAll(text, "'", "''") + "'"
		}
		comment("  ", suggestedNote(o))
		b.WriteString("  - " + text + "\n")
	}
	for i := range s.Left {
		if i == 0 {
			comment("", "Not proposed:")
		}
		comment("", "- "+LeftOutSentence(&s.Left[i]))
	}
	return b.String()
}
