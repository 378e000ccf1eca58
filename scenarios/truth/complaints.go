package truth

import (
	"fmt"
	"math"
	"time"
)

// Edge is the tolerance of a time at a sharp edge, besides the distance between two requests.
const Edge = 5 * time.Millisecond

// Complaints are what brunt got wrong in a case.
type Complaints []string

// Errorf adds a complaint.
func (c *Complaints) Errorf(format string, args ...any) {
	*c = append(*c, fmt.Sprintf(format, args...))
}

// Near complains unless got, in seconds, is want within tolerance. Nil is unknown.
func (c *Complaints) Near(what string, got *float64, want, tolerance time.Duration) {
	switch {
	case got == nil:
		c.Errorf("%s is unknown, want %v ± %v", what, want, tolerance)
	case !(math.Abs(*got-want.Seconds()) <= tolerance.Seconds()):
		c.Errorf("%s is %.4fs, want %v ± %v", what, *got, want, tolerance)
	}
}
