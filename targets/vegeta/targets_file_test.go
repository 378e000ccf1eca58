package vegeta_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	nethttp "net/http"
	"strings"
	"testing"

	"brunt/scenarios/syntax"
	"brunt/targets/http"
	"brunt/targets/vegeta"

	lib "github.com/tsenart/vegeta/v12/lib"
)

// targetsText formats targets, one line each.
func targetsText(list []http.Recorded) string {
	var out []string
	for _, r := range list {
		var s strings.Builder
		fmt.Fprintf(&s, "%d %s %s", r.At.Line, r.Method, r.URL)
		for _, f := range r.Header {
			fmt.Fprintf(&s, " %s=%s", f.Name, f.Value)
		}
		if r.Body != nil {
			fmt.Fprintf(&s, " [%s]", r.Body)
		}
		out = append(out, s.String())
	}
	return strings.Join(out, "; ")
}

func readBody(path string) ([]byte, error) {
	if path == "body.json" {
		return []byte("{}"), nil
	}
	return nil, errors.New(path + " is not there")
}

func TestReadTargets(t *testing.T) {
	for _, c := range []struct{ name, text, want, wrong string }{
		{"one", "GET http://a/", "1 GET http://a/", ""},
		{
			"several", "GET http://a/\nPOST http://b/\n\n\nPURGE http://c/x?y=z\n",
			"1 GET http://a/; 2 POST http://b/; 5 PURGE http://c/x?y=z", "",
		},
		{
			"headers and a body", "# first\nPOST http://a/\nx-case: Kept\n# within\nX-Two: a: b\n@body.json\n\nGET http://a/",
			"2 POST http://a/ x-case=Kept X-Two=a: b [{}]; 8 GET http://a/", "",
		},
		{"no blank line between", "GET http://a/\nX-A: b\nGET http://b/\n", "1 GET http://a/ X-A=b; 3 GET http://b/", ""},
		{"a path under the target's URL", "GET /a/b?c", "1 GET /a/b?c", ""},
		{"windows", "\ufeffGET http://a/\r\nX-A: b\r\n\r\nGET http://b/\r\n", "1 GET http://a/ X-A=b; 4 GET http://b/", ""},
		{
			"json", `{"method": "POST", "url": "http://a/", "header": {"X-A": ["b", "c"]}, "body": "e30="}` + "\n\n" +
				`{"method": "GET", "url": "/b"}`,
			"1 POST http://a/ X-A=b X-A=c [{}]; 3 GET /b", "",
		},
		{"no target", "# nothing\n", "", "1:1: there is no target in this file"},
		{"no method", "http://a/", "", `1:1: "http://a/" is not a target; such as GET http://127.0.0.1:8080/`},
		{"a header without value", "GET http://a/\nX-A", "", `2:1: "X-A" is not a header`},
		{"a name that is none", "GET http://a/\nx a: b", "", `2:1: "x a" is not a header name`},
		{
			"a header that is brunt's", "GET http://a/\nContent-Length: 3", "",
			"2:1: header Content-Length is brunt's to set; leave it out",
		},
		{"a body that is not there", "POST http://a/\n@no.json", "", "2:1: the body: no.json is not there"},
		{"a URL that is none", "GET a b", "", "1:1: invalid URI for request"},
		{
			"json of another form", `{"method": "GET", "url": "/", "headers": {}}`, "",
			`1:1: unknown key "headers"; did you mean "header"?`,
		},
		{"json that is none", "{\n}", "", "1:1: this line is not a target of the format json"},
		{"two on a line", `{"method": "GET", "url": "/"} {}`, "", "something follows the target"},
		{
			"json in Latin-1", `{"method": "GET", "url": "/", "header": {"X-A": ["` + "\xe9" + `"]}}`, "",
			"1:1: this line is not a target of the format json: it is not UTF-8",
		},
		{
			"json in another case", `{"method": "GET", "url": "/", "boDy": "e30="}`, "",
			`1:1: unknown key "boDy"; did you mean "body"?`,
		},
		{"json without method", `{"url": "/"}`, "", "1:1: the target has no method"},
		{"a file of another kind", strings.Repeat("x\n", 1000), "", "21:1: what follows was not looked at"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var m syntax.Mistakes
			got := vegeta.ReadTargets("t.txt", []byte(c.text), readBody, &m)
			if err := m.Err(); c.wrong == "" && err != nil ||
				c.wrong != "" && !strings.Contains(fmt.Sprint(err), "t.txt:"+c.wrong) &&
					!strings.Contains(fmt.Sprint(err), c.wrong) {
				t.Errorf("got %v, want %q", err, c.wrong)
			}
			if c.wrong == "" && targetsText(got) != c.want {
				t.Errorf("got %s, want %s", targetsText(got), c.want)
			}
		})
	}
}

// FuzzReadTargets compares the parser with vegeta's.
func FuzzReadTargets(f *testing.F) {
	f.Add("GET http://a/\nX-A: b\n\nPOST http://b/\n# c\nX-B: d\n")
	f.Add(`{"method": "POST", "url": "http://a/", "header": {"X-A": ["b"]}, "body": "e30="}`)
	f.Add(`{"method": "GET", "url": "a:", "header": {"X-A": []}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var m syntax.Mistakes
		got := vegeta.ReadTargets("t.txt", []byte(text), readBody, &m)
		if strings.ContainsAny(text, "@\ufeff") || m.Err() != nil { // vegeta would read a file of this machine
			return
		}
		var theirs lib.Targeter
		if strings.HasPrefix(strings.TrimSpace(text), "{") {
			theirs = lib.NewJSONTargeter(strings.NewReader(text+"\n"), nil, nil)
		} else {
			theirs = lib.NewHTTPTargeter(strings.NewReader(text), nil, nil)
		}
		list, err := lib.ReadAllTargets(theirs)
		if err != nil || len(list) != len(got) { // brunt accepts more
			return
		}
		for i, want := range list {
			if strings.TrimSpace(want.Method) != want.Method { // vegeta would send a form feed with it
				continue
			}
			// a header without values is not sent
			maps.DeleteFunc(want.Header, func(_ string, values []string) bool { return len(values) == 0 })
			own := nethttp.Header{}
			for _, f := range got[i].Header {
				own[f.Name] = append(own[f.Name], f.Value)
			}
			if got[i].Method != want.Method || got[i].URL != want.URL || !bytes.Equal(got[i].Body, want.Body) ||
				fmt.Sprint(own) != fmt.Sprint(want.Header) {
				t.Errorf("target %d: %+v, and vegeta reads %+v", i, got[i], want)
			}
		}
	})
}
