package scenarios_test

import (
	"fmt"
	"strings"
	"testing"

	"brunt/scenarios"
)

func TestRequestName(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"/", "GET /"},
		{"/posts?page=2#x", "GET /posts"},
		{"http://example.org", "GET /"},
		{"https://example.org:8443/posts/17/comments", "GET /posts/:id/comments"},
		{"/v2/a1/posts", "GET /v2/a1/posts"},
		{"/f/6ba7b810-9dad-11d1-80b4-00c04fd430c8.png", "GET /f/:id"},
		{"/f/6ba7b810-9dad-11d1-80b4-00c04fd430c8", "GET /f/:id"},
		{"/c/deadbeef", "GET /c/deadbeef"},
		{"/c/deadbeef01", "GET /c/:id"},
		{"/2026-11-20/", "GET /:id/"},
		{`/a"b`, "GET /a%22b"},
	} {
		if got := scenarios.RequestName("GET", c.url); got != c.want {
			t.Errorf("%s: got %s, want %s", c.url, got, c.want)
		}
	}
	if got := scenarios.RequestName("GET", "/"+strings.Repeat("x/", 1000)); len(got) > 2*scenarios.MostName {
		t.Errorf("a name of %d bytes", len(got))
	}
}

// The most frequent names are kept; the rest count under one name.
func TestRequestNames(t *testing.T) {
	var r scenarios.RequestNames
	total := int64(0)
	for i := range 3 * scenarios.MostCounted {
		name := fmt.Sprintf("GET /x%dx", i)
		if i%3 == 0 {
			name = fmt.Sprintf("POST /y%d", i/3%(scenarios.MostNames-1)) // frequent
		}
		r.Count(name)
		total++
	}
	list := r.List()
	if len(list) > scenarios.MostNames+2 || list[0] != "GET other" {
		t.Fatalf("%d names, the first %q", len(list), list[0])
	}
	sum := int64(0)
	for _, name := range list {
		sum += r.Times(name)
	}
	if sum != total {
		t.Errorf("%d of %d are counted", sum, total)
	}
	if got := r.Of("POST /y3"); got != "POST /y3" {
		t.Errorf("one that comes often is %q", got)
	}
	if got := r.Of("GET /x1x"); got != "GET other" && r.Times(got) == 0 {
		t.Errorf("one that comes once is %q", got)
	}
}
