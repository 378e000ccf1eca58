package http_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	nethttp "net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios/result"
	"brunt/scenarios/suite"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/targetstest"
	"brunt/targets/vegeta"
)

// keptRequest returns a request as a server received it, in a comparable form.
func keptRequest(r *nethttp.Request) string {
	body, _ := io.ReadAll(r.Body)
	h := r.Header.Clone()
	for _, name := range []string{"Accept", "Accept-Encoding", "X-Vegeta-Seq"} { // headers that curl and vegeta add
		h.Del(name)
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		lines = append(lines, name+": "+strings.Join(h[name], ", "))
	}
	return fmt.Sprintf("%s %s %s\n%s\n\n%q", r.Method, r.Host, r.RequestURI, strings.Join(lines, "\n"), body)
}

// TestSample_CurlSendsItAgain checks that the command of a sample sends the same request.
func TestSample_CurlSendsItAgain(t *testing.T) {
	suite.Needs(t, suite.Programs("curl"))
	var mu sync.Mutex
	var got []string
	s := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/moved" {
			nethttp.Redirect(w, r, "/there?x=1", nethttp.StatusFound)
			return
		}
		got = append(got, keptRequest(r))
		w.WriteHeader(500)
	}))
	defer s.Close()
	last := func() string {
		mu.Lock()
		defer mu.Unlock()
		return got[len(got)-1]
	}
	file := written(t, "a.bin", []byte("\x00\x01\xff'bytes"))
	for _, step := range []string{
		`get: "/a?b=c&d[]=1&e={x}"`, `head: /h`, `delete: /x`, `post: /empty`, `{get: /moved, redirects: 3}`,
		`{get: /a/../b/./c, headers: {X-Empty: "", X-Quote: "it's \"$HOME\" !x", Host: other.test}}`,
		`{post: /p, json: {a: "it's", n: "${int(7,7)}"}}`, `{put: /p, body: "@/etc/passwd"}`, `{post: /p, form: {a: b c}}`,
		`{post: /p, body: "line\n\ttab\u001b\u0000"}`,
		`{patch: /p, body: {file: ` + file + `}}`, `{post: /p, multipart: {f: {file: ` + file + `}, t: hello}}`,
	} {
		f := targetstest.Compile(t, http.Descriptor(), "", step)
		for engine, ask := range map[string]func(k *samples){
			"native": func(k *samples) {
				r := newFixture(t, targets.Options{Base: s.URL, Sampler: k, Agent: "brunt/test"}, step)
				r.user(0).Do(0, long)
			},
			"vegeta": func(k *samples) {
				attack(t, targets.Options{Base: s.URL, Sampler: k, Agent: "brunt/test"}, vegeta.EngineOptions{Calls: f.Calls}, 1,
					time.Millisecond)
			},
		} {
			if engine == "vegeta" && strings.Contains(step, "multipart") {
				continue // vegeta's targets cannot send it
			}
			k := &samples{}
			ask(k)
			want, sent := last(), k.last().Sent.Conceal(nil)
			if out, err := exec.Command("sh", "-c", sent.Curl()).CombinedOutput(); err != nil &&
				!bytes.Contains(out, []byte("HTTP/")) {
				t.Errorf("%s, %s: %v: %s\n%s", engine, step, err, out, sent.Curl())
				continue
			}
			if again := last(); again != want {
				t.Errorf("%s, %s: it sent\n%s\nand curl\n%s\nby\n%s", engine, step, want, again, sent.Curl())
			}
		}
	}
}

// TestSample_NeverSent checks that a request that was not sent has no command.
func TestSample_NeverSent(t *testing.T) {
	k := &samples{}
	r := newFixture(t, targets.Options{Base: "http://127.0.0.1:1", Sampler: k}, `get: "/${var.none}"`)
	r.user(0).Do(0, long)
	if sm := k.last(); sm.Sent != nil || sm.Request == "" {
		t.Errorf("%+v", sm)
	}
}

// TestSample_LargeBody checks that a sample keeps the beginning of a large body, and the
// length of the rest.
func TestSample_LargeBody(t *testing.T) {
	content := noise(200 << 10)
	file := written(t, "large.bin", content)
	k := &samples{}
	r := newFixture(t,
		targets.Options{Base: script(t, each(func(string) string { return answer(500, "", "") })), Sampler: k},
		`{post: /p, body: {file: `+file+`}}`)
	r.user(0).Do(0, long)
	if s := k.last().Sent; len(s.Body) != result.LongestSent || int(s.Cut)+len(s.Body) != len(content) ||
		!bytes.HasPrefix(content, []byte(s.Body)) {
		t.Errorf("%d bytes kept, %d cut", len(s.Body), s.Cut)
	}
	if s := k.last().Sent.Conceal(nil); !s.Base64 || !strings.Contains(s.Curl(), "@request-body") {
		t.Errorf("%+v", s)
	}
}

// TestSample_Learns: a cookie is a secret by its name or its form, and an answer makes few values known. Those
// of the request are the sampler's to learn.
func TestSample_Learns(t *testing.T) {
	s := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		for _, c := range []string{"lang=english", "next=/login", "id=b7f3c1d85a424e908d610c9e", "session-token=abcdefg"} {
			w.Header().Add("Set-Cookie", c)
		}
		w.WriteHeader(500)
		for i := range 100 {
			fmt.Fprintf(w, `{"token":"value-%02d"}`, i)
		}
	}))
	defer s.Close()
	r := newFixture(t, targets.Options{Base: s.URL, Sampler: &samples{}},
		`{get: /, headers: {X-Token: of-the-request}, check: {status: 200}, extract: {lang: cookie lang}}`)
	var secrets template.Secrets
	r.Env.Secrets = &secrets
	r.user(0).Do(0, long)
	got := secrets.Mask("english /login value-99 b7f3c1d85a424e908d610c9e abcdefg of-the-request value-01")
	if got != "english /login value-99 *** *** of-the-request ***" {
		t.Error(got)
	}
}
