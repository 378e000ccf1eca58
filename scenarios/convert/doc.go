// Package convert writes scenarios from what others have: the target files of vegeta, the
// recordings of browsers (HAR), OpenAPI documents, plans of JMeter, commands of curl and
// scripts of k6.
//
//	text -Convert-> a reader of its kind -> draft: steps, loads, data -> Scenario
//	                                          |
//	                                          notes: what can't be carried over
//
// What is written is a scenario like any other, for people to go on with: block by
// block, with comments. What can't be carried over is a comment at its place and a [Note]
// with the line of the source. No secret is written down: what an Authorization or Cookie
// header holds, and fields that are called password and the like, become ${env.NAME}.
//
// A foreign text is never taken for the language: what looks like a placeholder in it is
// escaped, and text that would break out of its comment or its line can't.
//
// To add a format is to add a file with a reader, and a line to kinds.
package convert

import (
	"fmt"

	"brunt/scenarios/syntax"
)

// Options say how a source is read and what of it is taken. The zero value is good for a
// source and a scenario in the current folder.
type Options struct {
	Kind   string   // of the source, one of [Kinds]
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

// String gives the note as file:line: text.
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

// kinds are the formats that are read.
func kinds() map[string]func(d *draft, source []byte) error {
	return map[string]func(*draft, []byte) error{
		"vegeta":  vegeta,
		"har":     har,
		"openapi": openAPI,
		"jmeter":  jmeter,
		"curl":    curl,
		"k6":      k6,
	}
}

// Kinds lists the formats that are read.
func Kinds() []string { return sortedKeys(kinds()) }

// maxSource is how long a source may be, in bytes.
const maxSource = 256 << 20

// Convert makes a scenario of a source.
func Convert(source []byte, o Options) (*Scenario, error) {
	read, known := kinds()[o.Kind]
	if !known {
		return nil, fmt.Errorf("unknown format %q; %s", o.Kind, syntax.DidYouMean(o.Kind, Kinds()))
	}
	if len(source) > maxSource {
		return nil, fmt.Errorf("%s has more than %d MiB", o.File, maxSource>>20)
	}
	d := newDraft(o)
	if err := read(d, source); err != nil {
		return nil, err
	}
	if d.load.fields == nil {
		return nil, fmt.Errorf("%s: no request is in it that a scenario could make", o.File)
	}
	out := d.scenario()
	return &Scenario{Text: out, Notes: d.notes, Secrets: d.env}, nil
}
