package html_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"brunt/reporters/html"
	"brunt/scenarios/quantity"
)

// TestTrendPage_NoEnd draws runs with an infinite value: above the plot, and in words.
func TestTrendPage_NoEnd(t *testing.T) {
	tests := []struct {
		name   string
		values []float64
		ends   int // of them
	}{
		{"one of three", []float64{.2, math.NaN(), .3}, 2},
		{"the last, as a history writes it", []float64{.2, .3, math.Inf(1)}, 2},
		{"all", []float64{math.NaN(), math.NaN()}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := html.TrendChart{Title: "p95", Say: quantity.FormatSeconds}
			for i, v := range tt.values {
				c.Points = append(c.Points, html.TrendPoint{Run: "r", Started: time.Unix(int64(i)*3600, 0), Value: v})
			}
			var b strings.Builder
			if err := (html.TrendPage{Name: "n", Charts: []html.TrendChart{c}}).Report(&b); err != nil {
				t.Fatal(err)
			}
			page := b.String()
			if strings.Contains(page, "NaN") || strings.Contains(page, "Inf") {
				t.Errorf("a place that is not a number:\n%s", page)
			}
			if n := strings.Count(page, `class="endless"`); n != len(tt.values)-tt.ends {
				t.Errorf("%d marks of no end, want %d", n, len(tt.values)-tt.ends)
			}
			if n := strings.Count(page, "<circle"); n != tt.ends {
				t.Errorf("%d points, want %d", n, tt.ends)
			}
			if end := tt.values[len(tt.values)-1]; math.IsNaN(end) && !strings.Contains(page, "p95: no end</h2>") {
				t.Error("the title does not say that the last has no end")
			}
		})
	}
}

// TestTrendPage_Share: the axis of shares ends at 100 %, and runs of one day are told apart by their times.
func TestTrendPage_Share(t *testing.T) {
	for share, last := range map[bool]string{true: "100%", false: "150%"} {
		c := html.TrendChart{Title: "errors", Say: quantity.FormatShare, Share: share}
		for i := range 2 {
			c.Points = append(c.Points, html.TrendPoint{Run: "r", Started: time.Unix(int64(i)*3600, 0)})
		}
		var b strings.Builder
		if err := (html.TrendPage{Name: "n", Charts: []html.TrendChart{c}}).Report(&b); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), ">"+last+"</text>") || share && strings.Contains(b.String(), ">150%</text>") {
			t.Errorf("share %v: the axis does not end at %s", share, last)
		}
		if !strings.Contains(b.String(), ">1970-01-01 00:00<") || !strings.Contains(b.String(), ">1970-01-01 01:00<") {
			t.Errorf("the ends of the axis have no times")
		}
	}
}
