package targets

import (
	"strconv"
	"strings"

	"brunt/scenarios/check"
	"brunt/scenarios/template"

	"github.com/ohler55/ojg/jp"
)

// IsOneLine reports whether s is valid in a header: it has no control characters.
func IsOneLine(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) < 0
}

// Clip shortens a text for a message to at most most bytes.
func Clip(s string, most int) string {
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// SetFound stores the value at a path of an answer in a variable, and reports whether there is one.
func SetFound(v *template.Value, a Answer, path jp.Expr) bool {
	found, ok := check.First(a.JSON(path))
	if text, isText := found.(string); ok && isText {
		v.SetText(text)
	} else if ok {
		v.SetJSON(check.ValueText(found))
	}
	return ok
}

// Quote shortens and quotes a value for a message.
func Quote(s string) string { return strconv.Quote(Clip(s, 80)) }
