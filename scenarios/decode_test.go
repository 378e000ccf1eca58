package scenarios_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/syntax/syntaxtest"
	"brunt/scenarios/template"
)

type inner struct {
	syntax.Place
	On bool `yaml:"on"`
}

type shared struct {
	Name string `yaml:"name"`
}

// all has a field of every kind of setting.
type all struct {
	syntax.Place
	shared   `yaml:",inline"`
	Switch   bool                       `yaml:"switch"`
	Maybe    *bool                      `yaml:"maybe"`
	Count    int                        `yaml:"count,min=1,max=10"`
	Small    int32                      `yaml:"small"`
	Large    int64                      `yaml:"large,positive"`
	Seed     uint64                     `yaml:"seed,max=100"`
	Weight   float64                    `yaml:"weight,positive"`
	Wait     quantity.Duration          `yaml:"wait,positive"`
	Rate     quantity.Rate              `yaml:"rate"`
	Share    quantity.Share             `yaml:"share,max=0.5"`
	Speed    quantity.Bandwidth         `yaml:"speed"`
	Think    quantity.Range             `yaml:"think"`
	Kind     string                     `yaml:"kind,oneof=one|two"`
	List     []string                   `yaml:"list"`
	Map      map[string]int             `yaml:"map"`
	Headers  map[string]template.Header `yaml:"headers"`
	Inner    inner                      `yaml:"inner"`
	Pointer  *inner                     `yaml:"pointer"`
	Raw      *syntax.Node               `yaml:"raw"`
	Needed   string                     `yaml:"needed,required"`
	Ignored  string                     `yaml:"-"`
	Untagged string
}

func TestDecode(t *testing.T) {
	text := `{name: n, switch: on, maybe: false, count: 10, small: -5, large: 1_000, seed: 0x10, weight: .5, wait: 1m, rate: 60/m, share: 50%,
  speed: 8bit/s, think: 1s..2s, kind: two, list: [a, 1, true], map: {x: 1, y: 2}, headers: {A: b}, inner: {on: true},
  pointer: {}, raw: {free: [form]}, needed: ""}`
	var v all
	var m syntax.Mistakes
	syntax.Decode(syntaxtest.Parse(t, text), &v, &m)
	if err := m.Err(); err != nil {
		t.Fatal(err)
	}
	if v.Name != "n" || !v.Switch || v.Maybe == nil || *v.Maybe || v.Count != 10 || v.Small != -5 || v.Large != 1000 ||
		v.Seed != 16 || v.Weight != .5 {
		t.Errorf("%+v", v)
	}
	if v.Wait.String() != "1m" || v.Rate != 1 || v.Share != .5 || v.Speed != 1 || v.Think.String() != "1s..2s" ||
		v.Kind != "two" {
		t.Errorf("%+v", v)
	}
	h := v.Headers["A"]
	if !reflect.DeepEqual(v.List, []string{"a", "1", "true"}) ||
		!reflect.DeepEqual(v.Map, map[string]int{"x": 1, "y": 2}) || h.Text() != "b" {
		t.Errorf("%+v", v)
	}
	if !v.Inner.On || v.Pointer == nil || v.Pointer.On || sketch(v.Raw) != `{"free":["form"]}` {
		t.Errorf("%+v", v)
	}
	if !v.Has("needed") || v.Has("missing") || v.Of("kind").Line != 2 || v.Of("missing") != v.At || v.At.Col != 1 ||
		v.Inner.Of("on").Line != 2 {
		t.Errorf("places are %+v", v.Place)
	}
}

func TestDecodeNothing(t *testing.T) {
	var v all
	var m syntax.Mistakes
	syntax.Decode(syntaxtest.Parse(t, "{needed: x, maybe: , list: , map: , pointer: , raw: , inner: }"), &v, &m)
	if m.Len() > 0 || v.Maybe != nil || v.List != nil || v.Map != nil || v.Pointer != nil || v.Raw != nil {
		t.Errorf("%+v %v", v, m.Err())
	}
	var list []string
	syntax.Decode(syntaxtest.Parse(t, "x"), &list, &m)
	if m.Len() > 0 || !reflect.DeepEqual(list, []string{"x"}) {
		t.Errorf("one is a list of one: %v %v", list, m.Err())
	}
}

func TestDecodeMistakes(t *testing.T) {
	tests := []struct{ text, want string }{
		{"{switch: yes}", `want on or off, not "yes"`},
		{"{switch: [on]}", "want a single value, not a list"},
		{"{maybe: 1}", `want on or off, not "1"`},
		{"{count: 0}", "`count` must be at least 1, not \"0\""},
		{"{count: 11}", "`count` can be at most 10, not \"11\""},
		{"{count: 1.5}", `want a whole number, not "1.5"`},
		{"{count: 010}", `want a whole number, not "010"`},
		{"{count: }", "a value is missing here"},
		{"{small: 3000000000}", `"3000000000" is out of range`},
		{"{large: 9223372036854775808}", `want a whole number, not "9223372036854775808"`},
		{"{large: -1}", "`large` must be more than zero, not \"-1\""},
		{"{seed: -1}", `want a whole number from 0, not "-1"`},
		{"{seed: 101}", "`seed` can be at most 100, not \"101\""},
		{"{weight: 0}", "`weight` must be more than zero, not \"0\""},
		{"{weight: .inf}", `want a number, not ".inf"`},
		{"{weight: .nan}", `want a number, not ".nan"`},
		{"{weight: 1e999}", `want a number, not "1e999"`},
		{"{wait: 0s}", "`wait` must be more than zero, not \"0s\""},
		{"{share: 51%}", "`share` can be at most 0.5, not \"51%\""},
		{"{kind: three}", "`kind` can't be \"three\"; known are one, two"},
		{"{kind: tow}", "`kind` can't be \"tow\"; did you mean \"two\"?"},
		{"{list: {a: b}}", "want a list, not a map; a list of one is written [ … ], or with a \"- \" before it"},
		{"{list: [[a]]}", "want a single value, not a list"},
		{"{map: [a]}", "want a map, not a list"},
		{"{map: {x: y}}", `want a whole number, not "y"`},
		{"{inner: x}", `want a map of settings, not "x"`},
		{"{pointer: {of: on}}", `unknown key "of"; did you mean "on"?`},
		{"{swich: on}", `unknown key "swich"; did you mean "switch"?`},
		{"{xyzzy: on}", `unknown key "xyzzy"; known are count, headers, inner, kind, large, list, map, maybe, name, needed, pointer, ` +
			`rate, raw, seed, share, small, speed, switch, think, wait, weight`},
		{"{list: [a, b], c, name: d}", `unknown key "c"; a value is missing, or a text with a comma in it is not quoted`},
		{"{name: a, b}", `unknown key "b"; a value is missing, or a text with a comma in it is not quoted`},
		{"[a]", "want a map of settings, not a list; such as {needed: …}"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			text := tt.text
			if strings.HasPrefix(text, "{") {
				text = "{needed: x, " + text[1:]
			}
			var v all
			var m syntax.Mistakes
			syntax.Decode(syntaxtest.Parse(t, text), &v, &m)
			if err := m.Err(); err == nil || !strings.HasSuffix(err.Error(), ": "+tt.want) ||
				strings.Contains(err.Error(), "\n") {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	t.Run("all in one go", func(t *testing.T) {
		var v all
		var m syntax.Mistakes
		syntax.Decode(syntaxtest.Parse(t, "{count: 0, wait: x, kind: y, zzz: 1, inner: {on: z}}"), &v, &m)
		if m.Len() != 6 {
			t.Errorf("%d mistakes: %v", m.Len(), m.Err())
		}
	})
}

// TestDecodeProgrammers checks that errors of the programmer panic.
func TestDecodeProgrammers(t *testing.T) {
	n := syntaxtest.Parse(t, "{a: 1}")
	for name, into := range map[string]any{
		"no pointer":    all{},
		"nil":           (*all)(nil),
		"unknown field": &struct{ A chan int }{},
		"unknown kind": &struct {
			A chan int `yaml:"a"`
		}{},
		"unknown option": &struct {
			A int `yaml:"a,least=5"`
		}{},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p := recover(); (p == nil) != (name == "unknown field") {
					t.Errorf("recovered %v", p)
				}
			}()
			syntax.Decode(n, into, &syntax.Mistakes{})
		})
	}
}

func TestKeys(t *testing.T) {
	if got := fmt.Sprint(syntax.Keys(&struct {
		shared `yaml:",inline"`
		A      int `yaml:"a,min=1"`
		B      int
	}{})); got != "[name a]" {
		t.Errorf("got %s", got)
	}
	if got := syntax.Keys(5); got != nil {
		t.Errorf("got %v", got)
	}
}

func TestNodeNumbers(t *testing.T) {
	for _, c := range []struct {
		text  string
		i     int64
		isInt bool
		f     float64
		isNum bool
	}{
		{"5", 5, true, 5, true},
		{"-5", -5, true, -5, true},
		{"+5", 5, true, 5, true},
		{"1_000", 1000, true, 1000, true},
		{"0x1F", 31, true, 0, false},
		{"0b11", 3, true, 0, false},
		{"0o17", 15, true, 0, false},
		{"0", 0, true, 0, true},
		{"017", 0, false, 17, true},
		{"1.5", 0, false, 1.5, true},
		{".5", 0, false, .5, true},
		{"1e3", 0, false, 1000, true},
		{"_1", 0, false, 0, false},
		{"1__0", 0, false, 0, false},
		{"x", 0, false, 0, false},
		{"0x1p3", 0, false, 0, false},
		{"9223372036854775807", 1<<63 - 1, true, 1 << 63, true},
		{"-9223372036854775808", -1 << 63, true, -1 << 63, true},
	} {
		n := &syntax.Node{Kind: syntax.Number, Value: c.text}
		if i, ok := n.Int(&syntax.Mistakes{}); i != c.i || ok != c.isInt {
			t.Errorf("%s is the whole number %d: %v", c.text, i, ok)
		}
		if f, ok := n.Float(&syntax.Mistakes{}); f != c.f || ok != c.isNum {
			t.Errorf("%s is the number %g: %v", c.text, f, ok)
		}
	}
}
