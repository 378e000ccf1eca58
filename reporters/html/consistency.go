package html

import (
	"brunt/reporters/chart"
	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// consistencyView is what the page says about registers.
type consistencyView struct {
	Mark, Word, Tone string
	Text             string
	Kinds            *chart.Table
	Stale            *chart.Staleness
	Witnesses        []chart.Watched
	More             []chart.Watched // the folded ones
}

// consistency adds the findings on registers. The first witness of each kind is not folded.
func (p *pageView) consistency(all []*result.ConsistencyRecord, t *chart.Timeline) {
	for _, c := range all {
		v := words.ConsistencyVerdict(c)
		view := &consistencyView{
			Mark: words.Mark(v), Word: words.ConsistencyHeadline(c), Tone: words.Tone(v),
			Text: words.ConsistencyText(c), Stale: t.Staleness(c),
		}
		if len(c.Kinds) > 0 {
			view.Kinds = &chart.Table{Title: "Anomalies", Head: words.AnomalyHead}
			for i := range c.Kinds {
				view.Kinds.Rows = append(view.Kinds.Rows, words.AnomalyRow(&c.Kinds[i]))
			}
		}
		kind := ""
		for i := range c.Witnesses {
			drawn := t.Witnessed(&c.Witnesses[i])
			if c.Witnesses[i].Kind == kind {
				view.More = append(view.More, drawn)
				continue
			}
			kind = c.Witnesses[i].Kind
			view.Witnesses = append(view.Witnesses, drawn)
		}
		p.Consistency = append(p.Consistency, view)
	}
}

// statesView is a figure of strips on the page's axis.
type statesView struct {
	chart.Watched
	Page *pageView
}

func statesOf(p *pageView, w chart.Watched) statesView { return statesView{w, p} }
