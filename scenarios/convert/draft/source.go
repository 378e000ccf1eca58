package draft

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"brunt/scenarios/syntax"
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
	// Environment is the path of an environment, for a collection; empty means that there is none.
	Environment string
	// Validate returns the mistakes of a scenario. Faults that have some are left out. Nil means that none is looked for.
	Validate func(*Scenario) []syntax.Mistake
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
	Makes   string                                // of a source without faults: its parts; empty means requests

	Usage string // what may be given instead of a file, in one sentence; empty: nothing
	// Words makes a source of the words after --. Nil means that no words are accepted.
	Words func(words []string) ([]byte, error)
	// Asked returns the server behind an argument, for Ask; empty means that the argument is a file. Nil means that
	// arguments are always files.
	Asked func(arg string) string
	Ask   func(ctx context.Context, at string) ([]byte, error) // reads the source from a server
}

// A RefusedError says that a source makes no scenario, and which of its parts have no counterpart.
type RefusedError struct {
	Notes []Note
	Err   error
}

func (e *RefusedError) Error() string { return e.Err.Error() }

func (e *RefusedError) Unwrap() error { return e.Err }

// Scenario converts a source in the converter's format. The error is a [*RefusedError].
func (c Converter) Scenario(source []byte, o Options) (*Scenario, error) {
	d := newBuilder(o)
	refuse := func(err error) (*Scenario, error) {
		d.finishNotes()
		return nil, &RefusedError{d.Notes, err}
	}
	if err := c.Convert(d, source); err != nil {
		return refuse(err)
	}
	if d.Load.Fields == nil && (d.Chaos.Fields != nil || d.Slo.Items != nil) {
		d.guessLoad()
	}
	if d.Load.Fields == nil {
		return refuse(fmt.Errorf("%s: %s is in it that a scenario could make", o.File, c.nothing()))
	}
	top := d.complete()
	made := &Scenario{Text: d.text(top), Notes: d.Notes, Secrets: d.Env}
	for o.Validate != nil && d.dropInvalid(made.Text, o.Validate(made)) {
		made.Text, made.Notes = d.text(top), d.Notes
		if c.Faults && d.Chaos.Fields == nil {
			return refuse(fmt.Errorf("%s: brunt refuses each fault that is in it", o.File))
		}
	}
	return made, nil
}

// dropInvalid removes the faults of a scenario in which there are mistakes, each with a note of the reason. It reports
// whether there were any.
func (d *Builder) dropInvalid(text string, mistakes []syntax.Mistake) (dropped bool) {
	nodes := 0
	faults := At(syntax.Read("", []byte(text), syntax.NewMistakes(nil, nil), &nodes), "chaos")
	if faults == nil {
		return false
	}
	for _, m := range mistakes {
		name := ""
		for _, f := range faults.Fields {
			if f.Pos.Line <= m.Pos.Line {
				name = f.Key
			}
		}
		if d.Chaos.Get(name) != nil && m.Pos.Line <= lastLine(faults.Get(name)) {
			d.Chaos.Drop(name)
			d.Lost(d.lines[name], "%s makes no valid fault: %s", name, m.What)
			dropped = true
		}
	}
	return dropped
}

// lastLine returns the last line on which a part of a value begins.
func lastLine(n *syntax.Node) int {
	line := n.Pos.Line
	for _, f := range n.Fields {
		line = max(line, lastLine(f.Value))
	}
	for _, item := range n.Items {
		line = max(line, lastLine(item))
	}
	return line
}

// nothing names what an empty source lacks.
func (c Converter) nothing() string {
	if c.Faults {
		return "no fault"
	}
	return "no " + cmp.Or(c.Makes, "request")
}

// runners are programs that the words after -- may begin with, to run the program that is meant.
var runners = []string{"docker", "docker-compose", "kubectl", "podman", "sudo"}

// ShellWords returns a function that joins the words after -- into a command of a program, with shell quoting.
func ShellWords(program string) func(words []string) ([]byte, error) {
	return func(words []string) ([]byte, error) {
		if len(words) == 0 || words[0] != program && !slices.Contains(runners, words[0]) {
			words = slices.Insert(slices.Clone(words), 0, program)
		}
		var b strings.Builder
		b.WriteString(words[0])
		for _, w := range words[1:] {
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
