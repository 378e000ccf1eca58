package targets

import (
	"strconv"
	"strings"

	"brunt/scenarios/check"
	"brunt/scenarios/template"
)

// IsOneLine reports whether s is valid in a header: it has no control characters.
func IsOneLine(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0
}

// Clip shortens a text to at most most bytes for a message.
func Clip(s string, most int) string {
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// SetFound stores a value of a JSON document in a variable.
func SetFound(v *template.Value, found any) {
	if text, isText := found.(string); isText {
		v.SetText(text)
	} else {
		v.SetJSON(check.ValueText(found))
	}
}

// Quote shortens a value and quotes it for a message.
func Quote(s string) string { return strconv.Quote(Clip(s, 80)) }
