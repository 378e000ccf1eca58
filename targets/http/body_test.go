package http_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/targetstest"
)

// written creates a file for a test.
func written(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return filepath.ToSlash(path)
}

// noise returns content that no encoding leaves unchanged.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// sentPart is a part as Go's form reader returns it.
type sentPart struct {
	name, file, kind, sum string
	text                  string // of a short part
}

// parts parses forms and records their parts.
type parts struct {
	mu   sync.Mutex
	list []sentPart
}

func (p *parts) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	mr, err := r.MultipartReader()
	if err != nil {
		nethttp.Error(w, err.Error(), nethttp.StatusBadRequest)
		return
	}
	for {
		part, err := mr.NextPart()
		if err == io.EOF {
			return
		} else if err != nil {
			nethttp.Error(w, err.Error(), nethttp.StatusBadRequest)
			return
		}
		b, err := io.ReadAll(part)
		if err != nil {
			nethttp.Error(w, err.Error(), nethttp.StatusBadRequest)
			return
		}
		s := sentPart{
			name: part.FormName(), file: part.FileName(), kind: part.Header.Get("Content-Type"),
			sum: fmt.Sprintf("%x", sha256.Sum256(b)),
		}
		if len(b) < 100 {
			s.text = string(b)
		}
		p.mu.Lock()
		p.list = append(p.list, s)
		p.mu.Unlock()
	}
}

// A multipart body arrives as written: fields in the order of the file, texts, typed values,
// small and large files.
func TestHTTP_Multipart(t *testing.T) {
	for _, c := range []struct {
		name string
		size int
		tls  bool
	}{{"empty", 0, false}, {"small", 1000, false}, {"large", 3 << 20, false}, {"large over TLS", 3 << 20, true}} {
		t.Run(c.name, func(t *testing.T) {
			got := &parts{}
			s := httptest.NewUnstartedServer(got)
			protocol := http.Descriptor()
			if c.tls {
				s.StartTLS()
				protocol = insecure()
			} else {
				s.Start()
			}
			t.Cleanup(s.Close)
			content := noise(c.size)
			photo, notes := written(t, "photo 1.PNG", content), written(t, "notes", []byte("abc"))
			r := newFixtureOf(t, protocol, targets.Options{Base: s.URL, Timeout: long}, "",
				`{post: /, multipart: {title: "a\r\nb ${int(7,7)}", "q\"x": plain, photo: {file: "`+photo+`"}, `+
					`meta: {json: {n: "${int(5,5)}"}}, notes: [{file: "`+notes+`", name: "a\"b.txt", type: text/x}, `+
					`{text: "t ${int(1,1)}", name: t.csv, type: text/csv}, last]}}`)
			u := r.user(0)
			sum := func(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }
			for range 2 {
				r.want(u.Do(0, long), "ok 200")
				want := []sentPart{
					{name: "title", text: "a\r\nb 7"},
					{name: `q%22x`, text: "plain"},
					{name: "photo", file: "photo 1.PNG", kind: "image/png"},
					{name: "meta", kind: "application/json", text: `{"n":5}`},
					{name: "notes", file: `a%22b.txt`, kind: "text/x", text: "abc"},
					{name: "notes", file: "t.csv", kind: "text/csv", text: "t 1"},
					{name: "notes", text: "last"},
				}
				if len(got.list) != len(want) {
					t.Fatalf("%d parts: %+v", len(got.list), got.list)
				}
				for i, w := range want {
					if w.sum = sum([]byte(w.text)); w.name == "photo" {
						if w.sum = sum(content); c.size < 100 {
							w.text = string(content)
						}
					}
					if got.list[i] != w {
						t.Errorf("got %+v, want %+v", got.list[i], w)
					}
				}
				got.list = nil
			}
		})
	}
}

// A body from a file arrives unchanged, with the type of its extension.
func TestHTTP_FileBody(t *testing.T) {
	for _, c := range []struct {
		name, more, kind string
		size             int
	}{
		{"small.json", "", "application/json", 100},
		{"large.bin", "", "application/octet-stream", 2 << 20},
		{"given.json", ", type: text/x", "text/x", 5 << 10},
		{"at the bound.txt", "", "text/plain; charset=utf-8", 32 << 10},
		{"beyond it.txt", "", "text/plain; charset=utf-8", 32<<10 + 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			content := noise(c.size)
			var kind string
			var body []byte
			s := httptest.NewServer(nethttp.HandlerFunc(func(_ nethttp.ResponseWriter, r *nethttp.Request) {
				kind = r.Header.Get("Content-Type")
				body, _ = io.ReadAll(r.Body)
			}))
			t.Cleanup(s.Close)
			r := newFixture(t, targets.Options{Base: s.URL, Timeout: long},
				`{put: /, body: {file: "`+written(t, c.name, content)+`"`+c.more+`}}`)
			u := r.user(0)
			for range 3 {
				o := u.Do(0, long)
				r.want(o, "ok 200")
				if !bytes.Equal(body, content) || kind != c.kind {
					t.Fatalf("%d bytes of %q, want %d of %q", len(body), kind, len(content), c.kind)
				}
				if o.Sent < o.Slot || o.First < o.Sent {
					t.Errorf("times out of order: %+v", o)
				}
			}
			if r.Opened() != 1 {
				t.Errorf("%d connections", r.Opened())
			}
		})
	}
}

// A large body is sent again after a 307, and on a new connection if the idle one was closed.
func TestHTTP_FileBodyAgain(t *testing.T) {
	content := noise(1 << 20)
	var bodies [][]byte
	s := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies = append(bodies, b)
		if r.URL.Path == "/a" {
			nethttp.Redirect(w, r, "/b", nethttp.StatusTemporaryRedirect)
		}
	}))
	t.Cleanup(s.Close)
	r := newFixture(t, targets.Options{Base: s.URL, Timeout: long},
		`{post: /a, body: {file: "`+written(t, "a.bin", content)+`"}}`)
	u := r.user(0)
	r.want(u.Do(0, long), "ok 200")
	s.CloseClientConnections()
	r.want(u.Do(0, long), "ok 200")
	if len(bodies) != 4 {
		t.Fatalf("%d requests", len(bodies))
	}
	for i, b := range bodies {
		if !bytes.Equal(b, content) {
			t.Errorf("request %d had %d bytes", i, len(b))
		}
	}
}

// A server that refuses a large body answers before it reads the body. That answer counts.
func TestHTTP_LargeBodyRefused(t *testing.T) {
	url := script(t, func(p *peer) {
		buf := make([]byte, 512)
		if _, err := p.br.Read(buf); err != nil {
			return
		}
		p.say("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		_, _ = io.Copy(io.Discard, p.br)
	})
	r := newFixture(t, targets.Options{Base: url, Timeout: long},
		`{post: /a, body: {file: "`+written(t, "a.bin", noise(8<<20))+`"}, check: {status: 413}}`)
	r.want(r.user(0).Do(0, long), "ok 413")
}

// A large file is not copied for a request.
func TestHTTP_FileNotCopied(t *testing.T) {
	if suite.Race {
		t.Skip("the race detector allocates")
	}
	const size = 8 << 20
	s := httptest.NewServer(nethttp.HandlerFunc(func(_ nethttp.ResponseWriter, r *nethttp.Request) {
		_,
			_ = io.Copy(io.Discard, r.Body)
	}))
	t.Cleanup(s.Close)
	r := newFixture(t, targets.Options{Base: s.URL, Timeout: long},
		`{post: /, multipart: {a: "${int(1,9)}", b: {file: "`+written(t, "a.bin",
			make([]byte, size))+`"}}}`)
	u := r.user(0)
	r.want(u.Do(0, long), "ok 200")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const n = 10
	for range n {
		r.want(u.Do(0, long), "ok 200")
	}
	runtime.ReadMemStats(&after)
	if per := (after.TotalAlloc - before.TotalAlloc) / n; per > size/16 { // includes the server's allocations
		t.Errorf("%d bytes allocated a request", per)
	}
}

func TestHTTP_BodyMistakes(t *testing.T) {
	dir := filepath.ToSlash(t.TempDir())
	big := filepath.Join(t.TempDir(), "big")
	f, err := os.Create(big)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(64<<20 + 1); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	for _, c := range []struct{ name, step, want string }{
		{"no file", `{post: /, body: {file: "` + dir + `/none"}}`, "s.yaml:10:26: file: " + filepath.FromSlash(dir+"/none")},
		{"no file of a part", `{post: /, multipart: {a: {file: "` + dir + `/none"}}}`, "s.yaml:10:35: file: "},
		{"too large", `{post: /, body: {file: "` + filepath.ToSlash(big) + `"}}`, "has more than 65536 KiB"},
		{"a part of two", `{post: /, multipart: {a: {text: b, json: 1}}}`, "exactly one of file, text, json"},
		{"a part of none", `{post: /, multipart: {a: {name: b}}}`, "exactly one of file, text, json"},
		{"an empty form", `{post: /, multipart: {}}`, "multipart wants a map of fields"},
		{"a list", `{post: /, multipart: [a]}`, "multipart wants a map of fields"},
		{"misspelt", `{post: /, multipart: {a: {fil: b}}}`, `did you mean "file"?`},
		{"a body of nothing", `{post: /, body: {type: text/x}}`, `"file" is missing`},
		{"two", `{post: /, body: x, multipart: {a: b}}`, "one of json, form, multipart, body"},
		{"a type of two lines", `{post: /, multipart: {a: {text: b, type: "a\r\nb"}}}`, "a content type is one line"},
		{
			"its content type", `{post: /, multipart: {a: b}, headers: {content-type: multipart/form-data}}`,
			"is brunt's to set",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := targetstest.Try(http.Descriptor(), "", c.step); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// JSON from a scenario's file parses, whatever a value holds.
func TestHTTP_PartsEscaped(t *testing.T) {
	got := &parts{}
	s := httptest.NewServer(got)
	t.Cleanup(s.Close)
	r := newFixtureWith(t, targets.Options{Base: s.URL}, `data: {odd: {inline: [{v: "a\"b\r\n--x"}]}}`,
		`{post: /, multipart: {a: {json: {v: "${data.odd.v}"}}, b: "${data.odd.v}"}}`)
	r.want(r.user(0).Do(0, long), "ok 200")
	var v struct{ V string }
	if len(got.list) != 2 || json.Unmarshal([]byte(got.list[0].text), &v) != nil || v.V != "a\"b\r\n--x" ||
		got.list[1].text != v.V {
		t.Errorf("%+v", got.list)
	}
}
