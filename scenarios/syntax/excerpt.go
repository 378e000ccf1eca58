package syntax

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// source is the text of a file with mistakes.
type source struct {
	text  string
	lines []string // lines of text, split on first use

	line    int   // line that offsets are for, from 1
	offsets []int // byte offsets of its characters; nil if each is one byte
}

// from returns the text from a line and column on. It computes the offsets of a line only once
// for successive columns.
func (s *source) from(line, col int) string {
	if line < 1 || line > len(s.split()) {
		return ""
	}
	text := s.lines[line-1]
	if line != s.line {
		s.line, s.offsets = line, nil
		if utf8.RuneCountInString(text) < len(text) {
			for i := range text {
				s.offsets = append(s.offsets, i)
			}
		}
	}
	switch i := max(0, col-1); {
	case s.offsets == nil:
		return text[min(i, len(text)):]
	case i < len(s.offsets):
		return text[s.offsets[i]:]
	}
	return ""
}

func (s *source) split() []string {
	if s.lines == nil {
		s.lines = strings.Split(s.text, "\n")
	}
	return s.lines
}

// maxShownLine is the maximum length of a source line in an excerpt, in runes.
const maxShownLine = 160

// excerpt writes the line of pos with its neighbours, and a caret below its column. It shows only the part of a long
// line around the caret. Hide masks secrets in a line and keeps its length; nil masks only credentials in URLs.
func excerpt(b *strings.Builder, lines []string, pos Pos, hide func(string) string) {
	for n := max(1, pos.Line-1); n <= min(len(lines), pos.Line+1); n++ {
		text := hideCredentials(lines[n-1])
		if hide != nil {
			text = hide(text)
		}
		if n == len(lines) && n > pos.Line && text == "" {
			break // the text after the last line end is not a line
		}
		if n != pos.Line {
			fmt.Fprintf(b, "   %4d | %s\n", n, visible(firstRunes(text, maxShownLine)))
			continue
		}
		line := []rune(text)
		from, cut := 0, ""
		if pos.Col > maxShownLine-20 {
			from, cut = min(len(line), pos.Col-40), "…"
		}
		fmt.Fprintf(b, " > %4d | %s%s\n", n, cut, visible(firstRunes(string(line[from:]), maxShownLine)))
		fmt.Fprintf(b, "        | %s^\n", strings.Repeat(" ", max(0, pos.Col-1-from+utf8.RuneCountInString(cut))))
	}
}

// credentialed matches user and password in a URL. The URL of a proxy may have no scheme.
var credentialed = regexp.MustCompile(`(//|proxy:\s*["']?)([^\s/"'@]*:[^"'@]+)@`)

// hideCredentials masks credentials in a line of a file and keeps its length.
func hideCredentials(line string) string {
	return credentialed.ReplaceAllStringFunc(line, func(s string) string {
		part := credentialed.FindStringSubmatch(s)
		return part[1] + strings.Repeat("*", utf8.RuneCountInString(part[2])) + "@"
	})
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

// visible replaces characters that would disturb a terminal: a tab becomes one blank, so that the
// caret stays below its column, and control characters become a question mark.
func visible(line string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < 0x20, r == utf8.RuneError, r >= 0x7f && r < 0xa0:
			return '?'
		case r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // line separators and changes of direction
			return '?'
		}
		return r
	}, line)
}
