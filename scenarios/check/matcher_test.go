package check

import (
	"strings"
	"testing"

	"brunt/scenarios/syntax"

	"github.com/ohler55/ojg/oj"
)

// An unknown form is a mistake, and never a text that the author did not mean.
func TestMatcher_Mistakes(t *testing.T) {
	for text, want := range map[string]string{
		"not null":              "`!= null` is its negation; the text itself is `= not null`",
		"not 5":                 "`!= 5` is its negation",
		"not found":             "",
		"= not null":            "",
		"containers":            "",
		"contains \"\"":         "every text contains an empty one",
		"> much":                "> compares numbers",
		"!~ (":                  "missing closing )",
		"not contains anything": "",
		"not emty":              "did you mean `not empty`? The text itself is `= not emty`",
		"notempty":              "did you mean `not empty`?",
		"exist":                 "did you mean `exists`?",
		"not exist":             "did you mean `not exists`?",
		"contain \"ok\"":        "did you mean `contains \"ok\"`?",
		"not contain ok":        "did you mean `not contains ok`?",
		"= exist":               "",
		"exit":                  "",
		"empty":                 "",
		"abs":                   "",
		"not":                   "",
		"not ready":             "",
		"present":               "",
	} {
		var k Matcher
		var m syntax.Mistakes
		k.DecodeNode(&syntax.Node{Kind: syntax.String, Value: text}, &m)
		if want == "" && m.Len() > 0 || want != "" && (m.Len() != 1 || !strings.Contains(m.Err().Error(), want)) {
			t.Errorf("%s: %v", text, m.Err())
		}
	}
}

// opposites are the operators of which one holds if the other does not, of a value that was found.
var opposites = map[string]string{
	"=": "!=", "!=": "=", contains: notContains, notContains: contains, "~": notLike, notLike: "~",
}

func FuzzMatcher(f *testing.F) {
	for _, s := range []string{
		"exists", "not exists", "absent", "not empty", "contains 5", "not contains \"x\"", "!~ x", "not ~ x", "not null",
		"> 5", "<=1e3", "!= x", "~ ^a+$", "2xx", "= ~x", "", "inf", "nan", "0x10", "~",
	} {
		f.Add(s, `{"a": 5}`)
		f.Add(s, `"text"`)
	}
	f.Fuzz(func(t *testing.T, s, doc string) {
		var k Matcher
		m := &syntax.Mistakes{}
		k.DecodeNode(&syntax.Node{Kind: syntax.String, Value: s}, m)
		var status Matcher
		status.DecodeStatus(&syntax.Node{Kind: syntax.String, Value: s}, &syntax.Mistakes{})
		if m.Len() > 0 {
			return
		}
		v, err := oj.ParseString(doc)
		if err != nil {
			v = doc
		}
		found := k.Matches(v, true, nil)
		if k.Matches(v, false, nil) != (k.op == absent) {
			t.Fatalf("%q matches nothing, or absent does not", s)
		}
		if other, known := opposites[k.op]; known {
			opposite := k
			opposite.op = other
			if opposite.Matches(v, true, nil) == found {
				t.Fatalf("%q and its opposite agree on %s", s, doc)
			}
		}
	})
}

// The forms of a matcher parse to the same matcher.
func TestMatcher_Forms(t *testing.T) {
	for _, text := range []string{"200", "2xx", "< 500", ">=300", "!= 404", "=204"} {
		for _, list := range []bool{false, true} {
			n := &syntax.Node{Kind: syntax.String, Value: text}
			if list {
				n = &syntax.Node{Kind: syntax.List, Items: []*syntax.Node{n, {Kind: syntax.String, Value: "418"}}}
			}
			var a, b Matcher
			var m syntax.Mistakes
			a.DecodeStatus(n, &m)
			again := &syntax.Node{Kind: syntax.List}
			for _, form := range a.Forms() {
				again.Items = append(again.Items, &syntax.Node{Kind: syntax.String, Value: form})
			}
			b.DecodeStatus(again, &m)
			if m.Len() > 0 {
				t.Fatal(m.Err())
			}
			for code := int64(100); code < 600; code++ {
				if a.Matches(code, true, nil) != b.Matches(code, true, nil) {
					t.Fatalf("%s (%v): %v disagree on %d", text, list, a.Forms(), code)
				}
			}
		}
	}
}
