package reporters

import (
	"fmt"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// sheet is the final table of a terminal under construction.
type sheet struct {
	b      strings.Builder
	width  int
	colour bool
}

func (s *sheet) line(spans ...span) {
	text, _ := render(spans, s.width, s.colour)
	s.b.WriteString(strings.TrimRight(text, " ") + "\n")
}

func (s *sheet) gap() { s.b.WriteByte('\n') }

func (s *sheet) head(text string) {
	s.gap()
	s.line(span{text, bold})
}

// text writes a paragraph: its first line after first, the others after rest.
func (s *sheet) text(first, rest, text string, st style) {
	for i, l := range wrap(text, s.width-textWidth(rest)) {
		lead := rest
		if i == 0 {
			lead = first
		}
		s.line(span{lead, plain}, span{l, st})
	}
}

// result writes all of it, the verdict first.
func (s *sheet) result(r *result.Result) {
	s.line(span{mark(r.Verdict) + " " + strings.ToUpper(word(r.Verdict)), tones[tone(r.Verdict)]}, span{"  " + clean(r.Name), bold})
	s.text("  ", "  ", clean(r.Reason), plain)
	s.text("  ", "  ", s.about(r), dim)
	var said []string
	for _, m := range metaOf(r) {
		said = append(said, m.Name+" "+m.Value)
	}
	if len(said) > 0 {
		s.text("  ", "  ", scenarios.Sentence(strings.Join(said, "; ")), dim)
	}
	s.objectives(r.Objectives)
	s.faults(r.Faults)
	s.ledger(r.Ledger)
	s.repeats(r.Repeats)
	s.latency(r)
	s.errors(r)
	if r.Imported == "" || !r.Generator.Healthy {
		s.generator(&r.Generator)
	}
	s.comparison(r.Comparison)
	if len(r.Notes) > 0 {
		s.head("Notes")
		for _, n := range r.Notes {
			s.text("  - ", "    ", clean(n), plain)
		}
	}
}

func (s *sheet) about(r *result.Result) string {
	text := fmt.Sprintf("Ran %s with seed %d; exit code %d.", seconds(r.Duration), r.Seed, r.ExitCode)
	if r.Imported != "" {
		text = fmt.Sprintf("Imported from %s: %s of load; exit code %d.", clean(r.Imported), seconds(r.Duration), r.ExitCode)
	}
	if r.Control {
		text += " This is the control run: no fault was injected."
	}
	return text
}

func (s *sheet) objectives(list []result.ObjectiveResult) {
	s.head("Objectives")
	if len(list) == 0 {
		s.line(span{"  none: nothing was promised, so nothing could fail", dim})
		return
	}
	wide := 0
	for i := range list {
		wide = max(wide, textWidth(word(list[i].Verdict)))
	}
	type row struct{ text, value, more string }
	var out []row
	text, value := 0, 0
	for i := range list {
		o := &list[i]
		v := row{text: title(o), value: measured(o)}
		if in := interval(o); in != "" {
			v.value += " (" + in + ")"
		}
		if p := phaseBeside(o); p != "" {
			v.value += ", in " + p
		}
		v.more = remark(o)
		text, value = max(text, textWidth(v.text)), max(value, textWidth(v.value))
		out = append(out, v)
	}
	// the text gets what the measured values leave; where both are long, half
	room := s.width - wide - 8
	text = min(text, max(room-value, room/2))
	value = room - text
	for i, v := range out {
		o := &list[i]
		left, right := wrap(v.text, text), wrap(v.value, value)
		for j := range max(len(left), len(right)) {
			lead, st := strings.Repeat(" ", wide+2), plain
			if j == 0 {
				lead, st = mark(o.Verdict)+" "+pad(word(o.Verdict), wide, false), tones[tone(o.Verdict)]
			}
			s.line(span{"  ", plain}, span{lead, st}, span{"  " + pad(nth(left, j), text, false) + "  " + nth(right, j), plain})
		}
		if v.more != "" {
			indent := strings.Repeat(" ", wide+6)
			s.text(indent, indent, v.more, dim)
		}
	}
}

func nth(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// mostFaults is how many faults are told in full; more become a row each.
const mostFaults = 12

func (s *sheet) faults(list []result.FaultRecord) {
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
		v := faultVerdict(f)
		s.line(span{"  " + mark(v) + " ", tones[tone(v)]}, span{clean(f.Name), bold}, span{"  " + clip(impactWord(f), 40), tones[tone(v)]})
		what := hit(f)
		if t := traffic(f); t != "" {
			what += "; " + t
		}
		s.text("    ", "      ", what, plain)
		times := fmt.Sprintf("injected %s, cleared %s, onset %s, failover %s, recover %s, heal %s", offset(f.Injected), offset(f.Cleared),
			seconds(f.Onset), seconds(f.Failover), seconds(f.Recover), seconds(f.Heal))
		if f.Impact == result.Impacted && f.Resolution.Known() && f.Resolution > 0 {
			times += " (±" + seconds(f.Resolution) + ")"
		}
		s.text("    ", "      ", times, plain)
		seen := effect(f)
		if f.Impact == result.Impacted && f.Note == "" {
			seen = scenarios.Sentence(harm(f)) // the line above says the rest
		}
		s.text("    ", "      ", seen+" "+scenarios.Sentence(took(f)), plain)
		if n := noticed(f); n != "" {
			s.text("    ", "      ", "monitoring: "+n, plain)
		}
		if a := alerted(f); a != "" {
			s.text("    ", "      ", "alerts: "+a, plain)
		}
		if h := happened(f); h != "" {
			s.text("    ", "      ", "containers: "+h, plain)
		}
		if f.Evidence != "" {
			s.text("    ", "      ", "seen: "+clean(f.Evidence), dim)
		}
	}
}

// comparison tells how the run stands to earlier ones; the report has the rows.
func (s *sheet) comparison(c *result.Comparison) {
	if c == nil {
		return
	}
	s.head("Against the baseline")
	s.text("  "+mark(c.Verdict)+" ", "    ", clean(c.Reason), tones[tone(c.Verdict)])
	for _, m := range c.Mismatches {
		s.text("    ", "    ", clean(m), plain)
	}
	if c.Caution != "" {
		s.text("    ", "    ", clean(c.Caution), dim)
	}
}

// repeats tells what faults did that came several times.
func (s *sheet) repeats(list []result.Repeat) {
	if len(list) == 0 {
		return
	}
	s.head("Repeated faults")
	for i := range list {
		r := &list[i]
		s.line(span{"  " + clean(r.Fault), bold})
		s.text("    ", "      ", scenarios.Sentence("it "+repeated(r)), plain)
		table := [][]string{{"", "of", "min", "median", "p95", "max"}}
		for _, f := range spreads(r) {
			table = append(table, append([]string{"  " + f.name}, spreadCells(f.spread)...))
		}
		s.table(table)
	}
}

// faultRows is a line a fault, where there are many.
func (s *sheet) faultRows(list []result.FaultRecord) {
	table := [][]string{{"", "", "injected", "onset", "failover", "recover", "heal", "failed"}}
	for i := range list {
		f := &list[i]
		table = append(table, []string{
			mark(faultVerdict(f)) + " " + clean(f.Name), clip(impactWord(f), 14), offset(f.Injected), seconds(f.Onset), seconds(f.Failover),
			seconds(f.Recover), seconds(f.Heal), itoa64(f.Failed),
		})
	}
	s.table(table)
}

// table writes rows under a head; the first column gives way where room is short.
func (s *sheet) table(rows [][]string) {
	wide := make([]int, len(rows[0]))
	for _, row := range rows {
		for c, cell := range row {
			wide[c] = max(wide[c], textWidth(cell))
		}
	}
	rest := 2
	for _, w := range wide[1:] {
		rest += 2 + w
	}
	wide[0] = min(wide[0], max(8, s.width-rest))
	for i, row := range rows {
		var text strings.Builder
		text.WriteString("  " + pad(clip(row[0], wide[0]), wide[0], false))
		for c, cell := range row[1:] {
			text.WriteString("  " + pad(cell, wide[c+1], true))
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

func (s *sheet) latency(r *result.Result) {
	list := totals(r)
	if len(list) == 0 {
		return
	}
	s.head("Response times")
	table := [][]string{{"", "requests", "rate", "errors", "p50", "p95", "p99", "max"}}
	infinite := false
	for i := range list {
		p := &list[i]
		if i == mostPhases {
			break
		}
		row := []string{clean(p.all.Phase), itoa64(p.all.Count), rate(p.all.Rate), share(p.bad, p.all.Count)}
		for _, n := range []result.Num{p.all.Response.P50, p.all.Response.P95, p.all.Response.P99, p.all.Response.Max} {
			cell := seconds(n)
			if failed(n, p.population()) {
				cell, infinite = "∞", true
			}
			row = append(row, cell)
		}
		table = append(table, row)
	}
	s.table(table)
	if n := len(list) - mostPhases; n > 0 {
		s.line(span{fmt.Sprintf("  and %s more: see the report", plural(int64(n), "phase", "phases")), dim})
	}
	if infinite {
		s.text("  ", "  ", "∞: more requests failed than this percentile allows; a failed request counts as slower than any answer.", dim)
	}
}

// mostErrors bounds the kinds of errors listed.
const mostErrors = 5

// mostLines bounds a sample: what there is to do about it stands at its end.
const mostLines = 5

func (s *sheet) errors(r *result.Result) {
	list := causes(r)
	if len(list) == 0 {
		return
	}
	s.head("Errors")
	for i, e := range list {
		if i == mostErrors {
			s.line(span{fmt.Sprintf("  and %s more: see the report", plural(int64(len(list)-i), "kind", "kinds")), dim})
			break
		}
		text := fmt.Sprintf("%d x %s", e.Count, clean(e.Kind))
		if e.Step != "" {
			text += ", " + clean(e.Step)
		}
		s.text("  ", "    ", text+fmt.Sprintf(", from %s to %s", offset(e.First), offset(e.Last)), plain)
		if sample := sampleText(e.Sample); sample != "" {
			lines := wrap("such as "+sample, s.width-4)
			if len(lines) > mostLines {
				lines = append(lines[:mostLines-1], clip(lines[mostLines-1]+" "+lines[mostLines], s.width-4))
			}
			for _, l := range lines {
				s.line(span{"    " + l, dim})
			}
		}
	}
	if slices.ContainsFunc(list, func(e result.ErrorGroup) bool { return e.Sample != nil && e.Sample.Curl != "" }) {
		s.text("  ", "  ", "The report has a curl command for each that sends it again.", dim)
	}
}

func (s *sheet) generator(g *result.Generator) {
	if g.Offered == 0 && len(g.Limits) == 0 {
		return // the load never began
	}
	s.head("Generator")
	st, text := plain, "healthy"
	if !g.Healthy {
		st, text = bad, "NOT healthy, so the figures above are not to be trusted"
	}
	text += fmt.Sprintf(": lag p99 %s", seconds(g.Lag.P99))
	if g.LagLimit.Known() && g.LagLimit > 0 {
		text += " (at most " + seconds(g.LagLimit) + ")"
	}
	text += fmt.Sprintf(", %d offered, %d sent, at most %d in flight", g.Offered, g.Sent, g.InFlightMax)
	if g.Queue.P99 > .001 {
		text += ", queue p99 " + seconds(g.Queue.P99)
	}
	if g.CPU.Known() {
		text += ", " + number(float64(g.CPU)) + " cores"
	}
	if g.Memory > 0 {
		text += ", " + bytesOf(g.Memory)
	}
	if g.Pacing != "" {
		text += ", pacing " + clean(g.Pacing)
	}
	s.text("  ", "  ", text+".", st)
	limits := slices.Clone(g.Limits)
	if g.ClockSteps > 0 {
		limits = append(limits, plural(int64(g.ClockSteps), "step", "steps")+" of the wall clock")
	}
	if g.Steal.Known() && g.Steal > 0.01 {
		limits = append(limits, "the hypervisor took "+percent(float64(g.Steal))+" of the CPU time")
	}
	for _, l := range limits {
		s.text("  - ", "    ", clean(l), plain)
	}
}
