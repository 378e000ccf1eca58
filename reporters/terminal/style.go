package terminal

import (
	"strings"

	"brunt/reporters/words"
)

// A style is the parameter of a terminal's escape sequence for a text. No information depends on styles alone.
type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	good   style = "32"
	bad    style = "1;31"
	unsure style = "33"
)

var tones = map[string]style{"good": good, "bad": bad, "unsure": unsure}

// A span is a text in one style; a line of a terminal is a list of them.
type span struct {
	text  string
	style style
}

// render formats spans, cut to width columns, and without styles if colour is false. It also returns the number of
// used columns.
func render(line []span, width int, colour bool) (text string, used int) {
	var b strings.Builder
	for _, s := range line {
		t := words.Clip(s.text, width-used)
		used += words.Width(t)
		if t == "" {
			continue
		}
		if colour && s.style != plain {
			t = "\x1b[" + string(s.style) + "m" + t + "\x1b[0m"
		}
		b.WriteString(t)
	}
	return b.String(), used
}
