package scenarios

import (
	"testing"

	"github.com/ohler55/ojg/oj"
)

func FuzzMatcher(f *testing.F) {
	for _, s := range []string{"exists", "not empty", "> 5", "<=1e3", "!= x", "~ ^a+$", "2xx", "= ~x", "", "inf", "nan", "0x10", "~"} {
		f.Add(s, `{"a": 5}`)
		f.Add(s, `"text"`)
	}
	f.Fuzz(func(t *testing.T, s, doc string) {
		var k Matcher
		m := &Mistakes{}
		k.DecodeNode(&Node{Kind: String, Value: s}, m)
		var status Matcher
		status.DecodeStatus(&Node{Kind: String, Value: s}, &Mistakes{})
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
