package terminal

import (
	"fmt"
	"slices"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// A summary is the final table of a run under construction.
type summary struct {
	b       strings.Builder
	width   int
	colour  bool
	verbose bool
}

func (s *summary) line(spans ...span) {
	text, _ := render(spans, s.width, s.colour)
	s.b.WriteString(strings.TrimRight(text, " ") + "\n")
}

func (s *summary) gap() { s.b.WriteByte('\n') }

func (s *summary) head(text string) {
	s.gap()
	s.line(span{text, bold})
}

// text writes a paragraph, with first before its first line and rest before its other lines.
func (s *summary) text(first, rest, text string, st style) {
	for i, l := range words.Wrap(text, s.width-words.Width(rest)) {
		lead := rest
		if i == 0 {
			lead = first
		}
		s.line(span{lead, plain}, span{l, st})
	}
}

// result writes the whole summary. The answer is at its end, where the prompt is; the tables before it are for -v.
func (s *summary) result(r *result.Result) {
	a := words.AnswerOf(r)
	if s.verbose {
		s.tables(r)
	} else {
		if r.Imported != "" || r.Control {
			s.text("", "", s.about(r), dim)
		}
		s.answerRows(a)
		for i, died := range words.OwnDeaths(r) {
			if i == 0 {
				s.gap()
			}
			s.text("", "  ", died, plain)
		}
		if n := int64(len(r.Notes)); n > 0 {
			s.gap()
			s.line(span{words.Plural(n, "note: -v shows it", "notes: -v shows them"), dim})
		}
	}
	s.reasons(a)
	s.pools(r.Pools)
	for i, l := range r.AllLedgers() {
		if i == 0 {
			s.gap()
		}
		s.text("", "  ", syntax.Sentence("ledger: "+words.LedgerHeadline(l)), plain)
	}
	for i, c := range r.Consistency {
		if i == 0 && len(r.AllLedgers()) == 0 {
			s.gap()
		}
		s.text("", "  ", syntax.Sentence("consistency: "+words.ConsistencyHeadline(c)), plain)
	}
	for i, d := range r.Deliveries {
		if i == 0 && len(r.AllLedgers())+len(r.Consistency) == 0 {
			s.gap()
		}
		s.text("", "  ", syntax.Sentence("delivery "+words.DeliveryHeadline(d)), plain)
	}
	s.comparison(r.Comparison)
	s.gap()
	if a.Past != nil {
		s.text("", "  ", a.Past.Line(), dim)
	}
	if a.Trust != nil {
		s.text("", "  ", a.Trust.Line(), tones[a.Trust.Tone])
	}
	s.text("", "  ", a.Line(), bold)
	if h := words.Hypothesis(r); h != "" {
		s.text("", "  ", h, plain)
	}
	s.gap()
	verdict, code := a.Mark+" "+strings.ToUpper(words.RunVerdict(r)), ""
	if r.ExitCode != scenarios.ExitPass {
		code = fmt.Sprintf(" (exit code %d)", r.ExitCode)
	}
	name := words.Clip(a.Name, s.width-2-words.Width(verdict)-words.Width(code))
	s.line(span{verdict, tones[a.Tone]}, span{"  " + name, bold}, span{code, dim})
}

// tables writes the details of a run.
func (s *summary) tables(r *result.Result) {
	s.text("", "", s.about(r), dim)
	var said []string
	for _, m := range words.Meta(r) {
		said = append(said, m.Name+" "+m.Value)
	}
	if len(said) > 0 {
		s.text("", "", syntax.Sentence(strings.Join(said, "; ")), dim)
	}
	s.objectives(r.Objectives)
	s.timeline(r)
	s.faults(r.Faults)
	s.incidents(r)
	for i, l := range r.AllLedgers() {
		if i == 0 {
			s.head("Ledger")
		}
		s.ledger(l)
	}
	for i, c := range r.Consistency {
		if i == 0 {
			s.head("Consistency")
		}
		s.consistency(c)
	}
	for i, d := range r.Deliveries {
		if i == 0 {
			s.head("Deliveries")
		}
		s.delivery(d)
	}
	s.repeats(r.Repeats)
	s.latency(r)
	s.timings(r)
	s.traces(r.Traces)
	s.links(r)
	s.watches(r.Watches)
	s.errors(r)
	s.generator(r)
	s.workers(r)
	if len(r.Notes) > 0 {
		s.head("Notes")
		for _, n := range r.Notes {
			s.text("  - ", "    ", words.Clean(n), plain)
		}
	}
}

// watches writes the answers of the units over time to the questions under watch.
func (s *summary) watches(list []result.Watch) {
	last := ""
	for i := range list {
		w := &list[i]
		if w.Name != last {
			s.head("Watch " + words.Clean(w.Name))
			last = w.Name
		}
		s.text("  ", "    ", words.UnitStates(w), plain)
	}
}

func (s *summary) about(r *result.Result) string {
	text := fmt.Sprintf("Ran %s with seed %d; exit code %d.", words.Seconds(r.Duration), r.Seed, r.ExitCode)
	if r.Imported != "" {
		text = fmt.Sprintf("Imported from %s: %s of load; exit code %d.", words.Clean(r.Imported), words.Seconds(r.Duration),
			r.ExitCode)
	}
	if r.Control {
		text += " This is the control run: no fault was injected."
	}
	return text
}

func (s *summary) objectives(list []result.ObjectiveResult) {
	s.head("Objectives")
	if len(list) == 0 {
		s.line(span{"  none: no objective asks about anything, so the run has no verdict", dim})
		return
	}
	wide := 0
	for i := range list {
		wide = max(wide, words.Width(words.Verdict(list[i].Verdict)))
	}
	type row struct{ text, value, more string }
	var out []row
	text, value := 0, 0
	for i := range list {
		o := &list[i]
		v := row{text: words.ObjectiveTitle(o), value: words.ObjectiveMeasured(o)}
		if p := words.ObjectivePhase(o); p != "" {
			v.value += ", in " + p
		}
		if b := words.ObjectiveBounds(o); b != "" {
			v.value += " (" + b + ")"
		}
		v.more = words.ObjectiveNote(o)
		text, value = max(text, words.Width(v.text)), max(value, words.Width(v.value))
		out = append(out, v)
	}
	// the text gets the columns that the values leave; if both are long, each gets half
	room := s.width - wide - 8
	text = min(text, max(room-value, room/2))
	value = room - text
	for i, v := range out {
		o := &list[i]
		left, right := words.Wrap(v.text, text), words.Wrap(v.value, value)
		for j := range max(len(left), len(right)) {
			lead, st := strings.Repeat(" ", wide+2), plain
			if j == 0 {
				lead, st = words.Mark(o.Verdict)+" "+words.Pad(words.Verdict(o.Verdict), wide, false), tones[words.Tone(o.Verdict)]
			}
			s.line(span{"  ", plain}, span{lead, st},
				span{"  " + words.Pad(nth(left, j), text, false) + "  " + nth(right, j), plain})
		}
		if v.more != "" {
			indent := strings.Repeat(" ", wide+6)
			s.text(indent, indent, v.more, dim)
		}
	}
	if text := words.BoundsMeaning(list); text != "" {
		s.text("  ", "  ", text, dim)
	}
}

func nth(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// mostFaults is the largest number of faults with full descriptions; more faults get one row each.
const mostFaults = 12

func (s *summary) faults(list []result.FaultRecord) {
	if len(list) == 0 {
		return
	}
	s.head("Faults")
	if len(list) > mostFaults {
		s.faultRows(list)
		return
	}
	for i := range list {
		f := &list[i]
		mark, tone := words.FaultMark(f)
		s.line(span{"  " + mark + " ", tones[tone]}, span{words.Clean(f.Name), bold},
			span{"  " + words.Clip(words.FaultOutcome(f), 40), tones[tone]})
		what := words.FaultTarget(f)
		if t := words.FaultTraffic(f); t != "" {
			what += "; " + t
		}
		s.text("    ", "      ", what, plain)
		s.text("    ", "      ", words.FaultTimes(f), plain)
		seen := words.FaultEffect(f)
		if f.Impact == result.Impacted && f.Note == "" && !words.OnlySlower(f) {
			// the line above has the rest of it
			seen = strings.TrimSpace(syntax.Sentence(words.FaultCost(f)) + " " + words.FaultLatency(f))
		}
		s.text("    ", "      ", seen+" "+syntax.Sentence(words.FaultRevert(f)), plain)
		if e := words.FaultExpected(f); e != "" {
			s.text("    ", "      ", e, plain)
		}
		if w := words.FaultWait(f); w != "" {
			s.text("    ", "      ", w, plain)
		}
		if split := words.FaultSplit(f); split != "" {
			s.text("    ", "      ", "people: "+split, plain)
			if bar := words.SplitBar(f, 40); bar != "" {
				s.line(span{"      " + bar, plain})
			}
		}
		if n := words.FaultDetection(f); n != "" {
			s.text("    ", "      ", "monitoring: "+n, plain)
		}
		if a := words.FaultAlerts(f); a != "" {
			s.text("    ", "      ", "alerts: "+a, plain)
		}
		if of, h := words.FaultEvents(f); h != "" {
			s.text("    ", "      ", of+": "+h, plain)
		}
		for _, step := range words.FaultSteps(f) {
			s.text("    ", "      ", "step "+step.Name+": "+step.Value, dim)
		}
		if seen := words.FaultEvidence(f); seen != "" && len(f.Steps) == 0 {
			s.text("    ", "      ", "took effect: "+seen, dim)
		}
	}
}

// comparison writes the outcome of the comparison with earlier runs; the report has the rows.
func (s *summary) comparison(c *result.Comparison) {
	if c == nil {
		return
	}
	s.head("Against the baseline")
	s.text("  "+words.Mark(c.Verdict)+" ", "    ", words.Clean(c.Reason), tones[words.Tone(c.Verdict)])
	for _, m := range c.Mismatches {
		s.text("    ", "    ", words.Clean(m), plain)
	}
	if c.Caution != "" {
		s.text("    ", "    ", words.Clean(c.Caution), dim)
	}
}

// mostIncidents bounds the table of incidents.
const mostIncidents = 20

// incidents lists the incidents of the load.
func (s *summary) incidents(r *result.Result) {
	list := r.Incidents
	if len(list) == 0 {
		return
	}
	s.head("Incidents")
	for i := range list[:min(mostIncidents, len(list))] {
		n := words.Int(int64(i + 1))
		s.text("  "+n+" ", strings.Repeat(" ", len(n)+3), words.IncidentText(r, &list[i]), plain)
	}
	if left := len(list) - mostIncidents; left > 0 {
		s.text("  ", "  ", words.Plural(int64(left), "more incident is", "more incidents are")+" in the report.", dim)
	}
}

// repeats describes the effect of repeated faults.
func (s *summary) repeats(list []result.Repeat) {
	if len(list) == 0 {
		return
	}
	s.head("Repeated faults")
	for i := range list {
		r := &list[i]
		s.line(span{"  " + words.Clean(r.Fault), bold})
		s.text("    ", "      ", syntax.Sentence("it "+words.RepeatSummary(r)), plain)
		table := [][]string{{"", "of", "min", "median", "p95", "max"}}
		for _, f := range words.Spreads(r) {
			table = append(table, append([]string{"  " + f.Name}, words.SpreadRow(f.Spread)...))
		}
		s.table(table)
	}
}

// mostPools bounds the lines of pools.
const mostPools = 6

// pools says how often objectives on times after faults were met.
func (s *summary) pools(list []result.Pool) {
	for i := range list[:min(len(list), mostPools)] {
		if i == 0 {
			s.gap()
		}
		s.text("", "  ", words.PoolSentence(&list[i]), plain)
		if more := words.PoolOfRun(&list[i]); more != "" {
			s.text("  ", "  ", more, dim)
		}
	}
}

// faultRows writes one line per fault, if there are many.
func (s *summary) faultRows(list []result.FaultRecord) {
	table := [][]string{{"", "", "injected", "onset", "failover", "recover", "heal", "failed"}}
	for i := range list {
		f := &list[i]
		mark, _ := words.FaultMark(f)
		table = append(table, []string{
			mark + " " + words.Clean(f.Name), words.Clip(words.FaultOutcome(f), 19), words.Offset(f.Injected),
			words.Seconds(f.Onset), words.Seconds(f.Failover),
			words.Recover(f), words.Heal(f), words.Int(f.Failed),
		})
	}
	s.table(table)
}

// table writes rows under a head; the first column shrinks if there is little room.
func (s *summary) table(rows [][]string) {
	wide := make([]int, len(rows[0]))
	for _, row := range rows {
		for c, cell := range row {
			wide[c] = max(wide[c], words.Width(cell))
		}
	}
	rest := 2
	for _, w := range wide[1:] {
		rest += 2 + w
	}
	wide[0] = min(wide[0], max(8, s.width-rest))
	for i, row := range rows {
		var text strings.Builder
		text.WriteString("  " + words.Pad(words.Clip(row[0], wide[0]), wide[0], false))
		for c, cell := range row[1:] {
			text.WriteString("  " + words.Pad(cell, wide[c+1], true))
		}
		st := plain
		if i == 0 {
			st = dim
		}
		s.line(span{text.String(), st})
	}
}

// mostPhases bounds the rows of the latency table.
const mostPhases = 14

// mostSteps bounds the rows of steps in it.
const mostSteps = 12

func (s *summary) latency(r *result.Result) {
	list := words.PhaseTotals(r)
	if len(list) == 0 {
		return
	}
	s.head("Response times of good answers")
	heads := []string{"", "requests", "rate", "errors"}
	sheds := slices.ContainsFunc(list, func(p words.PhaseRow) bool { return p.Shed() > 0 })
	if sheds {
		heads = append(heads, "shed")
	}
	for _, c := range words.TimeColumns {
		heads = append(heads, c.Name)
	}
	table := [][]string{heads}
	failed := false
	add := func(name string, p *words.PhaseRow) {
		row := []string{name, words.Int(p.All.Count), words.Rate(p.All.Rate), words.Share(p.Bad, p.All.Count)}
		if sheds {
			row = append(row, words.Share(p.Shed(), p.All.Count))
		}
		for _, c := range words.TimeColumns {
			row = append(row, p.Good(c.Of)+p.LagMark(c.Name))
		}
		table, failed = append(table, row), failed || p.Bad > 0
	}
	for i := range list[:min(len(list), mostPhases)] {
		p := &list[i]
		phase := p.All.Phase
		name := words.Clean(phase.String())
		if phase.Kind == slo.RecoveryPhase && i > 0 && list[i-1].All.Phase == phase.Of(slo.FaultPhase) {
			name = "  recovery from it"
		}
		add(name, p)
		if phase.Kind != slo.RunPhase {
			continue
		}
		steps := words.StepRows(r, phase)
		for j := range steps[:min(len(steps), mostSteps)] {
			add("  "+steps[j].Step(len(r.Loads)), &steps[j])
		}
		if n := len(steps) - mostSteps; n > 0 {
			table = append(table, append([]string{"  and " + words.Plural(int64(n), "step", "steps") + " more"},
				make([]string, len(heads)-1)...))
		}
	}
	s.table(table)
	if n := len(list) - mostPhases; n > 0 {
		s.line(span{fmt.Sprintf("  and %s more: see the report", words.Plural(int64(n), "phase", "phases")), dim})
	}
	if foot := words.LagFoot(table); foot != "" {
		s.text("  ", "  ", foot, dim)
	}
	if failed {
		s.text("  ", "  ", "Failed requests are in the errors alone.", dim)
	}
}

// mostErrors bounds the kinds of errors listed.
const mostErrors = 5

// mostLines bounds the lines of a sample, of which the last has the remedy. longestSample bounds its columns.
const (
	mostLines     = 5
	longestSample = 1000
)

func (s *summary) errors(r *result.Result) {
	list := words.ErrorKinds(r)
	if len(list) == 0 {
		return
	}
	s.head("Errors")
	s.text("  ", "  ", words.ErrorSum(r), plain)
	for i, e := range list {
		if i == mostErrors {
			s.line(span{fmt.Sprintf("  and %s more: see the report", words.Plural(int64(len(list)-i), "kind", "kinds")), dim})
			break
		}
		text := words.Count(e.Count) + " x " + words.Clean(e.Kind)
		if e.Step != "" {
			text += ", " + words.Clean(e.Step)
		}
		if e.First.Known() {
			text += fmt.Sprintf(", from %s to %s", words.Offset(e.First), words.Offset(e.Last))
		}
		s.text("  ", "    ", text, plain)
		if sample := words.SampleText(e.Sample); sample != "" {
			lines := words.Wrap(words.Clip("such as "+sample, longestSample), s.width-4)
			if len(lines) > mostLines {
				lines = append(lines[:mostLines-1], words.Clip(lines[mostLines-1]+" "+lines[mostLines], s.width-4))
			}
			for _, l := range lines {
				s.line(span{"    " + l, dim})
			}
		}
	}
	if slices.ContainsFunc(list, func(e result.ErrorGroup) bool { return e.Sample != nil && e.Sample.Curl != "" }) {
		s.text("  ", "  ", "The report has a command for each that sends it again.", dim)
	}
}

func (s *summary) generator(r *result.Result) {
	text := words.Generator(r)
	if text == "" {
		return
	}
	s.head("Generator")
	st := plain
	if !r.Generator.Healthy {
		st = bad
	}
	s.text("  ", "  ", text, st)
	for _, l := range words.GeneratorLimits(r) {
		s.text("  - ", "    ", l, plain)
	}
}
