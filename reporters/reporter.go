package reporters

import (
	"io"

	"brunt/scenarios/result"
)

// A Reporter writes a finished run in one format. It only reads the result.
type Reporter interface {
	// Format describes what Report writes.
	Format() Format
	// Report writes the result to w. The same result gives the same bytes.
	Report(w io.Writer, r *result.Result) error
}

// A Format describes what a reporter writes.
type Format struct {
	Name     string // the format's name for users, such as junit
	File     string // its name in the folder of a run; empty: not in the folder
	Evidence bool   // File is a record of the run, which files without Evidence are drawn from
	About    string // one sentence, for help texts and the generated reference
}

// A Live observes a run while it goes on, once a second.
type Live interface {
	Observe(result.Interval)
}
