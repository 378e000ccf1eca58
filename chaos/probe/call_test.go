package probe

import (
	"testing"

	"github.com/ohler55/ojg/jp"

	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// TestAnswer_Holds: of JSON on many lines, an answer that holds says what was judged, and not the braces around it.
func TestAnswer_Holds(t *testing.T) {
	var m syntax.Mistakes
	paths := []check.Field{{Name: "$.leader", Path: jp.MustParseString("$.leader")}}
	k := check.Response{Answer: check.Answer{Paths: paths}}
	k.Paths[0].DecodeNode(&syntax.Node{Kind: syntax.String, Value: "n1"}, &m)
	if m.Len() > 0 {
		t.Fatal(m.Err())
	}
	for _, c := range []struct {
		body, want string
		holds      bool
	}{
		{`{"leader": "n1"}`, `status 200: {"leader": "n1"}`, true},
		{"{\n \"leader\": \"n1\"\n}\n", "status 200: $.leader is n1", true},
		{"{\n \"leader\": \"n0\"\n}\n", "$.leader is n0", false},
		{"{\n \"member\": \"n0\"\n}\n", "nothing stands at $.leader", false},
	} {
		a := &callAnswer{status: 200, body: []byte(c.body), secrets: &template.Secrets{}}
		if holds, said := a.holds(&k, nil); holds != c.holds || said != c.want {
			t.Errorf("of %q it says %v, %q, want %v, %q", c.body, holds, said, c.holds, c.want)
		}
	}
}
