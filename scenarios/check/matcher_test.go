package check

import (
	"testing"

	"brunt/scenarios/syntax"

	"github.com/ohler55/ojg/oj"
)

func FuzzMatcher(f *testing.F) {
	for _, s := range []string{
		"exists", "not empty", "> 5", "<=1e3", "!= x", "~ ^a+$", "2xx", "= ~x", "", "inf", "nan", "0x10", "~",
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
		found := k.Matches(v, true)
		if k.Matches(v, false) {
			t.Fatalf("%q matches nothing", s)
		}
		if k.op == "=" || k.op == "!=" {
			opposite := k
			opposite.op = map[string]string{"=": "!=", "!=": "="}[k.op]
			if opposite.Matches(v, true) == found {
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
				if a.Matches(code, true) != b.Matches(code, true) {
					t.Fatalf("%s (%v): %v disagree on %d", text, list, a.Forms(), code)
				}
			}
		}
	}
}
