package truth

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// Edge is the tolerance of a time at a sharp edge, in addition to the distance between two requests.
const Edge = 5 * time.Millisecond

// Complaints lists the mistakes of brunt in a case.
type Complaints []string

// Errorf adds a complaint.
func (c *Complaints) Errorf(format string, args ...any) {
	*c = append(*c, fmt.Sprintf(format, args...))
}

// Near complains unless got, in seconds, equals want within tolerance. Nil means that got is unknown.
func (c *Complaints) Near(what string, got *float64, want, tolerance time.Duration) {
	switch {
	case got == nil:
		c.Errorf("%s is unknown, want %v ± %v", what, want, tolerance)
	case !(math.Abs(*got-want.Seconds()) <= tolerance.Seconds()):
		c.Errorf("%s is %.4fs, want %v ± %v", what, *got, want, tolerance)
	}
}

// NearSpan complains unless got, in seconds, lies within tolerance of the span. Nil means that got is unknown.
func (c *Complaints) NearSpan(what string, got *float64, want Span, tolerance time.Duration) {
	middle := (want.Intended + want.Arrived) / 2
	c.Near(what, got, middle, tolerance+want.Arrived-middle)
}

// Report ends the test of a case. Open is the reason why brunt is known to fail the case, or empty. A case with a
// reason fails once it holds. Besides describes the circumstances of a failure.
func (c Complaints) Report(t *testing.T, open string, besides func() string) {
	t.Helper()
	text := strings.Join(c, "\n")
	switch {
	case len(c) == 0 && open != "":
		t.Errorf("the case holds now: take its mark `open` away (%s)", open)
	case len(c) > 0 && open != "":
		t.Skipf("known not to hold yet: %s\n%s", open, text)
	case len(c) > 0:
		t.Error(text + besides())
	}
}
