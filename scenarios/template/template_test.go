package template

import (
	"bufio"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"brunt/scenarios/syntax"
	"brunt/scenarios/syntax/syntaxtest"
)

// places decode a text as a template for each place of a request.
var places = map[string]func(*syntax.Node, *syntax.Mistakes) *Template{
	"text": func(n *syntax.Node, m *syntax.Mistakes) *Template {
		var t Text
		t.DecodeNode(n, m)
		return &t.Template
	},
	"header": func(n *syntax.Node, m *syntax.Mistakes) *Template {
		var t Header
		t.DecodeNode(n, m)
		return &t.Template
	},
	"form": func(n *syntax.Node, m *syntax.Mistakes) *Template {
		var t Form
		t.DecodeNode(n, m)
		return &t.Template
	},
	"url": func(n *syntax.Node, m *syntax.Mistakes) *Template {
		var t URL
		t.DecodeNode(n, m)
		return &t.Template
	},
	"json": func(n *syntax.Node, m *syntax.Mistakes) *Template {
		var t JSON
		t.DecodeNode(n, m)
		return &t.Template
	},
}

// render fills in var.x, param.x and data.t.x with value.
func render(t testing.TB, place, text, value string, isJSON bool) string {
	t.Helper()
	nodes := 0
	s := &Scope{
		Params: map[string]*Param{"x": {Node: &syntax.Node{
			Kind: syntax.String, Value: value, Parts: []syntax.Part{{Text: value}},
		}, done: true}},
		Env:     func(string) (string, bool) { return value, true },
		Secrets: &Secrets{}, Symbols: &Symbols{}, Mistakes: &syntax.Mistakes{}, Nodes: &nodes,
		Beside: func(_ syntax.Pos, path string) string { return path },
	}
	n := syntaxtest.Parse(t, text)
	s.Fill(n, 0)
	table := &Table{Name: "t", Columns: []string{"x"}, Rows: [][]Datum{{{Text: value, JSON: isJSON}}}, Pick: "next"}
	s.Symbols.BindTables([]*Table{table}, s.Mistakes)
	tmpl := places[place](n, s.Mistakes)
	if err := s.Mistakes.Err(); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	it := &Iter{
		Rand: rand.New(rand.NewPCG(1, 2)), Env: &Env{Tables: []*Table{table}, Units: map[string]string{"unit.a.addr": value}},
	}
	for range s.Symbols.Vars() {
		it.Vars = append(it.Vars, Value{Text: []byte(value), JSON: isJSON, Set: true})
	}
	out, err := tmpl.Append(nil, it)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	if _, static := tmpl.Static(); static == (len(tmpl.Refs()) > 0) {
		t.Errorf("%s: static is %v, and it has %d placeholders", text, static, len(tmpl.Refs()))
	}
	return string(out)
}

func TestTemplates(t *testing.T) {
	tests := []struct{ name, place, text, value, want string }{
		{"text", "text", `"<${var.x}>"`, "a\r\n\"b", "<a\r\n\"b>"},
		{"header", "header", `"Bearer ${var.x}"`, "a\r\nX: b\x00c\x7fé\t", "Bearer a  X: b c é\t"},
		{"form", "form", `"a b=${var.x}"`, "c&d é", "a%20b%3Dc%26d%20%C3%A9"},
		{"path", "url", `"/posts/${var.x}/c"`, "a/../b?c#d%", "/posts/a%2F..%2Fb%3Fc%23d%25/c"},
		{"query", "url", `"/posts?a=${var.x}&b"`, "1&c=2 é", "/posts?a=1%26c%3D2%20%C3%A9&b"},
		{"query with a slash", "url", `"/p?a=/${var.x}"`, "a/b", "/p?a=/a%2Fb"},
		{"query after a path", "url", `"/${var.x}?${var.x}=${var.x}"`, "a/", "/a%2F?a%2F=a%2F"},
		{"whole URL", "url", `"${var.x}"`, "http://h:80/p?q=1&r#top", "http://h:80/p?q=1&r"},
		{"whole URL can't break the line", "url", `"${var.x}"`, "/ HTTP/1.1\r\nX: y", "/%20HTTP/1.1%0D%0AX:%20y"},
		{"path of a base", "url", `"${var.x}/posts/${var.x}"`, "http://h", "http://h/posts/http%3A%2F%2Fh"},
		{"host", "url", `"http://${var.x}/p"`, "h:80", "http://h:80/p"},
		{"host without path", "url", `"http://h?a=${var.x}"`, "a/b", "http://h?a=a%2Fb"},
		{"a fragment is left out", "url", `"/a#b${var.x}c"`, "x", "/a"},
		{"written beyond ASCII", "url", `"/é\"<{|}>"`, "", "/%C3%A9%22%3C%7B%7C%7D%3E"},
		{
			"json text", "json", `{a: "x ${var.x}"}`, "q\"\\\n\x01é\u2028\xff",
			`{"a":"x q\"\\\n\u0001é` + "\u2028\ufffd" + `"}`,
		},
		{"json whole text", "json", `{a: "${var.x}"}`, `q"`, `{"a":"q\""}`},
		{
			"json kinds", "json",
			`{a: 1, b: -1.50, c: true, d: False, e: null, f: , g: [1, x], h: {i: 0x1F}, j: 1_000, k: .5, l: 12345678901234567890123, m: 1e3, n: "1", o: on}`,
			"",
			`{"a":1,"b":-1.50,"c":true,"d":false,"e":null,"f":null,"g":[1,"x"],"h":{"i":31},"j":1000,"k":0.5,"l":12345678901234567890123,"m":1e3,"n":"1","o":"on"}`,
		},
		{"json keys", "json", `{"a\"b": 1, 2: 3, é: 4}`, "", `{"a\"b":1,"2":3,"é":4}`},
		{"json of a param's text", "json", `["${x}"]`, "5", `["5"]`},
		{"json scalar", "json", `x`, "", `"x"`},
		{"literal", "json", `"$${x} $$${x}"`, "5", `"${x} $5"`},
		{"empty", "header", `""`, "", ""},
		{"a number as header", "header", `5`, "", "5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := render(t, tt.place, tt.text, tt.value, false); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestTemplateJSONValues(t *testing.T) {
	for _, tt := range []struct{ place, text, want string }{
		{"json", `{a: "${var.x}"}`, `{"a":{"b":[1,"c"]}}`},
		{"json", `{a: "${data.t.x}"}`, `{"a":{"b":[1,"c"]}}`},
		{"json", `{a: "is ${var.x}"}`, `{"a":"is {\"b\":[1,\"c\"]}"}`},
		{"url", `"/${var.x}"`, `/%7B%22b%22%3A%5B1%2C%22c%22%5D%7D`},
		{"text", `"${var.x}"`, `{"b":[1,"c"]}`},
	} {
		if got := render(t, tt.place, tt.text, `{"b":[1,"c"]}`, true); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.text, got, tt.want)
		}
	}
}

// FuzzTemplate checks for any value, in every place, from every source, that the result is one
// header line, one request target, one JSON document or one field of a form, and that the value
// in it is unchanged.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{
		"", "abc", "a b", "a\r\nb: c", "a/b?c#d&e=f%", "\"\\", "é\u2028\xff\x00", "{\"a\":1}", "null", "${x}", "..",
		"http://h/p", "+", "=;",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		same := func(place, text string) string {
			t.Helper()
			dynamic := render(t, place, strings.ReplaceAll(text, "@", "var.x"), value, false)
			for _, ref := range []string{"x", "env.X", "data.t.x", "unit.a.addr"} {
				if ref == "env.X" && strings.HasPrefix(text, `"${@}`) { // a secret is no host
					continue
				}
				if got := render(t, place, strings.ReplaceAll(text, "@", ref), value, false); got != dynamic {
					t.Errorf("%s from %s is %q, from var.x %q", text, ref, got, dynamic)
				}
			}
			return dynamic
		}
		header := same("header", `"a ${@} b"`)
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET / HTTP/1.1\r\nHost: h\r\nX: " + header +
			"\r\n\r\n")))
		if err != nil || len(r.Header) != 1 || len(r.Header["X"]) != 1 || r.Header.Get("X") != header ||
			len(header) != len(value)+4 {
			t.Errorf("header %q: %v %v", header, r, err)
		}
		target := same("url", `"/a/${@}/b?c=${@}&${@}=d#${@}"`)
		r, err = http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n")))
		if err != nil || r.RequestURI != target {
			t.Fatalf("target %q: %v", target, err)
		}
		segments := strings.Split(r.URL.EscapedPath(), "/")
		query, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil || len(segments) != 4 || !reflect.DeepEqual(query["c"][0], value) || query[value] == nil ||
			r.URL.Fragment != "" {
			t.Errorf("target %q has segments %q and query %q: %v", target, segments, query, err)
		} else if got, err := url.PathUnescape(segments[2]); err != nil || got != value {
			t.Errorf("target %q has segment %q: %v", target, got, err)
		}
		if base := same("url", `"${@}/p"`); strings.ContainsAny(base, " \r\n\t\x00#") {
			t.Errorf("URL %q", base)
		}
		form := same("form", `"a${@}"`)
		if q, err := url.ParseQuery("k=" + form); err != nil || len(q) != 1 || q.Get("k") != "a"+value {
			t.Errorf("form %q: %v", form, err)
		}
		valid := string([]rune(value))
		for text, want := range map[string]any{
			`{k: "<${@}>", l: 1}`: map[string]any{"k": "<" + valid + ">", "l": 1.},
			`{k: "${@}"}`:         map[string]any{"k": valid},
			`["${@}", x]`:         []any{valid, "x"},
		} {
			doc := same("json", text)
			var got any
			if err := json.Unmarshal([]byte(doc), &got); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s is %s: %v", text, doc, err)
			}
		}
		if json.Valid([]byte(value)) {
			doc := render(t, "json", `["${var.x}"]`, value, true)
			var got []json.RawMessage
			if err := json.Unmarshal([]byte(doc), &got); err != nil || len(got) != 1 ||
				string(got[0]) != strings.Trim(value, " \t\r\n") {
				t.Errorf("JSON %q gives %s: %v", value, doc, err)
			}
		}
	})
}

func TestTemplateErrors(t *testing.T) {
	tests := []struct {
		name, text string
		want       error
	}{
		{"never extracted", `"${var.x}"`, ErrUnset},
		{"not started", `"${unit.a.addr}"`, ErrNotStart},
		{"used up", `"${data.t.x}"`, ErrUsedUp},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, s := fillNode(t, tt.text, "{}")
			table := &Table{Name: "t", Columns: []string{"x"}, Pick: "unique"}
			s.Symbols.BindTables([]*Table{table}, s.Mistakes)
			reported := 0
			it := &Iter{Vars: make([]Value, 1), Env: &Env{Tables: []*Table{table}, Fill: func() { reported++ }}}
			_, err := places["text"](n, s.Mistakes).Append(nil, it)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), strings.Trim(tt.text, `"`)) {
				t.Errorf("got %v", err)
			}
			if want := map[bool]int{true: 1}[tt.want == ErrUsedUp]; reported != want {
				t.Errorf("reported %d times", reported)
			}
		})
	}
}

// TestTemplateSecrets checks that a template's text for people shows the name of a secret, while
// a request contains its value.
func TestTemplateSecrets(t *testing.T) {
	n, s := fillNode(t, `"/login?key=${env.TOKEN}&n=${p}&u=${uuid()}"`, "{p: 5}")
	tmpl := places["url"](n, s.Mistakes)
	if got, want := tmpl.Text(), "/login?key=${env.TOKEN}&n=5&u=${uuid()}"; got != want {
		t.Errorf("text is %s, want %s", got, want)
	}
	out, err := tmpl.Append(nil, &Iter{Rand: rand.New(rand.NewPCG(1, 2)), Env: &Env{}})
	if err != nil || !strings.HasPrefix(string(out), "/login?key=s3cr%22t%2F%26&n=5&u=") {
		t.Errorf("request is %s: %v", out, err)
	}
	if masked := s.Secrets.Mask(string(out)); strings.Contains(masked, "s3cr") ||
		!strings.Contains(masked, "key=***&n=5") {
		t.Errorf("masked is %s", masked)
	}
	var joined Template
	joined.Join("k=", tmpl)
	if got := joined.Text(); !strings.HasPrefix(got, "k=/login?key=${env.TOKEN}&") || len(joined.Refs()) != 1 ||
		joined.IsZero() {
		t.Errorf("joined is %s", got)
	}
}

// TestTemplateAllocs checks that filling in a template does not allocate once its buffer has grown.
func TestTemplateAllocs(t *testing.T) {
	for place, text := range map[string]string{
		"text":   `"${var.x} ${int(1,50)} ${uuid()} ${data.t.x} ${now()} ${now(ms)}"`,
		"header": `"${var.x} ${int(1,50)} ${uuid()} ${data.t.x}"`,
		"url":    `"/${var.x}?a=${int(-5,50)}&b=${uuid(seeded)}&c=${data.t.x}"`,
		"json":   `{a: "${var.x}", b: "${int(1,50)}", c: "${uuid()}", d: "x ${var.x} ${data.t.x}", e: "${data.t.x}", f: "${now()}"}`,
		"form":   `"${var.x} ${int(1,50)} ${uuid()}"`,
	} {
		t.Run(place, func(t *testing.T) {
			n, s := fillNode(t, text, "{}")
			table := &Table{Name: "t", Columns: []string{"x"}, Rows: [][]Datum{{{Text: "é\"&/"}}}, Pick: "next"}
			s.Symbols.BindTables([]*Table{table}, s.Mistakes)
			tmpl := places[place](n, s.Mistakes)
			it := &Iter{Rand: rand.New(rand.NewPCG(1, 2)), Env: &Env{Tables: []*Table{table}}}
			it.Vars = []Value{{Text: []byte("a \"longer\" text with é, \xff and & / in it, so that all is escaped"), Set: true}}
			var buf []byte
			allocs := testing.AllocsPerRun(100, func() {
				it.Reset()
				var err error
				if buf, err = tmpl.Append(buf[:0], it); err != nil {
					t.Fatal(err)
				}
			})
			if allocs != 0 {
				t.Errorf("%g allocations for %s", allocs, buf)
			}
		})
	}
}
