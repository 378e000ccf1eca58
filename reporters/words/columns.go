package words

import (
	"strings"
	"unicode"
)

// runeWidth returns the number of terminal columns of a character: 0 for combining marks, 2 for wide East Asian
// characters and emoji (Unicode annex 11).
func runeWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf && r != 0x303f, r >= 0xac00 && r <= 0xd7a3,
		r >= 0xf900 && r <= 0xfaff,
		r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1faff,
		r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}

// Width returns the number of terminal columns of s.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// Clip cuts s to width columns; … marks the cut.
func Clip(s string, width int) string {
	if width <= 0 {
		return ""
	}
	if Width(s) <= width {
		return s
	}
	used := 0
	for i, r := range s {
		if used+runeWidth(r) > width-1 {
			return s[:i] + "…"
		}
		used += runeWidth(r)
	}
	return s
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

// cut returns the beginning of s that fits into width columns, at least one character.
func cut(s string, width int) string {
	used := 0
	for i, r := range s {
		if used+runeWidth(r) > width && i > 0 {
			return s[:i]
		}
		used += runeWidth(r)
	}
	return s
}
