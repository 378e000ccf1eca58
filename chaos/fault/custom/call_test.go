//go:build unix

package custom

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/probe"
	"brunt/scenarios/template"
)

// TestCall_Reach: a call connects to loopback and to what allow.chaos names, wherever
// a name, a redirect or the environment's proxy would have it go.
func TestCall_Reach(t *testing.T) {
	var asked atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	// 192.0.2.0/24 is for documentation (RFC 5737): no request may go there.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "http://192.0.2.1:1/", http.StatusTemporaryRedirect)
		}
	}))
	defer server.Close()
	const refused = "under guard.allow.chaos"
	for _, c := range []struct {
		name, url string
		allow     [][]string
		want      string
	}{
		{"loopback", server.URL, nil, ""},
		{"an address", "http://192.0.2.1:1/", nil, "name 192.0.2.1 " + refused},
		{"an address as IPv6", "http://[::ffff:192.0.2.1]:1/", nil, "name 192.0.2.1 " + refused},
		{"a redirect", server.URL + "/away", nil, "name 192.0.2.1 " + refused},
		{"another port", "http://192.0.2.1:2/", [][]string{{"192.0.2.1:1"}}, "name 192.0.2.1 " + refused},
		{
			"what one list of two holds", "http://192.0.2.1:2/",
			[][]string{{"192.0.2.0/24"}, {"10.0.0.0/8"}},
			"name 192.0.2.1 " + refused,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			call := &probe.ResolvedCall{
				Method: "GET", Shows: c.url, URL: probe.Literal(c.url), Allow: c.allow, Timeout: 300 * time.Millisecond,
			}
			_, err := call.Do(t.Context())
			switch {
			case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	if asked.Load() > 0 {
		t.Error("the environment's proxy was asked")
	}
}

// Secrets of a call are escaped for their places, and never shown.
func TestCall_Secrets(t *testing.T) {
	const secret = "p/w d&\"x"
	t.Setenv("OWN_TOKEN", secret)
	var got atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := make([]byte, 100)
		n, _ := r.Body.Read(b)
		got.Store(fmt.Sprintf("%s|%s|%s|%s", r.URL.Path, r.URL.Query().Get("t"), r.Header.Get("Authorization"), b[:n]))
		http.Error(w, "no: "+r.Header.Get("Authorization"), http.StatusForbidden)
	}))
	defer server.Close()
	s := mustStep(t, strings.ReplaceAll(`webhook: {inject: {post: "URL/${env.OWN_TOKEN}?t=${env.OWN_TOKEN}", `+
		`headers: {Authorization: "Bearer ${env.OWN_TOKEN}"}, json: {t: "${env.OWN_TOKEN}"}}, verify: {get: "URL/"}, revert: {delete: "URL/${env.OWN_TOKEN}", `+
		`check: {status: 403}}}`, "URL", server.URL), chaos.Env{})
	h, err := s.Inject(t.Context())
	if err == nil || !strings.Contains(err.Error(), "status 403: no: Bearer ***") ||
		strings.Contains(err.Error(), "p/w") || strings.Contains(err.Error(),
		"p%2Fw") {
		t.Errorf("inject: %v", err)
	}
	if want := "/" + secret + "|" + secret + "|Bearer " + secret + `|{"t":"p/w d&\"x"}`; got.Load() != want {
		t.Errorf("it was asked %s, want %s", got.Load(), want)
	}
	undo := s.Undo()[0]
	for _, b := range [][]byte{undo.Args, undo.Identity} {
		if strings.Contains(string(b), "p/w") || strings.Contains(string(b), "p%2F") {
			t.Errorf("it is written down: %s", b)
		}
	}
	// 403 is what it wants
	if o, err := chaos.OperationsOf(operations()).Undo(t.Context(), undo); o != chaos.Reverted || err != nil {
		t.Errorf("%s, %v", o, err)
	}
	if o, err := h.Revert(t.Context()); o != chaos.Reverted || err != nil {
		t.Errorf("%s, %v", o, err)
	}
	server.Close()
	if _, err := h.Revert(t.Context()); err == nil || strings.Contains(err.Error(), "p/w") ||
		strings.Contains(err.Error(), "p%2F") {
		t.Errorf("an error that tells: %v", err)
	}
}

func TestAnswer_Holds(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Role", "primary")
		if r.URL.Path == "/down" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprint(w, `{"alerts": ["down"], "lag": 3}`)
	}))
	defer server.Close()
	for _, c := range []struct {
		path, check string
		want        bool
	}{
		{"/", "", true},
		{"/down", "", false},
		{"/down", "{status: 503}", true},
		{"/", "{status: 503}", false},
		{"/", `{"$.alerts": not empty}`, true},
		{"/", `{"$.alerts[0]": down, "$.lag": "> 2"}`, true},
		{"/", `{"$.lag": "> 3"}`, false},
		{"/", `{"$.nothing": exists}`, false},
		{"/", "{header: {x-role: primary}}", true},
		{"/", "{header: {X-Role: standby}}", false},
		{"/", "{body: \"~ lag\"}", true},
		{"/", "{body: \"~ gone\"}", false},
	} {
		settings := `exec: {inject: ["true"], verify: {get: "` + server.URL + c.path + `"}, revert: ["true"]}`
		if c.check != "" {
			settings = strings.Replace(settings, `"}, revert`, `", check: `+c.check+`}, revert`, 1)
		}
		_, err := planCustom(t, settings, chaos.Env{})
		if held := err != nil && strings.Contains(err.Error(), "already holds before"); held != c.want ||
			err != nil && !held {
			t.Errorf("%s %s: %v", c.path, c.check, err)
		}
	}
}

func TestSeries(t *testing.T) {
	page := []byte(`# HELP up Is it.
# TYPE up gauge
up{job="db"} 0
up{job="web"} 1
# TYPE errors_total counter
errors_total 7
untyped_count 5
# TYPE lat histogram
lat_bucket{le="1"} 2
lat_bucket{le="+Inf"} 3
lat_sum 4.5
lat_count 3
# TYPE load summary
load{quantile="0.5"} 1
load_sum 10
load_count 4
`)
	for _, c := range []struct {
		name   string
		labels map[string]string
		want   string
	}{
		{"up", nil, "[0 1]"},
		{"up", map[string]string{"job": "db"}, "[0]"},
		{"up", map[string]string{"job": "no"}, "[]"},
		{"errors_total", nil, "[7]"},
		{"untyped_count", nil, "[5]"},
		{"lat_count", nil, "[3]"},
		{"lat_sum", nil, "[4.5]"},
		{"load_count", nil, "[4]"},
		{"load_sum", nil, "[10]"},
		{"lat", nil, "[]"},
		{"nothing", nil, "[]"},
		{"up_count", nil, "[]"},
	} {
		got, err := probe.Series(page, c.name, c.labels)
		if err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%s%v: %v, %v, want %s", c.name, c.labels, got, err, c.want)
		}
	}
}

func FuzzSeries(f *testing.F) {
	f.Add("up 1\n", "up")
	f.Add("# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n", "a_count")
	f.Add("# TYPE a summary\na_sum NaN\n", "a_sum")
	f.Add("a{b=\"c\\n\"} -Inf 5\n", "a")
	f.Fuzz(func(t *testing.T, page, name string) {
		values, err := probe.Series([]byte(page), name, nil)
		if err != nil && len(values) > 0 {
			t.Fatal("values and an error")
		}
	})
}

func TestQueryResult(t *testing.T) {
	for _, c := range []struct {
		body string
		n    int
		ok   bool
	}{
		{`{"status":"success","data":{"resultType":"vector","result":[]}}`, 0, true},
		{`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1,"1"]},{"metric":{},"value":[1,"1"]}]}}`, 2, true},
		{`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"1"]]}]}}`, 1, true},
		{`{"status":"success","data":{"resultType":"scalar","result":[1,"0"]}}`, 0, true},
		{`{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}`, 1, true},
		{`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"histogram":[1,{"count":"4","sum":"7"}]}]}}`, 1, true},
		{`{"status":"success","data":{"resultType":"vector","result":[null]}}`, 0, false},
		{`{"status":"success","data":{"resultType":"string","result":[1,"yes"]}}`, 1, true},
		{`{"status":"error","error":"parse error"}`, 0, false},
		{`{"status":"success","data":{"resultType":"vector","result":7}}`, 0, false},
		{`not found`, 0, false},
	} {
		if n, said, err := probe.Result([]byte(c.body)); n != c.n || (err == nil) != c.ok || c.ok && said == "" {
			t.Errorf("%s: %d, %q, %v", c.body, n, said, err)
		}
	}
}

func FuzzQueryResult(f *testing.F) {
	f.Add(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1,"1"]}]}}`)
	f.Add(`{"status":"success","data":{"resultType":"scalar","result":[1,"0"]}}`)
	f.Add(`{"status":"success","data":{"resultType":"string","result":[]}}`)
	f.Fuzz(func(t *testing.T, body string) {
		if n, said, err := probe.Result([]byte(body)); err == nil && said == "" || err != nil && n != 0 {
			t.Fatalf("%d, %q, %v", n, said, err)
		}
	})
}

// The URL of a server may end in a slash, and a query is escaped.
func TestQuery_URL(t *testing.T) {
	for _, base := range []string{"http://127.0.0.1:9090", "http://127.0.0.1:9090/", "http://127.0.0.1:9090/prometheus/"} {
		s := &probe.ResolvedCall{URL: probe.Literal(base)}
		(&probe.Query{PromQL: `up{a="b c"} == 1`}).Question(s)
		to, err := s.URL.Open(&template.Secrets{})
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(to)
		if err != nil || !strings.HasSuffix(u.Path, "/api/v1/query") || strings.Contains(u.Path, "//") ||
			u.Query().Get("query") != `up{a="b c"} == 1` {
			t.Errorf("%s, %v", to, err)
		}
	}
}

// A URL with credentials is refused, wherever they stand, and not quoted.
func TestCheckURL(t *testing.T) {
	const login = "credentials go into an Authorization header"
	t.Setenv("OWN_TOKEN", "t")
	for _, c := range []struct{ url, want string }{
		{"http://127.0.0.1:1/", ""},
		{"http://127.0.0.1:1/a@b?c=@#@", ""},
		{"http://127.0.0.1:1?c=@", ""},
		{"http://${unit.db.addr}/@", ""},
		{"http://${unit.db.addr}@", login},
		{"http://bob:hunter2@127.0.0.1/", login},
		{"http://bob:hunter2@${unit.db.addr}/", login},
		{"http://bob:${env.OWN_TOKEN}@127.0.0.1/", login},
		{"http://bob:hunter2/pw@127.0.0.1/", "it is not a URL"},
		{"http://bob:hunter2#pw@127.0.0.1/", "it is not a URL"},
		{"http://127.0.0.1:0/", "a port lies from 1 to 65535"},
		{"http://127.0.0.1:65536/", "a port lies from 1 to 65535"},
		{"http://:1/", "is not a URL"},
		{"ftp://127.0.0.1/", "is not a URL"},
	} {
		_, m := ownFault(t, `exec: {inject: ["true"], verify: {get: "`+c.url+`"}, revert: ["true"]}`)
		got := ""
		if m.Len() > 0 {
			got = m.Err().Error()
		}
		if !strings.Contains(got, c.want) || c.want == "" && got != "" || strings.Contains(got, "hunter2") {
			t.Errorf("%s: %q, want %q", c.url, got, c.want)
		}
	}
}
