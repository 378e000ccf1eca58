package reporters

import (
	"io"

	"brunt/scenarios/result"
)

// A Reporter writes a finished run in one format. It only reads the result.
type Reporter interface {
	// Format describes the output of Report.
	Format() Format
	// Report writes the result to w. The same result always gives the same bytes.
	Report(w io.Writer, r *result.Result) error
}

// A Format describes the output of a reporter.
type Format struct {
	Name     string // the format's name for users, such as junit
	File     string // name of the file in the folder of a run; empty: not in the folder
	Evidence bool   // File is a record of the run; the other files are drawn from such records
	About    string // one sentence, for help texts and the generated reference
}

// A Live observes a run while it goes on, once a second.
type Live interface {
	Observe(result.Interval)
}
