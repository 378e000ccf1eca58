package html

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"brunt/reporters/reporterstest"
	"brunt/scenarios/suite"
)

// TestPDF: the page is printed on several sheets, and the browser leaves nothing behind.
func TestPDF(t *testing.T) {
	if testing.Short() {
		t.Skip("what a browser shows")
	}
	suite.Needs(t, suite.Programs("chromium"))
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	var b bytes.Buffer
	if err := PDF(t.Context(), &b, reporterstest.Results()["short"]); err != nil {
		t.Fatal(err)
	}
	if n := len(regexp.MustCompile(`/Type /Page\b`).FindAll(b.Bytes(), -1)); !bytes.HasPrefix(b.Bytes(), []byte("%PDF")) ||
		n < 2 || n > 12 {
		t.Errorf("%d sheets in %d bytes: %.20q", n, b.Len(), b.Bytes())
	}
	left, err := os.ReadDir(tmp)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if strings.HasPrefix(e.Name(), "brunt") {
			t.Errorf("%s is left", e.Name())
		}
	}
}

// TestPDF_NoBrowser: without a browser the error says what to install.
func TestPDF_NoBrowser(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	var b bytes.Buffer
	err := PDF(context.Background(), &b, reporterstest.Results()["empty"])
	if err == nil || !strings.Contains(err.Error(), "none is installed: install chromium") || b.Len() > 0 {
		t.Errorf("got %v and %d bytes", err, b.Len())
	}
}
