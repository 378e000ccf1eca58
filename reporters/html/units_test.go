package html

import (
	"fmt"
	"strings"
	"testing"

	"brunt/reporters/chart"
	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"
)

// Every unit has a row, and units with events have their own lines.
func TestHTML_Units(t *testing.T) {
	p, err := newPage(reporterstest.Results()["faults"])
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Target) != 4 || len(p.Units) != 40 {
		t.Fatalf("%d panels, %d units", len(p.Target), len(p.Units))
	}
	for _, ch := range p.Target {
		if len(ch.Legend) != chart.PanelLines+1 || ch.Legend[0].Name != "posts[1]" ||
			ch.Legend[chart.PanelLines].Name != "most of 34 others" {
			t.Errorf("%s: %+v", ch.Title, ch.Legend)
		}
		if n := strings.Count(string(ch.Plot), `class="restart k0"`); n != 1 {
			t.Errorf("%s: %d restarts", ch.Title, n)
		}
	}
	last := p.Target[3].Table
	if len(last.Head) != 1+4*(chart.PanelLines+1) || len(last.Rows) > chart.FewRows {
		t.Errorf("%d columns, %d rows", len(last.Head), len(last.Rows))
	}
	p, err = newPage(reporterstest.Results()["minute"])
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, u := range p.Units {
		rows = append(rows, u.Name+" "+strings.Join(u.Cells[2:], " | "))
	}
	if len(rows) != 5 || !strings.HasSuffix(rows[3], " | 12 | 8 | 1 | 2 seconds") ||
		!strings.HasSuffix(rows[0], " | 12 | 8 | 0 | –") {
		t.Errorf("%s", strings.Join(rows, "\n"))
	}
	want := []unitEventView{
		{"15.01s", "posts[1]", "ended (signal: killed)"},
		{"16.2s", "posts[1]", "was started (pid 4)"},
		{"44.2s", "posts[0]", "ran out of memory: the kernel killed a process of it"},
	}
	if fmt.Sprint(p.Happenings) != fmt.Sprint(want) {
		t.Errorf("%v", p.Happenings)
	}
}

// The lines of a long run with many units keep their extremes in fewer columns, and the
// largest of a group at the pointer.
func TestHTML_UnitsOfAnHour(t *testing.T) {
	r := &result.Result{Duration: 3600}
	for i := range 3600 {
		r.Windows = append(r.Windows, result.Window{
			T: result.Num(i), D: 1, Load: "*", Step: "*", Offered: 1, OK: 1, Sent: 1, Answered: 1,
		})
	}
	bare := len(reporterstest.Render(t, Page{}, r))
	r.Usage = reporterstest.Usage(3600, reporterstest.Names(40)...)
	r.Usage[0].Seconds[1800].CPU, r.Usage[0].Seconds[1800].Memory = 7, 1<<30
	p, err := newPage(r)
	if err != nil {
		t.Fatal(err)
	}
	for i, hi := range []string{"8", "1.5 GiB"} {
		if ticks := p.Target[i].Y; ticks[len(ticks)-1].Label != hi {
			t.Errorf("%s: the scale is %v", p.Target[i].Title, ticks)
		}
	}
	paths, figures := 0, 0
	for _, ch := range p.Target {
		paths += len(ch.Plot)
	}
	for _, row := range p.Target[3].Table.Rows {
		figures += len(strings.Join(row, "<td></td>"))
	}
	if more := len(reporterstest.Render(t, Page{}, r)) - bare; more > 150_000 {
		t.Errorf("%d bytes of lines, %d of figures, %d more in all", paths, figures, more)
	} else {
		t.Logf("%d bytes of lines, %d of figures, %d more in all", paths, figures, more)
	}
}
