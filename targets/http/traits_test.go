package http_test

import (
	"fmt"
	"testing"

	"brunt/targets/http"
	"brunt/targets/targetstest"
)

// TestCall_Traits: what the plan has to know of a call.
func TestCall_Traits(t *testing.T) {
	for _, tt := range []struct{ name, step, want string }{
		{"nothing", `{get: /posts}`, `GET "/posts", to "", sheds false, fills in []`},
		{
			"placeholders everywhere", `{post: "/a/${var.n}", headers: {Host: "h${var.n}", X-A: "${var.n}"}, body: "${var.n}"}`,
			`POST "/a/${var.n}", to "", sheds false, fills in [n n n n]`,
		},
		{
			"another system", `{get: "http://127.0.0.1:1/a"}`,
			`GET "http://127.0.0.1:1/a", to "http://127.0.0.1:1", sheds false, fills in []`,
		},
		{"sheds", `{get: /a, check: {status: 200, shed: [429]}}`, `GET "/a", to "", sheds true, fills in []`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := targetstest.Compile(t, http.Descriptor(), "", `{get: /first, extract: {n: $.n}}`, tt.step)
			x := f.Calls[1].Traits()
			var refs []string
			for _, r := range x.Refs {
				refs = append(refs, r.Name)
			}
			if got := fmt.Sprintf("%s %q, to %q, sheds %t, fills in %v", x.Method, x.URL, x.Origin, x.Sheds,
				refs); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
