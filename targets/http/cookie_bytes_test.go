package http_test

import (
	nethttp "net/http"
	"net/http/httptest"
	"testing"
	"time"

	"brunt/targets"
	"brunt/targets/http"
)

// TestHTTP_CookieBytes: a cookie comes back byte for byte in each version of HTTP, and can be extracted so.
func TestHTTP_CookieBytes(t *testing.T) {
	for _, value := range []string{`"abc def"`, `"user=7\073role=admin"`, `{"theme":"dark"}`, "café", "caf\xe9"} {
		type sent struct{ cookie, extracted string }
		came := make(chan sent, 1)
		h := nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
			if r.URL.Path == "/set" {
				w.Header()["Set-Cookie"] = []string{"sid=" + value + "; Path=/; HttpOnly"}
				return
			}
			came <- sent{r.Header.Get("Cookie"), r.Header.Get("X-Sid")}
		})
		start := func(begin func(*httptest.Server)) string {
			s := httptest.NewUnstartedServer(h)
			begin(s)
			t.Cleanup(s.Close)
			return s.URL
		}
		for name, c := range map[string]struct {
			url    string
			client *targets.Descriptor
		}{
			"h1": {start((*httptest.Server).Start), http.Descriptor()},
			"h2": {start(serve2(true)), http2Client(0)},
			"h3": {"https://" + serve3(t, h, nil, nil), http3Client(0)},
		} {
			r := newFixtureOf(t, c.client, targets.Options{Base: c.url, Timeout: 5 * time.Second}, "",
				`{get: /set, extract: {sid: cookie sid}}`, `{get: /, headers: {X-Sid: "${var.sid}"}}`)
			u := r.user(0)
			r.want(u.Do(0, long), "ok 200")
			r.want(u.Do(1, long), "ok 200")
			if got := <-came; got != (sent{"sid=" + value, value}) {
				t.Errorf("%s: %q came back, and %q was extracted, from %q", name, got.cookie, got.extracted, value)
			}
			if s := r.Spoken(); s.Refused != 0 {
				t.Errorf("%s: %+v", name, s)
			}
		}
	}
}

// TestHTTP_CookieRefused: a cookie that no client keeps is counted, with the reason.
func TestHTTP_CookieRefused(t *testing.T) {
	s := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		w.Header().Add("Set-Cookie", "sid=1; Domain=elsewhere.test")
		w.Header().Add("Set-Cookie", "no name")
	}))
	defer s.Close()
	r := newFixture(t, targets.Options{Base: s.URL}, "get: /")
	r.want(r.user(0).Do(0, long), "ok 200")
	if s := r.Spoken(); s.Refused != 2 || s.FirstRefused != `"sid": its Domain=elsewhere.test is not that of the host 127.0.0.1` {
		t.Errorf("%+v", s)
	}
}
