package html

import (
	"fmt"
	"maps"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"

	"brunt/reporters/chart"
	"brunt/reporters/reporterstest"
)

// contrast returns the ratio of two colours as WCAG 2.2 defines it.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	bright := func(c string) float64 {
		if len(c) == 4 {
			c = "#" + strings.Repeat(c[1:2], 2) + strings.Repeat(c[2:3], 2) + strings.Repeat(c[3:], 2)
		}
		var rgb [3]int
		if _, err := fmt.Sscanf(c, "#%02x%02x%02x", &rgb[0], &rgb[1], &rgb[2]); err != nil {
			t.Fatalf("colour %q: %v", c, err)
		}
		sum := 0.0
		for i, weight := range []float64{.2126, .7152, .0722} {
			v := float64(rgb[i]) / 255
			if v <= .04045 {
				v /= 12.92
			} else {
				v = math.Pow((v+.055)/1.055, 2.4)
			}
			sum += weight * v
		}
		return sum
	}
	x, y := bright(a), bright(b)
	return (math.Max(x, y) + .05) / (math.Min(x, y) + .05)
}

// Text has a contrast of 4.5, lines and marks of 3, in each theme and on paper.
func TestCSS_Contrast(t *testing.T) {
	css, err := sources.ReadFile("assets/page.css")
	if err != nil {
		t.Fatal(err)
	}
	themes := regexp.MustCompile(`:root\{([^}]*--bg:#[^}]*)\}`).FindAllStringSubmatch(string(css), -1)
	if len(themes) != 3 {
		t.Fatalf("%d themes, want light, dark and paper", len(themes))
	}
	light := map[string]string{}
	for i, theme := range themes {
		colours := light
		if i > 0 { // a theme inherits what it does not set
			colours = maps.Clone(light)
		}
		for _, m := range regexp.MustCompile(`--(\w+):(#\w+)`).FindAllStringSubmatch(theme[1], -1) {
			colours[m[1]] = m[2]
		}
		check := func(front, back string, least float64) {
			if got := contrast(t, colours[front], colours[back]); got < least {
				t.Errorf("theme %d: %s on %s has a contrast of %.2f, want %v", i, front, back, got, least)
			}
		}
		for _, text := range []string{"ink", "soft", "good", "bad", "unsure"} {
			check(text, "bg", 4.5)
			check(text, "panel", 4.5)
		}
		check("bg", "fault", 4.5) // the number of a fault
		for _, line := range []string{"p50", "p95", "p99", "most", "ok", "k0", "k1", "k2", "k3", "k4", "k5", "fault"} {
			check(line, "bg", 3)
		}
	}
}

// The page has no animation, so it needs no rule for reduced motion.
func TestCSS_NothingMoves(t *testing.T) {
	for _, file := range []string{
		"assets/page.css", "assets/page.js", "assets/pointer.js", "assets/plot.css", "assets/plot.js",
	} {
		b, err := sources.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if m := regexp.MustCompile(`transition\s*:|animation\s*:|@keyframes|scroll-behavior|'smooth'|\.animate\(`).Find(b); m != nil {
			t.Errorf("%s has %q", file, m)
		}
	}
}

// The background of the charts is drawn once and referred to. To such a copy a rule applies
// only by the element itself, not by the elements around it.
func TestCSS_BehindTheLines(t *testing.T) {
	css, err := sources.ReadFile("assets/page.css")
	if err != nil {
		t.Fatal(err)
	}
	line := chart.NewTimeline(reporterstest.Results()["minute"], nil, chart.Places{})
	line.Warmup = 5
	classes := map[string]bool{}
	for _, m := range regexp.MustCompile(`class="(\w+)"`).FindAllStringSubmatch(string(line.Shade()), -1) {
		classes[m[1]] = true
	}
	if len(classes) != 5 {
		t.Errorf("%d classes: %v", len(classes), classes)
	}
	for class := range classes {
		rule := regexp.MustCompile(`(?m)^(?:path\.\w+,)*path\.` + class + `(?:,path\.\w+)*\{([^}]*)\}`).FindSubmatch(css)
		switch {
		case rule == nil:
			t.Errorf("no rule for path.%s alone", class)
		case !strings.Contains(string(rule[1]), "fill:"):
			t.Errorf("path.%s is filled with black: %s", class, rule[1])
		case class != "shade" && class != "warm" && !strings.Contains(string(rule[1]), "vector-effect:non-scaling-stroke"):
			t.Errorf("the stroke of path.%s is stretched: %s", class, rule[1])
		}
	}
}

// TestCSS_WholeFaults: no text of a fault is cut off, since its end may say what to do about it.
func TestCSS_WholeFaults(t *testing.T) {
	css, err := os.ReadFile("assets/page.css")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(css), "line-clamp") {
		t.Error("a text ends after some lines")
	}
}
