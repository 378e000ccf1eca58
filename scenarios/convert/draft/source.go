package draft

import (
	"bytes"
	"fmt"
)

// Options say how a source is read and what of it is taken. The zero value is good for a
// source and a scenario in the current folder.
type Options struct {
	Kind   string   // of the source, the name of a [Converter]
	File   string   // the name of the source, for what is said of it
	From   string   // the folder that paths in the source begin at; zero is the current one
	To     string   // the folder that the scenario will stand in; zero is the current one
	Static bool     // of a recording, take images, fonts, styles and scripts in
	Hosts  []string // of a recording, take these hosts in besides that of its first page
}

// A Note is one thing that could not be carried over, or that somebody has to look at.
type Note struct {
	File string
	Line int // from 1; 0 is none in particular
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

// A Secret is an environment variable that the scenario reads, and what belongs in it.
type Secret struct {
	Env  string
	What string
}

// A Scenario is what was made.
type Scenario struct {
	Text    string // the file
	Notes   []Note
	Secrets []Secret // must be in the environment when the scenario is read
}

// A Converter makes a scenario of what another tool has written. To add a format, add one and list it
// in package convert.
type Converter struct {
	Name    string                              // of the format, as `brunt convert` takes it
	Convert func(d *Draft, source []byte) error // adds what the source holds to the draft
}

// Scenario makes a scenario of a source in the converter's format.
func (c Converter) Scenario(source []byte, o Options) (*Scenario, error) {
	d := NewDraft(o)
	if err := c.Convert(d, source); err != nil {
		return nil, err
	}
	if d.Load.Fields == nil {
		return nil, fmt.Errorf("%s: no request is in it that a scenario could make", o.File)
	}
	out := d.Scenario()
	return &Scenario{Text: out, Notes: d.Notes, Secrets: d.Env}, nil
}

// LineCount tells on which line an offset lies; offsets come in order.
type LineCount struct {
	Source []byte
	upTo   int
	line   int
}

// at returns the line, from 1, of what begins at or behind an offset.
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
