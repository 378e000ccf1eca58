package syntax

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// keyLine matches a line that begins with a key, which lines of a quoted text rarely do.
var keyLine = regexp.MustCompile(`^\s*(- )?[A-Za-z_$][\w.-]*:( |$)`)

// openQuote finds a double quote that is not closed in its line. At is the line, counted from 1, where the parser
// gave up: the text that the quote opens has swallowed the lines between. Line is 0 if there is no such quote.
func openQuote(lines []string, at int) (line, col int) {
	for i := range min(at, len(lines)) {
		from := lastQuote(lines[i])
		if from < 0 {
			continue
		}
		if i+1 == at || slices.ContainsFunc(lines[i+1:at], keyLine.MatchString) {
			return i + 1, utf8.RuneCountInString(lines[i][:from]) + 1
		}
	}
	return 0, 0
}

// lastQuote returns the position of the double quote that is not closed in a line, or -1 if all are closed.
func lastQuote(line string) int {
	open, single := -1, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && open >= 0:
			i++
		case c == '\'' && open < 0 && (single || i == 0 || strings.IndexByte(" [{,:", line[i-1]) >= 0):
			single = !single
		case c == '#' && open < 0 && !single && (i == 0 || line[i-1] == ' '):
			return -1
		case c != '"' || single:
		case open >= 0:
			open = -1
		default:
			open = i
		}
	}
	return open
}
