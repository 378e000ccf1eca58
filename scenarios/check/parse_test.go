package check

import (
	"reflect"
	"runtime"
	"strings"
	"testing"

	"brunt/scenarios/budget"

	"github.com/ohler55/ojg/oj"
)

// TestWeigh: no document takes more memory than its text says.
func TestWeigh(t *testing.T) {
	for _, item := range []string{
		"[]", "{}", `{"a":1}`, "1", "1234", "1.5", `""`, `"abc"`, "[1,2,3]", "[[[[]]]]", "null",
		`{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9}`, `{"a":{"a":{"a":{}}}}`,
	} {
		text := []byte("[" + strings.Repeat(item+",", 64<<10/(len(item)+1)) + "1]")
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		doc, err := oj.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(doc)
		weight, err := weigh(text)
		if took := int(after.HeapAlloc) - int(before.HeapAlloc); err != nil || took > weight {
			t.Errorf("%s: %d bytes of memory, and the text says %d: %v", item, took, weight, err)
		}
	}
}

// TestParse: what is nested too deeply is refused before it is parsed, brackets in texts do not count, and what is over
// the budget is refused.
func TestParse(t *testing.T) {
	const deep = 10_000
	nested := func(a, b string) string { return strings.Repeat(a, deep) + strings.Repeat(b, deep) }
	for _, c := range []struct {
		name, text string
		over       string // of the error
	}{
		{"lists", nested("[", "]"), "more than 4096 deep"},
		{"maps", nested(`{"a":`, "}"), "more than 4096 deep"},
		{"unfinished", strings.Repeat("[", 20<<20), "more than 4096 deep"},
		{"in a text", `["` + nested("[", "]") + `", "\\", "\"` + nested("{", "}") + `"]`, ""},
		{"many", "[" + strings.Repeat("{},", 1<<20) + "1]", "brunt holds and decodes at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var claim budget.Claim
			defer claim.Release()
			doc, err := Parse([]byte(c.text), &claim)
			if c.over != "" {
				if budget.Over(err) == nil || !strings.Contains(err.Error(), c.over) || budget.Held() != 0 {
					t.Errorf("%v, and %d bytes are held", err, budget.Held())
				}
				return
			}
			want, _ := oj.ParseString(c.text)
			if err != nil || !reflect.DeepEqual(doc, want) {
				t.Errorf("another document: %v", err)
			}
		})
	}
}
