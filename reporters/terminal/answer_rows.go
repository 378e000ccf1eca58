package terminal

import (
	"fmt"
	"slices"

	"brunt/reporters/words"
)

// mostAnswerRows bounds the objectives, and the faults, that have a row each without -v.
const mostAnswerRows = 12

// answerRows writes a row for each objective and each fault.
func (s *summary) answerRows(a *words.Answer) {
	s.line(span{a.ObjectivesTitle, bold})
	list := a.Objectives[:min(len(a.Objectives), mostAnswerRows)]
	title, value, margin := 0, 0, 0
	for i := range list {
		title, value = max(title, words.Width(list[i].Title)), max(value, words.Width(list[i].Value))
		margin = max(margin, words.Width(list[i].Margin.Text))
	}
	title = max(20, min(title, s.width-value-margin-8))
	for i := range list {
		o := &list[i]
		for j, part := range words.Wrap(o.Title, title) {
			if j > 0 {
				s.line(span{"    " + part, plain})
				continue
			}
			row := []span{
				{"  " + o.Mark + " ", tones[o.Tone]},
				{words.Pad(part, title, false) + "  ", plain},
				{words.Pad(o.Value, value, true), plain},
			}
			if o.Margin.Text != "" {
				row = append(row, span{"  ", plain}, span{o.Margin.Text, tones[o.Tone]})
			}
			s.line(row...)
		}
		if o.Margin.Kind == words.MarginOpen && o.Note != "" {
			s.text("    ", "    ", o.Note, dim)
		}
	}
	s.rest(len(a.Objectives) - len(list))
	if len(a.Faults) == 0 {
		return
	}
	s.head(a.FaultsTitle)
	faults := slices.Clone(a.Faults)
	if len(faults) > mostAnswerRows {
		slices.SortStableFunc(faults, func(a, b words.FaultLine) int { return toneRank[a.Tone] - toneRank[b.Tone] })
		faults = faults[:mostAnswerRows]
	}
	for i := range faults {
		f := &faults[i]
		for j, l := range words.Wrap(f.Line(), s.width-4) {
			lead := span{"    ", plain}
			if j == 0 {
				lead = span{"  " + f.Mark + " ", tones[f.Tone]}
			}
			s.line(lead, span{l, plain})
		}
		for _, l := range f.People {
			s.text("    ", "      ", l, plain)
		}
	}
	s.rest(len(a.Faults) - len(faults))
	if a.FaultsNote != "" {
		s.text("  ", "  ", a.FaultsNote, dim)
	}
}

// toneRank orders rows of which only some are shown: the bad ones first.
var toneRank = map[string]int{"bad": 0, "unsure": 1, "good": 2}

// rest counts the rows that are left out.
func (s *summary) rest(n int) {
	if n > 0 {
		s.line(span{fmt.Sprintf("  and %d more: -v shows them", n), dim})
	}
}

// reasons writes why a run has its verdict, and what to change.
func (s *summary) reasons(a *words.Answer) {
	if a.WhyTitle != "" {
		s.head(a.WhyTitle)
	}
	for _, p := range a.Why {
		s.text("  - ", "    ", p.String(), plain)
	}
	if a.ChangeTitle != "" {
		s.head(a.ChangeTitle)
	}
	for i := range a.Change {
		c := &a.Change[i]
		s.text(fmt.Sprintf("  %d. ", i+1), "     ", c.Text.String(), plain)
		if c.Command != "" {
			s.b.WriteString("     " + c.Command + "\n") // unwrapped, so that it can be copied
		}
	}
	if len(a.Keep) > 0 {
		s.text("  - ", "    ", a.Keep.String(), plain)
	}
}
