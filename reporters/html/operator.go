package html

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A splitView shows how the time of a fault divides among people and the machine.
type splitView struct {
	Text   string
	Bar    template.HTML // empty if too few marks are known
	Legend []splitLegend
}

// A splitLegend is an entry of the legend of a bar.
type splitLegend struct {
	Class, Text string
}

// splitOf shows the split of a fault; nil if the fault has no record of people.
func splitOf(f *result.FaultRecord) *splitView {
	text := words.FaultSplit(f)
	if text == "" {
		return nil
	}
	v := &splitView{Text: words.Capitalize(text) + "."}
	list := f.Stretches()
	if list == nil {
		return v
	}
	var b strings.Builder
	b.WriteString(`<svg class="split" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">`)
	total, at := float64(f.Operator.Split.Total), 0.0
	for _, p := range list {
		class, share := fmt.Sprintf("d%d", words.SplitShade(p.Name)), 1.0
		if total > 0 {
			share = float64(p.Took) / total
		}
		fmt.Fprintf(&b, `<rect class="%s" x="%.1f" width="%.1f" height="10"/>`, class, 1000*at, max(2, 1000*share))
		at += share
		v.Legend = append(v.Legend, splitLegend{class, p.Name + " " + words.Seconds(p.Took)})
	}
	b.WriteString(`</svg>`)
	v.Bar = template.HTML(b.String())
	return v
}

// A minuteView is a minute of the narration.
type minuteView struct {
	Span, Load string
	Happenings []string
}

func minutes(r *result.Result) (out []minuteView) {
	list := r.Minutes()
	for i := range list {
		m := &list[i]
		out = append(out, minuteView{words.MinuteSpan(m), words.MinuteLoad(m), words.Happenings(m)})
	}
	return out
}

// A DeskRow is a fault that people at the live page can continue or mark.
type DeskRow struct {
	Name    string       `json:"name"`
	State   string       `json:"state"`
	Tone    string       `json:"tone"`
	Buttons []DeskButton `json:"buttons"`
}

// A DeskButton gives a mark to a fault.
type DeskButton struct {
	Mark string `json:"mark"`
	Text string `json:"text"`
	Done bool   `json:"done"` // the fault has the mark
}

// forPeople reports whether a run expects people to act, or they did: a fault waits for an operator, a fault has a
// mark, or an objective asks about marks.
func forPeople(iv *result.Interval) bool {
	return len(iv.Waiting) > 0 ||
		slices.ContainsFunc(iv.Marked, func(m result.MarkedFault) bool { return len(m.Marks) > 0 }) ||
		slices.ContainsFunc(iv.Objectives, func(o result.RunningVerdict) bool {
			return o.Asked.Metric.Text != "" && o.Asked.Metric.Row().Needs == slo.NeedsMark
		})
}

// desk lists the faults that wait for an operator, and in a game day those that people can mark: that are in or
// recovering, or that were injected last.
func (f *Follower) desk() []DeskRow {
	out := []DeskRow{}
	iv := &f.last
	for _, w := range iv.Waiting {
		out = append(out, DeskRow{
			Name: words.Clean(w.Name), State: words.WaitingState(w, iv.At), Tone: "unsure",
			Buttons: []DeskButton{{Mark: string(result.Continued), Text: words.MarkLabel(result.Continued)}},
		})
	}
	for i := range iv.Marked {
		if !f.people {
			break
		}
		m := &iv.Marked[i]
		row := DeskRow{Name: words.Clean(m.Name), State: "is in", Tone: "chaos"}
		switch {
		case !m.In && f.wrong != nil:
			row.State, row.Tone = "is over; requests still fail since "+clockNear(f.wrong.since), "bad"
		case !m.In:
			row.State, row.Tone = "is over", "good"
		case f.wrong != nil:
			row.State += "; requests fail since " + clockNear(f.wrong.since)
		}
		for _, k := range result.MarkKinds() {
			row.Buttons = append(row.Buttons, DeskButton{string(k), words.MarkLabel(k), m.Has(k)})
		}
		out = append(out, row)
	}
	return out
}
