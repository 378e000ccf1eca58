package words

import (
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// Width returns the number of terminal columns of s, which is clean text: see [Clean].
func Width(s string) int { return displaywidth.String(s) }

// Clip cuts s to width columns; … marks the cut.
func Clip(s string, width int) string {
	if width <= 0 { // TruncateString would return the mark
		return ""
	}
	return displaywidth.TruncateString(s, width, "…")
}

// Pad fills s with blanks up to width columns.
func Pad(s string, width int, right bool) string {
	blanks := strings.Repeat(" ", max(0, width-Width(s)))
	if right {
		return blanks + s
	}
	return s + blanks
}

// Wrap breaks text into lines of at most width columns, at blanks if possible.
func Wrap(text string, width int) []string {
	width = max(width, 8)
	var lines []string
	line, used := "", 0
	for w := range strings.FieldsSeq(text) {
		n := Width(w)
		if used > 0 && used+1+n > width {
			lines = append(lines, line)
			line, used = "", 0
		}
		for n > width { // a word longer than a line
			head := cut(w, width)
			lines = append(lines, head)
			w = w[len(head):]
			n = Width(w)
		}
		if used > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+w, used+n
	}
	if used > 0 || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}

// cut returns the beginning of s that fits into width columns.
func cut(s string, width int) string { return displaywidth.TruncateString(s, width, "") }
