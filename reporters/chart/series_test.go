package chart

import (
	"fmt"
	"html/template"
	"strings"
	"testing"

	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"
)

func TestTrackedPanels(t *testing.T) {
	at := []float64{0, 5, 10}
	list := []namedSeries{
		{name: "queue", unit: "", source: "prometheus: sum(queue)", t: at, v: []float64{1, 2, 3}},
		{
			name: "heap", unit: "bytes", labels: map[string]string{"job": "posts", "instance": "a:1"}, t: at,
			v: []float64{1 << 20, 2 << 20, 3 << 20},
		},
		{
			name: "heap", unit: "bytes", labels: map[string]string{"job": "posts", "instance": "b:1"}, t: at,
			v:    []float64{1 << 20, 2 << 20, 3 << 20},
			note: "no answer at 5s",
		},
		{
			name: reporterstest.Hostile, unit: reporterstest.Hostile,
			labels: map[string]string{reporterstest.Hostile: reporterstest.Hostile},
			source: reporterstest.Hostile, note: reporterstest.Hostile, t: at, v: []float64{1, 2, 3},
		},
	}
	for i := range 9 {
		list = append(list, namedSeries{
			name: "wide", unit: "share", labels: map[string]string{"pod": fmt.Sprint("pod-", i)}, t: at,
			v: []float64{0, float64(i) / 10, 0},
		})
	}
	var got []string
	panels := SeriesPanels(list)
	for _, p := range panels[:2] {
		var s strings.Builder
		fmt.Fprint(&s, p.title, " ", p.unit, " ", p.about)
		for _, r := range p.readings {
			s.WriteString(" | " + r.name)
		}
		got = append(got, s.String())
	}
	want := "queue 2 prometheus: sum(queue). | queue\nheap 5 no answer at 5s. | a:1 | b:1"
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
	r := &result.Result{Duration: 10}
	for i := range 10 {
		r.Windows = append(r.Windows, result.Window{T: result.Num(i), D: 1, Load: "*", Step: "*", Offered: 1, OK: 1})
	}
	points, together := Points(r)
	c := NewPlotter(NewTimeline(r, points, Places{}), points, together)
	charts := c.Panels(panels)
	if len(charts) != 4 {
		t.Fatalf("%d charts", len(charts))
	}
	// as the page shows a chart: text is escaped, markup is not
	shown := template.Must(template.New("").Parse(`{{.Title}} {{.About}} {{.Label}} {{.Plot}} {{.Shades}} ` +
		`{{range .Legend}}{{.Name}} {{end}}{{range .Ends}}{{.Label}} {{end}}` +
		`{{range .Strips}}{{.Name}} {{.Plot}} {{end}}{{with .Table}}{{range .Head}}{{.}} {{end}}{{end}}`))
	var page strings.Builder
	for _, ch := range charts {
		if err := shown.Execute(&page, ch); err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range []string{"<script>", "</textarea>", "\x1b", "\u202e"} {
		if strings.Contains(page.String(), bad) {
			t.Errorf("%q came through", bad)
		}
	}
	wide := charts[3]
	if len(wide.Legend) != PanelLines+1 || wide.Legend[0].Name != "pod-8" ||
		wide.Legend[PanelLines].Name != "most of 3 others" || wide.Table == nil {
		t.Errorf("%+v", wide.Legend)
	}
	if charts[1].Label != "a:1 from 1 MiB to 3 MiB; b:1 from 1 MiB to 3 MiB" {
		t.Errorf("%s", charts[1].Label)
	}
}
