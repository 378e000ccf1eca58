package html

import (
	"fmt"
	"html/template"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// timingView is a step in the table of the phases of requests.
type timingView struct {
	Name, Requests, Mean string
	Cells                []string // one per phase in the head
	Bar                  template.HTML
}

// phaseName is a phase of requests in the head of the table.
type phaseName struct {
	Name string
	N    int // of its colour
}

// mostTimingRows bounds the table.
const mostTimingRows = 60

// timings shows the mean time of each phase of requests, over all requests of each step.
func (p *pageView) timings(r *result.Result) {
	list := words.StepTimings(r)
	if n := len(list) - mostTimingRows; n > 0 {
		list = list[:mostTimingRows]
		p.TimingsLeft = fmt.Sprintf(" %d more steps are in result.json.", n)
	}
	var has [scenarios.RequestPhases]bool
	for _, c := range list {
		for _, t := range words.TimingRows(c.Timings) {
			has[t.Phase] = true
		}
	}
	for i, is := range has {
		if is {
			p.TimingNames = append(p.TimingNames, phaseName{words.TimingNames[i], i})
		}
	}
	for _, c := range list {
		v := timingView{Name: words.TimedStep(c), Requests: words.Count(c.Count)}
		total := 0.0
		for i, is := range has {
			if !is {
				continue
			}
			t := *c.Timings.Of(scenarios.RequestPhase(i))
			if t == nil {
				v.Cells = append(v.Cells, "")
				continue
			}
			total += float64(t.Total)
			v.Cells = append(v.Cells, words.Seconds(t.Total/result.Num(c.Count)))
		}
		v.Mean, v.Bar = words.Seconds(result.Num(total/float64(c.Count))), timingBar(words.TimingRows(c.Timings))
		p.Timings = append(p.Timings, v)
	}
}

// timingBar draws the shares of the phases. The figures beside it say the same.
func timingBar(rows []words.TimingRow) template.HTML {
	var b strings.Builder
	b.WriteString(`<svg class="parts" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">`)
	at := 0.0
	for _, t := range rows {
		fmt.Fprintf(&b, `<rect class="t%d" x="%.2f" width="%.2f" height="10"/>`, t.Phase, 100*at, 100*t.Share)
		at += t.Share
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}
