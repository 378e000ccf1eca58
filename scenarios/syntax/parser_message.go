package syntax

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	yamlerr "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/token"
)

const (
	tabStands      = "a tab stands here"
	secondColon    = `a second ": " in one line`
	tooDeep        = "this is indented deeper than the line before it allows"
	unaligned      = "this lines up with nothing above it"
	noContent      = "a text of several lines is indented deeper than its key"
	wantPair       = `want "key: value" here`
	isColonMissing = `is the ":", or the blank after it, missing?`
	belowEachOther = "keys of one map stand below each other, and nothing follows the colon of a key whose value " +
		"stands below it"
)

// syntaxWords translates messages of the parser into messages for authors, with hints. The first match counts.
var syntaxWords = []struct{ says, what, hint string }{
	{"mapping value is not allowed in this context", secondColon, ""},
	{"could not find end character of double-quoted", "the quote that opens here is never closed", ""},
	{
		"could not find end character of single-quoted", "the quote that opens here is never closed",
		"an apostrophe inside '…' is doubled: ''",
	},
	{"could not find flow mapping end token", "the { that opens here is never closed", ""},
	{"sequence end token ']' not found", "the [ that opens here is never closed", ""},
	{"could not find '[' character", "a ] that no [ opens", ""},
	{"could not find '{' character", "a } that no { opens", ""},
	{"',' or '}' must be specified", "a comma or } is missing before this", ""},
	{"',' or ']' must be specified", "a comma or ] is missing before this", ""},
	{"expected sequence element", "nothing stands before this comma", ""},
	{"could not find flow map content", `want "key: value" between the commas of { }`, ""},
	{"map key-value is pre-defined", tooDeep, belowEachOther},
	{"value is not allowed in this context", unaligned, "keys of one map, and items of one list, stand below each other"},
	{"non-map value is specified", wantPair, isColonMissing},
	{"unexpected key name", "no colon ends this key in its line", ""},
	{"implicit line break", "a key stands on one line", ""},
	{"found an invalid key for this map", "no key stands before this colon", ""},
	{
		"block sequence entries are not allowed", `a list can't begin on the line of its key`,
		`its items stand below, each after "- "; a text that begins with "- " is quoted`,
	},
	{
		"sequence entries are not allowed after anchor", "a list can't begin on the line of its anchor",
		"its items stand below",
	},
	{
		"unknown escape character", "this is not an escape in double quotes",
		`a backslash is doubled: \\; or use single quotes, where it stands for itself`,
	},
	{"not enough length for escaped", "an escape without all its digits", `\x takes two, \u four, \U eight`},
	{"surrogate", `half of a pair of \u escapes`, ""},
	{"reserved character", "a text can't begin with this character", "quote it"},
	{"directive", "a text can't begin with %", "quote it"},
	{"alias", "a text can't begin with *, which names an anchor", "quote it"},
	{"anchors cannot be used consecutively", "two anchors for one value", ""},
	{"anchor", "a text can't begin with &, which makes an anchor", "quote it"},
	{"tag", "a text can't begin with !, which is a tag", "quote it"},
	{"could not find map", "a map is wanted after this tag", ""},
	{"tab character", tabStands, "YAML is written with blanks"},
	{`'\t'`, tabStands, "YAML is written with blanks"},
	{"'\t'", tabStands, "YAML is written with blanks"},
	{
		"invalid header option", "after | or > comes nothing but +, - or a digit",
		"a text that begins with | or > is quoted",
	},
	{"multi-line content", noContent, ""},
	{"number of indent", "the lines of this text are indented differently", ""},
	{"document separator", "--- begins another document", "keep each scenario in a file of its own"},
	{"unexpected end content", "... ends the document", ""},
}

// syntaxMistake translates an error of the parser for the author.
func syntaxMistake(file, text string, err error) Mistake {
	m := Mistake{Pos: Pos{File: file, Line: 1, Col: 1}}
	var at *token.Token
	var ours *yamlError
	var theirs yamlerr.Error
	switch {
	case errors.As(err, &ours):
		at, m.What, m.Hint = ours.at, ours.what, ours.hint
	case errors.As(err, &theirs):
		at, m.What = theirs.GetToken(), "YAML: "+theirs.GetMessage()
		for _, w := range syntaxWords {
			if strings.Contains(theirs.GetMessage(), w.says) {
				m.What, m.Hint = w.what, w.hint
				break
			}
		}
	default:
		m.What = "YAML: " + err.Error()
	}
	lines := strings.Split(text, "\n")
	if at != nil && at.Position != nil {
		m.Pos.Line, m.Pos.Col = max(1, min(at.Position.Line, len(lines))), max(1, at.Position.Column)
	}
	x := syntaxPlace{lines: lines, at: at, line: lines[m.Pos.Line-1], m: &m}
	x.diagnose()
	m.Pos.Col = min(m.Pos.Col, utf8.RuneCountInString(lines[m.Pos.Line-1])+1)
	return m
}

// A syntaxPlace is the position where the parser gave up. The text there explains more than the
// parser's message.
type syntaxPlace struct {
	lines []string
	at    *token.Token
	line  string
	m     *Mistake
}

func (x *syntaxPlace) diagnose() {
	m := x.m
	if line, col := openQuote(x.lines, m.Pos.Line); line > 0 {
		m.Pos.Line, m.Pos.Col, m.What, m.Hint = line, col, "the quote that opens here is not closed in its line", ""
		return
	}
	if from, text := unquotedPlaceholder(x.line, m.Pos.Col); from > 0 {
		m.Pos.Col, m.What, m.Hint = from, "inside { } and [ ] a text with a placeholder is quoted", "write "+text
		return
	}
	var prev *token.Token
	if x.at != nil && x.at.Prev != nil && x.at.Prev.Position.Line == m.Pos.Line {
		prev = x.at.Prev
	}
	switch {
	case m.What == tabStands:
		from := 0
		if prev != nil {
			from = len(firstRunes(x.line, prev.Position.Column-1))
		}
		if i := strings.IndexByte(x.line[from:], '\t'); i >= 0 {
			m.Pos.Col = utf8.RuneCountInString(x.line[:from+i]) + 1
		}
	case m.What == secondColon:
		rest := x.line[len(firstRunes(x.line, m.Pos.Col-1)):]
		if !strings.Contains(rest, ": ") && !strings.HasSuffix(rest, ":") && m.Pos.Line < len(x.lines) {
			next := x.lines[m.Pos.Line]
			m.Pos.Line, m.Pos.Col = m.Pos.Line+1, 1+len(next)-len(strings.TrimLeft(next, " "))
			m.What, m.Hint = tooDeep, belowEachOther
			break
		}
		rest, _, _ = strings.Cut(rest, " #")
		m.Hint = `a text that holds it is quoted: "` + Clip(strings.TrimSpace(rest), 60) + `"`
	case m.What == noContent: // or the line above is not a key, and the list below it is not a list
		indent := func(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }
		for n := m.Pos.Line - 1; n > 0; n-- {
			above := x.lines[n-1]
			if strings.TrimSpace(above) == "" || indent(above) > indent(x.line) {
				continue
			}
			if !strings.Contains(above, ":") {
				m.Pos.Line, m.Pos.Col = n, indent(above)+1
				m.What, m.Hint = wantPair, isColonMissing
			}
			break
		}
	case m.What != tooDeep && m.What != unaligned:
	case prev != nil && prev.Type == token.SingleQuoteType:
		m.What, m.Hint = "something follows the closing quote", "an apostrophe inside '…' is doubled: ''"
	case prev != nil && prev.Type == token.DoubleQuoteType:
		m.What, m.Hint = "something follows the closing quote", `a quote inside "…" is written \"`
	case x.at != nil && (x.at.Value == "}" || x.at.Value == "]"):
		m.What, m.Hint = "a "+x.at.Value+" that nothing opens", ""
	}
	if before, _, found := strings.Cut(x.line, ":\u00a0"); found {
		m.Pos.Col = utf8.RuneCountInString(before) + 2
		m.What, m.Hint = "a no-break space (U+00A0) stands here", "YAML is written with blanks"
	}
	if strings.HasSuffix(m.What, "is missing before this") && x.at != nil {
		if text := indexed(x.line, m.Pos.Col); text != "" {
			m.Hint = "or a text with brackets is not quoted: " + strconv.Quote(text)
		} else if prev == nil {
			m.Hint = "or is the bracket above never closed?"
		}
	}
}

// indexed returns the text with an index, such as api[0], whose bracket is at a column of a line; empty if there is
// none.
func indexed(line string, col int) string {
	at := len(firstRunes(line, col-1))
	if at >= len(line) || line[at] != '[' {
		return ""
	}
	from := strings.LastIndexAny(line[:at], " {[,") + 1
	to := strings.IndexByte(line[at:], ']')
	if from == at || to < 2 {
		return ""
	}
	return line[from : at+to+1]
}

// unquotedPlaceholder finds an unquoted ${ after a bracket in a line whose column col is where the parser gave up. It
// returns the column of the text that contains it, and that text in quotes. The column is 0 if there is none.
func unquotedPlaceholder(line string, col int) (int, string) {
	if at := firstRunes(line, col); strings.HasSuffix(at, "${") {
		return around(line, len(at)-2)
	}
	var quote byte
	inside := false
	for i := range len(line) {
		switch c := line[i]; {
		case quote == '"' && c == '\\':
			quote = '\\'
		case quote == '\\':
			quote = '"'
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' && inside:
			quote = c
		case c == '#' && i > 0 && line[i-1] == ' ':
			return 0, ""
		case inside && strings.HasPrefix(line[i:], "${"):
			return around(line, i)
		case c == '{' || c == '[':
			inside = true
		}
	}
	return 0, ""
}

// around returns the text that contains the placeholder at byte i of a line, in quotes, and its column.
func around(line string, i int) (int, string) {
	from := strings.LastIndexAny(line[:i], "{[,") + 1
	if c := strings.LastIndex(line[:i], ": "); c >= from {
		from = c + 2
	}
	from += len(line[from:i]) - len(strings.TrimLeft(line[from:i], " "))
	to := len(line)
	for at := i; ; {
		end := strings.IndexByte(line[at:], '}')
		if end < 0 {
			break
		}
		at += end + 1
		stop := strings.IndexAny(line[at:], ",]}")
		again := strings.Index(line[at:], "${")
		if again < 0 || stop >= 0 && stop < again {
			if stop >= 0 {
				to = at + stop
			}
			break
		}
		at += again
	}
	return utf8.RuneCountInString(line[:from]) + 1, `"` + Clip(strings.TrimSpace(line[from:to]), 60) + `"`
}
