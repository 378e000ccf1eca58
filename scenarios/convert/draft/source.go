package draft

import (
	"bytes"
	"context"
	"fmt"
	"strings"
)

// Options say how a source is read and which parts of it are converted. The zero value fits a
// source and a scenario in the current folder.
type Options struct {
	Kind   string   // format of the source, the name of a [Converter]
	File   string   // name of the source, for notes
	From   string   // the folder that paths in the source are relative to; empty is the current one
	To     string   // the folder of the scenario; empty is the current one
	Static bool     // for a recording: include images, fonts, styles and scripts
	Hosts  []string // for a recording: include these hosts besides the host of the first page
}

// A Note describes a part that could not be converted, or that needs review.
type Note struct {
	File string
	Line int // from 1; 0 means no particular line
	Text string
}

// String returns the note as file:line: text.
func (n Note) String() string {
	text := comment(n.Text)[len("# "):]
	if n.Line == 0 {
		return n.File + ": " + text
	}
	return fmt.Sprintf("%s:%d: %s", n.File, n.Line, text)
}

// A Secret is an environment variable that the scenario reads, and its meaning.
type Secret struct {
	Env  string
	What string
}

// A Scenario is the result of a conversion.
type Scenario struct {
	Text    string // the content of the file
	Notes   []Note
	Secrets []Secret // must be set in the environment when the scenario is read
}

// A Converter converts a file of another tool to a scenario. To add a format, add a Converter and list it in package
// convert.
type Converter struct {
	Name    string                                // of the format, for `brunt convert`
	Source  string                                // the kind of source, such as "a HAR recording"
	Doc     string                                // the result, without a full stop
	Convert func(d *Builder, source []byte) error // adds the contents of the source to the draft
	Faults  bool                                  // the source has faults, and no load

	Usage string // what may be given instead of a file, in one sentence; empty: nothing
	// Words makes a source of the words after --. Nil means that no words are accepted.
	Words func(words []string) ([]byte, error)
	// Asked returns the server behind an argument, for Ask; empty means that the argument is a file. Nil means that
	// arguments are always files.
	Asked func(arg string) string
	Ask   func(ctx context.Context, at string) ([]byte, error) // reads the source from a server
}

// Scenario converts a source in the converter's format.
func (c Converter) Scenario(source []byte, o Options) (*Scenario, error) {
	d := newBuilder(o)
	if err := c.Convert(d, source); err != nil {
		return nil, err
	}
	if d.Load.Fields == nil && (d.Chaos.Fields != nil || d.Slo.Items != nil) {
		d.guessLoad()
	}
	if d.Load.Fields == nil {
		return nil, fmt.Errorf("%s: %s is in it that a scenario could make", o.File, c.nothing())
	}
	out := d.Scenario()
	return &Scenario{Text: out, Notes: d.Notes, Secrets: d.Env}, nil
}

// nothing names what an empty source lacks.
func (c Converter) nothing() string {
	if c.Faults {
		return "no fault"
	}
	return "no request"
}

// ShellWords returns a function that joins the words after -- into a command of a program, with shell quoting.
func ShellWords(program string) func(words []string) ([]byte, error) {
	return func(words []string) ([]byte, error) {
		if len(words) > 0 && words[0] == program {
			words = words[1:]
		}
		var b strings.Builder
		b.WriteString(program)
		for _, w := range words {
			b.WriteString(" '" + strings.ReplaceAll(w, "'", `'\''`) + "'")
		}
		return []byte(b.String()), nil
	}
}

// LineCount converts offsets to line numbers. The offsets must ascend.
type LineCount struct {
	Source []byte
	upTo   int
	line   int
}

// At returns the line, from 1, of an offset.
func (c *LineCount) At(offset int) int {
	for offset < len(c.Source) && bytes.IndexByte([]byte(" \t\r\n,"), c.Source[offset]) >= 0 {
		offset++
	}
	if offset > c.upTo {
		c.line += bytes.Count(c.Source[c.upTo:min(offset, len(c.Source))], []byte("\n"))
		c.upTo = offset
	}
	return c.line + 1
}
