package template

import (
	"reflect"
	"strings"
	"testing"

	"brunt/scenarios/syntax"
	"brunt/scenarios/syntax/syntaxtest"
)

// fillNode parses YAML and fills in its placeholders, with env.TOKEN as a secret.
func fillNode(t testing.TB, text, params string) (*syntax.Node, *Scope) {
	t.Helper()
	nodes := 0
	s := &Scope{
		Params:  map[string]*Param{},
		Env:     func(k string) (string, bool) { return "s3cr\"t/&", k == "TOKEN" },
		Secrets: &Secrets{}, Symbols: &Symbols{}, Mistakes: &syntax.Mistakes{}, Nodes: &nodes,
		Beside: func(_ syntax.Pos, path string) string { return path },
	}
	for _, f := range syntaxtest.Parse(t, params).Fields {
		s.Params[f.Key] = &Param{Node: f.Value}
	}
	n := syntaxtest.Parse(t, text)
	s.Fill(n, 0)
	if err := s.Mistakes.Err(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n, s
}

// TestFill checks how params, environment and files fill in a text.
func TestFill(t *testing.T) {
	const params = `{n: 5, on: true, text: a b, list: [1, {x: "${n}"}], none: , nested: "<${text}>", dollar: $, lit: "$${n}"}`
	tests := []struct {
		name, text string
		kind       syntax.NodeKind
		value      string
	}{
		{"a number stays one", `"${n}"`, syntax.Number, "5"},
		{"a switch stays one", `"${on}"`, syntax.Bool, "true"},
		{"a text", `"${text}"`, syntax.String, "a b"},
		{"nothing", `"${none}"`, syntax.Null, ""},
		{"a number in a text", `"x${n}"`, syntax.String, "x5"},
		{"two", `"${n}${n}"`, syntax.String, "55"},
		{"nested", `"${nested}"`, syntax.String, "<a b>"},
		{"nested in a text", `"[${nested}]"`, syntax.String, "[<a b>]"},
		{"literal", `"$${n}"`, syntax.String, "${n}"},
		{"a literal of a param", `"${lit}"`, syntax.String, "${n}"},
		{"a dollar before a value", `"$$${n}"`, syntax.String, "$5"},
		{"dynamic", `"${uuid()}-${n}"`, syntax.String, "${uuid()}-5"},
		{"environment", `"${env.TOKEN}"`, syntax.String, `s3cr"t/&`},
		{"single quotes", `'${n}'`, syntax.Number, "5"},
		{"plain", `${n}`, syntax.Number, "5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, _ := fillNode(t, tt.text, params)
			if n.Kind != tt.kind || n.Value != tt.value {
				t.Errorf("got %s %q", n.Kind, n.Value)
			}
		})
	}
	t.Run("a list", func(t *testing.T) {
		n, s := fillNode(t, `["${list}", "${list}"]`, params)
		first, second := n.Items[0], n.Items[1]
		if first.Kind != syntax.List || first == second || first.Items[1].Get("x").Value != "5" ||
			first.Items[1].Get("x").Kind != syntax.Number {
			t.Errorf("got %+v", first)
		}
		if len(s.Symbols.Uses()) != 0 {
			t.Errorf("%d uses", len(s.Symbols.Uses()))
		}
	})
}

func TestSymbols(t *testing.T) {
	n, s := fillNode(t, `["${var.a}", "${var.b}${var.a}", "${int(1,2)}"]`, "{}")
	if got := strings.Join(s.Symbols.Vars(), " "); got != "a b" {
		t.Errorf("variables are %s", got)
	}
	var slots []int
	for _, u := range s.Symbols.Uses() {
		slots = append(slots, u.Ref.Slot)
		if u.Pos.Line != 1 {
			t.Errorf("%s stands at %s", u.Ref, u.Pos)
		}
	}
	if !reflect.DeepEqual(slots, []int{0, 1, 0, 0}) {
		t.Errorf("slots are %v", slots)
	}
	if n.Items[0].Dynamic() == nil || s.Symbols.Var("c") != 2 || s.Symbols.Var("b") != 1 {
		t.Error("a new variable gets the next slot, a known one its own")
	}
}
