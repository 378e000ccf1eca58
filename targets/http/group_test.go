package http_test

import (
	"fmt"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/targetstest"
)

// TestGroup: each answer is measured in the group that its header names, with its own outcome, and no other is.
func TestGroup(t *testing.T) {
	s := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		version := r.URL.Query().Get("v")
		w.Header()["x-version"] = []string{version} // in another spelling
		if r.URL.Path == "/fails" {
			w.WriteHeader(500)
		}
	}))
	defer s.Close()
	var steps []string
	for _, path := range []string{"/?v=1", "/?v=2", "/?v=3", "/fails?v=2"} {
		steps = append(steps, fmt.Sprintf(`{get: "%s", name: list, group: {header: X-Version, values: ["1", "2"]}}`, path))
	}
	f := targetstest.Compile(t, http.Descriptor(), "", steps...)
	if got := strings.Join(http.Descriptor().Parts(f.Calls[0]), ", "); got != "1, 2" {
		t.Errorf("the groups are %s", got)
	}
	var got []string
	c, err := http.Descriptor().Client(targets.Options{
		Base: s.URL, T0: time.Now(), Timeout: long,
		Emit: func(_ *template.Iter, c scenarios.Call, part int, out *scenarios.Outcome) {
			if !out.Answered || out.End <= out.Slot || out.Attempts != 1 {
				t.Errorf("%+v", out)
			}
			got = append(got, fmt.Sprint(http.Descriptor().Parts(c)[part], " ", out.Kind, " ", out.Status))
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	u := f.Open(t, c, time.Now(), 1)
	for i := range steps {
		u.Do(i, long)
	}
	if want := "1 ok 200, 2 ok 200, 2 error 500"; strings.Join(got, ", ") != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestGroup_Mistakes: each says where, and what is wrong.
func TestGroup_Mistakes(t *testing.T) {
	many := strings.Repeat("v, ", 17)
	for group, want := range map[string]string{
		"{header: 'a b', values: [v1]}":       `"a b" is not a header name`,
		"{header: X, values: [v1, v1]}":       `"v1" stands twice`,
		"{header: X, values: ['a\"b']}":       "can't name a group",
		"{header: X}":                         "values",
		"{header: X, values: [" + many + "]}": "at most 16 groups",
	} {
		_, err := targetstest.Try(http.Descriptor(), "", "{get: /, group: "+group+"}")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", group, err, want)
		}
	}
}
