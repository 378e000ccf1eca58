package ci_test

import (
	"slices"
	"strings"
	"testing"

	"brunt/reporters/ci"
	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"
)

// TestMarkdown: what failed stands open and first, what held is folded, and the run can be made again.
func TestMarkdown(t *testing.T) {
	reporterstest.Golden(t, "failing.markdown.txt",
		reporterstest.Render(t, ci.Markdown{}, reporterstest.Results()["failing"]))
	for _, tt := range []struct{ name, want string }{
		{"minute", "<details><summary>6 objectives held</summary>"},
		{"objectives-none", "Don't ship by this run. 5% of requests failed and no objective asks about it."},
		{"faults-none", "p95 "},
		{"empty", "Setup failed"},
	} {
		if text := reporterstest.Render(t, ci.Markdown{}, reporterstest.Results()[tt.name]); !strings.Contains(text,
			tt.want) {
			t.Errorf("%s: no %q in %s", tt.name, tt.want, text)
		}
	}
	for _, late := range []bool{false, true} { // a busy generator and what it marks are in this form as well
		r := *reporterstest.Results()["minute"]
		r.Cells = slices.Clone(r.Cells)
		if late {
			r.Generator.Healthy, r.Generator.Limited = false, []result.Limit{{Kind: result.LimitLag}}
			for i := range r.Cells {
				r.Cells[i].Lagged = []string{"p50", "p95", "p99"}
			}
		}
		text := reporterstest.Render(t, ci.Markdown{}, &r)
		for _, what := range []string{"†", "Busy machine: ", "NOT healthy: "} {
			if strings.Contains(text, what) != late {
				t.Errorf("late %t: %q in %s", late, what, text)
			}
		}
	}
	// what stands in a block of code is no markup, and no text ends it
	blocks := strings.Split(reporterstest.Render(t, ci.Markdown{}, reporterstest.Results()["hostile"]), "\n```")
	if len(blocks)%2 == 0 {
		t.Errorf("%d ends of blocks of code", len(blocks)-1)
	}
	var hostile strings.Builder
	for i := 0; i < len(blocks); i += 2 {
		hostile.WriteString(blocks[i])
	}
	for _, bad := range []string{"<script>", "\x1b", "\u202e"} {
		if strings.Contains(hostile.String(), bad) {
			t.Errorf("%q came through", bad)
		}
	}
}
