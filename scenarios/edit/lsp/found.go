package lsp

import (
	"errors"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"brunt/scenarios/disk"
	"brunt/scenarios/syntax"

	"github.com/sourcegraph/jsonrpc2"
)

// A finding is a diagnostic with the word that should replace the marked one.
type finding struct {
	uri string
	diagnostic
	instead string // empty: not known
}

// found converts the result of a scenario's check to diagnostics.
func (s *server) found(d *document, notes []string, err error) []finding {
	var out []finding
	var mistakes *syntax.MistakesError
	switch {
	case errors.As(err, &mistakes):
		for _, m := range mistakes.List() {
			out = append(out, s.mistake(d, m))
		}
	case err != nil:
		out = append(out, finding{d.uri, diagnostic{Severity: isError, Source: "brunt", Message: err.Error()}, ""})
	}
	for _, n := range notes {
		out = append(out, finding{d.uri, diagnostic{Severity: isInformation, Source: "brunt", Message: n}, ""})
	}
	return out
}

// mistake converts a mistake to a diagnostic in the file that has the mistake. It marks the word in question.
func (s *server) mistake(d *document, m syntax.Mistake) finding {
	f := finding{uri: d.uri, diagnostic: diagnostic{Severity: isError, Source: "brunt", Message: m.What}}
	if m.Hint != "" {
		f.Message += "; " + m.Hint
	}
	if unset.MatchString(m.What) { // the editor runs without the secrets of a run
		f.Severity = isWarning
	}
	of := d
	if m.Pos.File != "" && filepath.Clean(m.Pos.File) != filepath.Clean(d.path) {
		of = s.of(m.Pos.File)
	}
	if of == nil || m.Pos.Line == 0 { // the command line, or a file that can't be read
		return f
	}
	f.uri = of.uri
	line := of.line(m.Pos.Line - 1)
	from := min(max(m.Pos.Col-1, 0), len(line))
	at := span{from, from + wordLength(line[from:])}
	if suggested := suggestion.FindStringSubmatch(m.Hint); suggested != nil {
		instead, err := strconv.Unquote(suggested[1])
		if wrong := misspelt(line, from, m.What); err == nil && wrong.to > wrong.from {
			at, f.instead = wrong, instead
		}
	}
	f.Range = of.span(m.Pos.Line-1, at)
	return f
}

var (
	suggestion = regexp.MustCompile(`did you mean ("(?:[^"\\]|\\.)*")\?`)
	quoted     = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`")
	unset      = regexp.MustCompile(`the environment variable .* is not set`)
)

// misspelt returns where a line contains a word that a message quotes, at or after a column. The span is empty if the
// line does not contain it.
func misspelt(line []rune, from int, what string) span {
	for _, q := range quoted.FindAllString(what, -1) {
		text := strings.Trim(q, "`")
		if q[0] == '"' {
			text, _ = strconv.Unquote(q)
		}
		before, _, ok := strings.Cut(string(line[from:]), text)
		if ok && text != "" {
			at := from + len([]rune(before))
			return span{at, at + len([]rune(text))}
		}
	}
	return span{}
}

// wordLength returns the length of the key or value at the beginning of a text, in characters.
func wordLength(text []rune) int {
	if len(text) == 0 {
		return 0
	}
	_, after, _ := word(text, 0, true)
	return max(after, 1)
}

// of returns the open document of a file, or a new one with the content of the file. It is nil if the file can't be
// read.
func (s *server) of(path string) *document {
	if d := s.opened(path); d != nil {
		return d
	}
	if !filepath.IsAbs(path) {
		return nil
	}
	text, err := disk.Read(path, syntax.MaxFile)
	if err != nil {
		return nil
	}
	return &document{uri: uriOf(path), path: path, text: string(text)}
}

// actions returns the quick fixes for the mistakes in a range.
func (s *server) actions(r *jsonrpc2.Request) (any, error) {
	p, err := params[actionParams](r)
	if err != nil {
		return nil, err
	}
	out := []codeAction{}
	d := s.open[p.TextDocument.URI]
	if d == nil || d.path == "" || !isScenario(d.text, s.keys) {
		return out, nil
	}
	_, checked := s.o.Check(d.path, s.read)
	for _, f := range s.found(d, nil, checked) {
		if f.instead == "" || f.uri != d.uri || before(f.Range.End, p.Range.Start) || before(p.Range.End, f.Range.Start) {
			continue
		}
		out = append(out, codeAction{
			Title: "Change to " + f.instead, Kind: "quickfix", Preferred: true, Diagnostics: []diagnostic{f.diagnostic},
			Edit: workspaceEdit{map[string][]textEdit{d.uri: {{f.Range, f.instead}}}},
		})
	}
	return out, nil
}

func before(a, b position) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Character < b.Character
}
