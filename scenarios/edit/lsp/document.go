package lsp

import (
	"net/url"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"unicode/utf16"
)

// A document is a file that the editor has open.
type document struct {
	uri     string
	path    string // empty: it is not a file
	version int
	text    string
}

// fileOf returns the path in a file: URI. It is "" for other URIs.
func fileOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" {
		return ""
	}
	path := u.Path
	if runtime.GOOS == "windows" {
		path = strings.TrimPrefix(path, "/") // of /C:/folder
	}
	return filepath.FromSlash(path)
}

func uriOf(path string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

func (d *document) lines() []string { return strings.Split(d.text, "\n") }

// line returns the characters of a line, without its end.
func (d *document) line(n int) []rune {
	lines := d.lines()
	if n < 0 || n >= len(lines) {
		return nil
	}
	return []rune(strings.TrimSuffix(lines[n], "\r"))
}

// column returns the character at a position of the protocol.
func (d *document) column(at position) int {
	line, units := d.line(at.Line), 0
	for i, c := range line {
		if units >= at.Character {
			return i
		}
		units += utf16.RuneLen(c)
	}
	return len(line)
}

// at returns the position, in units of the protocol, of a character of a line.
func (d *document) at(line, col int) position {
	units := 0
	for i, c := range d.line(line) {
		if i >= col {
			break
		}
		units += utf16.RuneLen(c)
	}
	return position{line, units}
}

func (d *document) span(line int, s span) textRange {
	return textRange{d.at(line, s.from), d.at(line, s.to)}
}

// edit replaces a part of the text. A nil range stands for all of it.
func (d *document) edit(r *textRange, text string) {
	if r == nil {
		d.text = text
		return
	}
	from, to := d.offset(r.Start), d.offset(r.End)
	d.text = d.text[:from] + text + d.text[max(from, to):]
}

// offset returns the byte at a position.
func (d *document) offset(at position) int {
	lines, n := d.lines(), 0
	if at.Line < 0 {
		return 0
	}
	if at.Line >= len(lines) {
		return len(d.text)
	}
	for _, l := range lines[:at.Line] {
		n += len(l) + 1
	}
	return n + len(string([]rune(lines[at.Line])[:d.column(at)]))
}

var (
	topKey = regexp.MustCompile(`(?m)^([a-z]+):`)
	schema = regexp.MustCompile(`(?m)^#.*\$schema=\S*brunt[^/]*\.schema\.json`)
)

// isScenario guesses from its text whether a file is a scenario or a drill: a comment names its schema, or it has two
// keys of the top level, and other programs do not use one of them.
func isScenario(text string, keys map[string]bool) bool {
	if m := schema.FindString(text); m != "" {
		return strings.Contains(m, "brunt.schema.json") || strings.Contains(m, "brunt.drill.schema.json")
	}
	own, n := false, 0
	for _, m := range topKey.FindAllStringSubmatch(text, -1) {
		if key := m[1]; keys[key] {
			n++
			own = own || key == "target" || key == "load" || key == "chaos" || key == "extends" || key == drill
		}
	}
	return own && n > 1
}
