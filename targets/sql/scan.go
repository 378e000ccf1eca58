package sql

import (
	"slices"
	"strings"
)

// Syntax says how a dialect writes statements.
type Syntax struct {
	Dollar    bool // parameters are $1, $2 and so on, and $tag$ quotes a text; otherwise parameters are ?
	Backslash bool // a backslash escapes in quoted texts, and # begins a comment

	holds bool // a step may begin a transaction that stays open
}

// scanned is the result of scanning a statement.
type scanned struct {
	params    int    // number of parameters
	several   bool   // a ; stands between statements
	verb      string // the first word, in lower case; after WITH, the first word of the statement itself
	returning bool   // it has the word returning
}

// token is a part of a statement.
type token uint8

const (
	blank token = iota // also a comment
	word               // also a single sign, and a quoted text
	semicolon
	parameter
)

// scan finds the parameters of a statement, outside of quotes and comments.
func (x Syntax) scan(text string) (s scanned) {
	ended, depth := false, 0
	for text != "" {
		n, is := x.next(text)
		switch is {
		case blank:
		case semicolon:
			ended = true
		default:
			s.several = s.several || ended
			switch first := text[0]; {
			case first == '(':
				depth++
			case first == ')':
				depth--
			case isWord(first):
				s.word(strings.ToLower(text[:n]), depth)
			}
		}
		if is == parameter {
			if x.Dollar {
				s.params = max(s.params, numberOf(text[1:n]))
			} else {
				s.params++
			}
		}
		text = text[n:]
	}
	return s
}

// word processes a word in lower case at a nesting depth of parentheses.
func (s *scanned) word(is string, depth int) {
	switch {
	case s.verb == "", s.verb == "with" && depth == 0 && slices.Contains(verbs, is):
		s.verb = is
	case is == "returning":
		s.returning = true
	}
}

// verbs are the first words of statements that may follow WITH.
var verbs = []string{"select", "insert", "update", "delete", "merge", "table", "values", "replace"}

// mostParams is the maximum number of parameters in the protocols.
const mostParams = 65535

// numberOf parses digits. It returns a number above mostParams if they are invalid.
func numberOf(digits string) (n int) {
	for i := 0; i < len(digits) && n <= mostParams; i++ {
		n = 10*n + int(digits[i]-'0')
	}
	return n
}

// next returns the length and the kind of the first token of text, which must not be empty.
func (x Syntax) next(text string) (int, token) {
	c := text[0]
	switch {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f':
		return 1, blank
	case c == ';':
		return 1, semicolon
	case x.lineComment(text):
		return through(text, 1, "\n"), blank
	case strings.HasPrefix(text, "/*"):
		return x.comment(text), blank
	case c == '\'' || c == '"' || c == '`':
		return quoted(text, 0, x.Backslash), word
	case c == '?' && !x.Dollar:
		return 1, parameter
	case c == '$' && x.Dollar:
		return dollar(text)
	case isWord(c):
		n := 1
		for n < len(text) && (isWord(text[n]) || text[n] == '$') {
			n++
		}
		if n == 1 && (c == 'e' || c == 'E') && len(text) > 1 && text[1] == '\'' {
			return quoted(text, 1, true), word
		}
		return n, word
	}
	return 1, word
}

// lineComment reports whether text begins with a comment up to the end of its line. In MySQL a blank must follow two
// dashes: 5--1 is a difference.
func (x Syntax) lineComment(text string) bool {
	switch {
	case x.Backslash && text[0] == '#':
		return true
	case !strings.HasPrefix(text, "--"):
		return false
	}
	return !x.Backslash || len(text) == 2 || text[2] <= ' '
}

func isWord(c byte) bool {
	return c == '_' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// through returns the length of text up to and including end, which is searched beginning at from.
func through(text string, from int, end string) int {
	if from > len(text) {
		return len(text)
	}
	if i := strings.Index(text[from:], end); i >= 0 {
		return from + i + len(end)
	}
	return len(text)
}

// comment returns the length of the comment at the beginning of text. Comments of PostgreSQL can be nested.
func (x Syntax) comment(text string) int {
	if !x.Dollar {
		return through(text, 2, "*/")
	}
	depth := 0
	for i := 0; i+1 < len(text); i++ {
		switch text[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			i++
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// quoted returns the length of text up to the end of the quoted text that begins at from. A doubled quote is part of
// the text.
func quoted(text string, from int, escapes bool) int {
	for i := from + 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && escapes && text[from] != '`':
			i++
		case text[i] == text[from]:
			if i+1 == len(text) || text[i+1] != text[from] {
				return i + 1
			}
			i++
		}
	}
	return len(text)
}

// dollar returns the length of the parameter, or of the quoted text $tag$…$tag$, at the beginning of text.
func dollar(text string) (int, token) {
	n := 1
	for n < len(text) && text[n] >= '0' && text[n] <= '9' {
		n++
	}
	if n > 1 {
		return n, parameter
	}
	for n < len(text) && isWord(text[n]) {
		n++
	}
	if n == len(text) || text[n] != '$' {
		return 1, word
	}
	return through(text, n+1, text[:n+1]), word
}
