package draft

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"brunt/scenarios/convert/converttest"
	"brunt/scenarios/template"
)

// FuzzText writes a text at all places of a file and checks that it parses to the same text.
func FuzzText(f *testing.F) {
	for _, s := range []string{
		"plain", "", "${x}", "a$${x}", "$", "$$", "{a: b}", "a # b", "- a", "true", "1e3", "\x00\x1f\u0085\u2028",
		"a\tb\n\nc ", "'", `"`, "<<", "…", "yes", "a:b", "?",
	} {
		f.Add(s, "k")
		f.Add("v", s)
	}
	f.Fuzz(func(t *testing.T, s, after string) {
		if !utf8.ValidString(s) || !utf8.ValidString(after) || len(s)+len(after) > 2000 {
			return
		}
		values := []Text{Lit(s), Join(Lit(s), Lit(after)), Join(Lit(s), Ref("int(1,2)"), Lit(after))}
		inline := &Node{}
		inline.Set("a", Str(values[0])).Set("b", List(Str(values[1]), Plain("x"))).Set("c", Str(values[2]))
		inline.Set(after+"-", Plain("x"))
		block := &Node{Block: true}
		block.Above = []string{s}
		block.Set("a", Str(values[0])).Set("b", List(Str(values[1]), Plain("x"))).Set("c", Str(values[2]))
		top := &Node{Block: true}
		top.Set("version", Raw("1")).Set("target", (&Node{}).Set("url", Plain("http://127.0.0.1:1")))
		load := (&Node{Block: true}).Set("executor", Raw("constant-vus")).Set("vus", Number(1)).Set("duration", Raw("1s"))
		step := func(n *Node) *Node { return (&Node{}).Set("post", Plain("/")).Set("json", n) }
		load.Set("flow", List(step(inline), step(block)))
		top.Set("load", (&Node{}).Set("l", load))
		if strings.Contains(after, "${") {
			inline.Fields = inline.Fields[:3]
		}
		var b strings.Builder
		top.write(&b, 0, false)
		sc, err := converttest.Parse(b.String())
		if err != nil {
			t.Fatalf("%v\n%s", err, b.String())
		}
		for _, st := range sc.Loads[0].Flow {
			doc := st.With.Get("json")
			var tmpl template.Text
			for key, want := range map[string]string{"a": s, "b": s + after, "c": ""} {
				n := doc.Get(key)
				if key == "b" {
					n = n.Items[0]
				}
				tmpl = template.Text{}
				tmpl.DecodeNode(n, sc.Mistakes())
				got, static := tmpl.Static()
				if key == "c" {
					if len(tmpl.Refs()) != 1 {
						t.Errorf("%q: the placeholder is lost in %s", s, b.String())
					}
					continue
				}
				if !static || got != want {
					t.Errorf("wrote %q, read %q in\n%s", want, got, b.String())
				}
			}
		}
	})
}

// FuzzJSON writes a document as YAML and checks that the same document is sent.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		`{"a":1.50,"b":[null,true,"${x}"],"c":{"d":"e\u0000"}}`, `[]`, `[1e400,-0]`, `{"n":"y","true":"no","":1}`,
		`{"a":{},"a":1}`, `{"~":"~"}`, `{"<<":1}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want bytes.Buffer
		if len(s) > 4000 || !utf8.ValidString(s) || json.Compact(&want, []byte(s)) != nil {
			return
		}
		d := newBuilder(Options{Kind: "har", File: "f"})
		n, ok := d.json(&Request{Public: true}, s)
		if !ok {
			return
		}
		flow := &Node{Block: true, Items: []*Node{}}
		d.Add(flow, (&Node{}).Set("post", Plain("/")).Set("json", n))
		if len(flow.Items) == 0 {
			return
		}
		d.Load.Set("l", d.Arrivals("1/s", "x").Set("flow", flow))
		out := d.text(d.complete())
		sc, err := converttest.Parse(out)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		var tmpl template.JSON
		tmpl.DecodeNode(sc.Loads[0].Flow[0].With.Get("json"), sc.Mistakes())
		got, static := tmpl.Static()
		var a, b any
		if !static || decode(got, &a) != nil || decode(want.String(), &b) != nil || !same(a, b) {
			t.Errorf("%s became %s by\n%s", want.String(), got, out)
		}
	})
}

func decode(s string, to *any) error {
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	return dec.Decode(to)
}

// same compares documents whose numbers are texts.
func same(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// TestUnique checks that a name gets the first number that no other name has.
func TestUnique(t *testing.T) {
	for _, c := range []struct{ taken, want string }{
		{"", "a"},
		{"b a-2", "a"},
		{"a", "a-2"},
		{"a a-2 a-4 ab", "a-3"},
		{"a a-02 a2 a-2b a-9 a--2", "a-2"},
		{"a-3 a-2 a", "a-4"},
	} {
		in := new(Node)
		for name := range strings.FieldsSeq(c.taken) {
			in.Set(name, Plain("x"))
		}
		if got := Unique(in, "a"); got != c.want {
			t.Errorf("beside %q: %s, want %s", c.taken, got, c.want)
		}
	}
}
