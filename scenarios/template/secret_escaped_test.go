package template_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"brunt/scenarios/template"
)

// TestMask_Escaped masks secrets of which an encoder escapes characters that need no escape.
func TestMask_Escaped(t *testing.T) {
	each := func(format string, of []string) string {
		var b strings.Builder
		for _, c := range of {
			fmt.Fprintf(&b, format, []rune(c)[0])
		}
		return b.String()
	}
	for _, v := range []string{"hunter2-and-more=", `q"uo\te/+&<>'`, "é ü 😀 x"} {
		var s template.Secrets
		s.Add(v)
		var runes, bytes []string
		for _, r := range v {
			runes = append(runes, string(r))
		}
		for i := range len(v) {
			bytes = append(bytes, string(rune(v[i])))
		}
		texts := map[string]string{
			"html, decimal": each("&#%d;", runes),
			"html, hex":     each("&#x%x;", runes),
			"html, HEX":     each("&#X%X;", runes),
			"url, each":     each("%%%02X", bytes),
			"url, lower":    each("%%%02x", bytes),
			"json of bytes": each(`\u%04x`, bytes),
			"JSON of bytes": each(`\u%04X`, bytes),
			"as gson": strings.NewReplacer("=", `\u003d`, "'", `\u0027`, "&", `\u0026`, "<", `\u003c`, ">",
				`\u003e`).Replace(marshalled(v)),
		}
		if !strings.Contains(v, "😀") {
			texts["json, each"], texts["JSON, each"] = each(`\u%04x`, runes), each(`\u%04X`, runes)
			texts["json in json"] = each(`\\u%04x`, runes)
		}
		for how, text := range texts {
			if got := s.Mask("a " + text + " b&#32;%20"); got != "a *** b&#32;%20" {
				t.Errorf("%q, %s: %q is masked as %q", v, how, text, got)
			}
		}
	}
	var s template.Secrets
	s.Add("a-secret")
	for _, text := range []string{
		`\u`, `\\\`, strings.Repeat(`\`, 1<<20), "%", "%4", "&#", "&#;", "&#x;", `\ud83d`, `\ud83d\ude00 %zz &#1114112; 100%`,
	} {
		if got := s.Mask(text); got != text {
			t.Errorf("%q is masked as %q", text, got)
		}
	}
}

func marshalled(v string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return strings.Trim(strings.TrimSpace(b.String()), `"`)
}
