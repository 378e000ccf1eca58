package catalog_test

import (
	"io"
	"slices"
	"strings"
	"testing"

	"brunt/reporters/html"
	"brunt/reporters/reporterstest"
	"brunt/reporters/terminal"
)

// An imported result is marked as such, and its reports do not mention a generator.
func TestImported(t *testing.T) {
	c := *reporterstest.Results()["faults-none"]
	c.Imported = "vegeta: results.bin"
	c.Loads = slices.Clone(c.Loads)
	c.Loads[0].Engine = "vegeta"
	terminal, page := reporterstest.Render(t, terminal.New(io.Discard, terminal.Options{Verbose: true}), &c),
		reporterstest.Render(t, html.Page{}, &c)
	if !strings.Contains(terminal, "Imported from vegeta: results.bin") || strings.Contains(terminal, "\nGenerator\n") ||
		!strings.Contains(page, "Imported from vegeta: results.bin") || strings.Contains(page, "<h2>Generator</h2>") {
		t.Errorf("got\n%s\n%s", terminal, page)
	}
	if !strings.Contains(page, c.Loads[0].Executor+" by vegeta") {
		t.Error("the page does not say which engine made the requests")
	}
	c.Imported = ""
	if again := reporterstest.Render(t, html.Page{}, &c); !strings.Contains(again, "<h2>Generator</h2>") {
		t.Error("and neither of one of brunt's own")
	}
}
