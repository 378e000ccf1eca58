package reporters

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"brunt/scenarios/result"
)

// Every unit is told of, and those that something happened to have lines of their own.
func TestHTML_Units(t *testing.T) {
	p, err := newPage(fixtures()["faults"])
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Target) != 4 || len(p.Units) != 40 {
		t.Fatalf("%d panels, %d units", len(p.Target), len(p.Units))
	}
	for _, ch := range p.Target {
		if len(ch.Legend) != panelLines+1 || ch.Legend[0].Name != "posts[1]" || ch.Legend[panelLines].Name != "most of 34 others" {
			t.Errorf("%s: %+v", ch.Title, ch.Legend)
		}
		if n := strings.Count(string(ch.Plot), `class="restart k0"`); n != 1 {
			t.Errorf("%s: %d restarts", ch.Title, n)
		}
	}
	last := p.Target[3].Table
	if len(last.Head) != 1+4*(panelLines+1) || len(last.Rows) > fewRows {
		t.Errorf("%d columns, %d rows", len(last.Head), len(last.Rows))
	}
	p, err = newPage(fixtures()["minute"])
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, u := range p.Units {
		rows = append(rows, u.Name+" "+strings.Join(u.Cells[2:], " | "))
	}
	if len(rows) != 5 || !strings.HasSuffix(rows[3], " | 12 | 8 | 1 | 2 seconds") || !strings.HasSuffix(rows[0], " | 12 | 8 | 0 | –") {
		t.Errorf("%s", strings.Join(rows, "\n"))
	}
	want := []happeningView{
		{"15.01s", "posts[1]", "ended (signal: killed)"},
		{"16.2s", "posts[1]", "was started (pid 4)"},
		{"44.2s", "posts[0]", "ran out of memory: the kernel killed a process of it"},
	}
	if fmt.Sprint(p.Happenings) != fmt.Sprint(want) {
		t.Errorf("%v", p.Happenings)
	}
}

// A reading belongs to the window that it was taken in, one between two readings takes
// the nearer, and where nothing was read nothing is shown.
func TestTaken(t *testing.T) {
	c := &charts{}
	for i := range 10 {
		c.points = append(c.points, point{t: float64(i), d: 1})
	}
	no := math.NaN()
	for _, tt := range []struct {
		name string
		r    reading
		want []float64
	}{
		{"each second", reading{t: []float64{0.1, 1.1, 2.1, 3.1}, v: []float64{1, 2, 3, 4}}, []float64{1, 2, 3, 4, no, no, no, no, no, no}},
		{"the largest of several", reading{t: []float64{0.1, 0.5, 0.9, 1.3}, v: []float64{1, 7, 3, 4}}, []float64{7, 4, no, no, no, no, no, no, no, no}},
		{"every 5 s", reading{t: []float64{0, 5, 10}, v: []float64{1, 2, 3}}, []float64{1, 1, 1, 2, 2, 2, 2, 2, 3, 3}},
		{"not running", reading{t: []float64{0.1, 1.1, 2.1}, v: []float64{1, no, 3}}, []float64{1, no, 3, no, no, no, no, no, no, no}},
		{"a window that a fault cut", reading{t: []float64{0.9, 1.9, 2.9}, v: []float64{1, 2, 3}}, []float64{1, 2, 3, no, no, no, no, no, no, no}},
		{"none", reading{}, []float64{no, no, no, no, no, no, no, no, no, no}},
	} {
		if got := c.taken(tt.r); fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Lines of a long run with many units keep their extremes in fewer columns, and the
// largest of a group at the pointer.
func TestHTML_UnitsOfAnHour(t *testing.T) {
	r := &result.Result{Duration: 3600}
	for i := range 3600 {
		r.Windows = append(r.Windows, result.Window{T: result.Num(i), D: 1, Load: "*", Step: "*", Offered: 1, OK: 1, Sent: 1, Answered: 1})
	}
	bare := len(report(t, HTML{}, r))
	r.Usage = usage(3600, names(40)...)
	r.Usage[0].Seconds[1800].CPU, r.Usage[0].Seconds[1800].Memory = 7, 1<<30
	p, err := newPage(r)
	if err != nil {
		t.Fatal(err)
	}
	for i, hi := range []float64{8, 1.5 * (1 << 30)} {
		if p.Target[i].Scale != fmt.Sprintf("0 %g false", hi) {
			t.Errorf("%s: the scale is %s", p.Target[i].Title, p.Target[i].Scale)
		}
	}
	paths, figures := 0, 0
	for _, ch := range p.Target {
		paths += len(ch.Plot)
	}
	for _, row := range p.Target[3].Table.Rows {
		figures += len(strings.Join(row, "<td></td>"))
	}
	if more := len(report(t, HTML{}, r)) - bare; more > 150_000 {
		t.Errorf("%d bytes of lines, %d of figures, %d more in all", paths, figures, more)
	} else {
		t.Logf("%d bytes of lines, %d of figures, %d more in all", paths, figures, more)
	}
}

func TestBinary(t *testing.T) {
	for _, tt := range []struct {
		most float64
		want string
	}{
		{70 << 20, "[0 B 20 MiB 40 MiB 60 MiB 80 MiB]"},
		{700, "[0 B 200 B 400 B 600 B 800 B]"},
		{1.3 * (1 << 30), "[0 B 512 MiB 1 GiB 1.5 GiB]"},
	} {
		var got []string
		for _, v := range binary([]float64{0, tt.most}).ticks() {
			got = append(got, inBytes.format(v))
		}
		if fmt.Sprint(got) != tt.want {
			t.Errorf("%v: %v, want %v", tt.most, got, tt.want)
		}
	}
}
