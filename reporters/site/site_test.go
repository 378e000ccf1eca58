package site_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"brunt/reporters"
	"brunt/reporters/evidence"
	"brunt/reporters/reporterstest"
	"brunt/reporters/site"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// results writes runs into folders below a new one.
func results(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	day := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i, name := range []string{"monday", "nested/tuesday", "other"} {
		r := *reporterstest.Results()[[]string{"short", "failing", "hostile"}[i]]
		r.Started, r.Run = day.AddDate(0, 0, i), fmt.Sprintf("run-%d", i)
		if i < 2 {
			r.Name = "posts survive"
		}
		r.Logs = []result.UnitLog{{Unit: "posts[0]", File: "logs/posts-0.txt"}}
		dir := filepath.Join(root, filepath.FromSlash(name))
		if err := reporters.WriteFiles(dir, &r, []reporters.Reporter{evidence.JSON{}, evidence.Hlog{}}); err != nil {
			t.Fatal(err)
		}
	}
	for file, text := range map[string]string{
		"monday/logs/posts-0.txt": "listening\n", "monday/secret.txt": "x", "broken/result.json": "{",
	} {
		file = filepath.Join(root, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// compared is a comparison that says only with what it was made.
func compared(base string, earlier, run *result.Result) (*result.Comparison, error) {
	return &result.Comparison{
		Base: []string{base}, Reason: "beside " + earlier.Run + " is " + run.Run, Verdict: scenarios.Inconclusive,
	}, nil
}

func TestServer(t *testing.T) {
	root := results(t)
	s := site.NewServer(site.Options{Title: "nightly", Roots: []string{root}, Compare: compared})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	defer func() {
		if err := errors.Join(s.Close(), <-served); err != nil {
			t.Error(err)
		}
	}()
	at := "http://" + l.Addr().String()
	for _, tt := range []struct {
		name, path string
		status     int
		want       []string
		without    string
	}{
		{"the list", "/", 200, []string{
			"<h1>nightly</h1>", `href="/runs/monday/report.html"`, `href="/runs/nested/tuesday/report.html"`,
			`href="/trend?scenario=posts`,
			`href="/compare?base=monday&amp;run=nested%2Ftuesday"`, "broken is left out", `value="other"`,
		}, "<script>alert"},
		{
			"a page with ways back", "/runs/nested/tuesday/report.html", 200, []string{
				`<a href="/">← All runs</a>`, `<a href="/runs/monday/report.html" rel="prev">`,
				`<form action="/compare" method="get"><input type="hidden" name="run" value="nested/tuesday">`,
				`<option value="monday">`, "form-action &#39;self&#39;",
			}, `rel="next"`,
		},
		{"the first page", "/runs/monday/report.html", 200, []string{`rel="next"`}, `rel="prev"`},
		{"a page of another's text", "/runs/other/report.html", 200, nil, "<script>alert"},
		{
			"two runs", "/compare?base=monday&run=nested/tuesday", 200,
			[]string{
				"beside run-0 is run-1", `<b class="letter">A</b> <a href="/runs/monday/report.html">monday</a>`,
				`href="/compare?base=nested%2Ftuesday&amp;run=monday"`, `id="curves"`, `<option value="other">`,
			},
			"",
		},
		{
			"objectives over time", "/trend?scenario=posts+survive", 200,
			[]string{
				"posts survive: ", `href="/runs/nested/tuesday/report.html"`, "<circle", `<line class="limit"`, "objective &lt; ",
				`<a href="/">← All runs</a>`,
			},
			"",
		},
		{
			"the programme", "/programme", 200, []string{
				"Programme: nightly", `href="/runs/monday/report.html"`, "No scenario has a cadence.", `<a href="/">← All runs</a>`,
			}, "<script>alert",
		},
		{"evidence", "/runs/monday/result.json", 200, []string{`"run": "run-0"`}, ""},
		{"a log", "/runs/monday/logs/posts-0.txt", 200, []string{"listening"}, ""},
		{"a file that is no part of a run", "/runs/monday/secret.txt", 404, nil, ""},
		{"a file outside", "/runs/monday/logs/..%2f..%2fsecret.txt", 404, nil, ""},
		{
			"no run", "/runs/mondy/report.html", 404,
			[]string{"There is no run &#34;mondy&#34;.", "Perhaps you meant", "The newest runs", `href="/runs/monday/report.html"`},
			"",
		},
		{"no such run to compare", "/compare?base=monday&run=sunday", 404, []string{"There is no run &#34;sunday&#34;"}, ""},
		{"no such scenario", "/trend?scenario=<script>alert(1)</script>", 404, []string{"&lt;script&gt;"}, "<script>alert"},
		{"no such page", "/nowhere/<script>alert(1)</script>", 404, []string{"This site has no page", `<a href="/">`}, "<script>alert"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body := get(t, at+tt.path, "")
			if status != tt.status {
				t.Fatalf("status %d, want %d: %.200s", status, tt.status, body)
			}
			for _, w := range tt.want {
				if !strings.Contains(body, w) {
					t.Errorf("no %q in %.3000s", w, body)
				}
			}
			if tt.without != "" && strings.Contains(body, tt.without) {
				t.Errorf("has %q", tt.without)
			}
		})
	}
	if status, _ := get(t, at, "evil.example:80"); status != http.StatusMisdirectedRequest {
		t.Errorf("another host gets %d", status)
	}
	resp, err := http.Post(at+"/", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST gets %d", resp.StatusCode)
	}
}

func get(t *testing.T, url, host string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestWrite: each link of the files leads to one of them.
func TestWrite(t *testing.T) {
	out := filepath.Join(t.TempDir(), "public")
	runs, problems, err := site.Write(out, site.Options{
		Title: "nightly", Roots: []string{results(t)}, Compare: compared,
	})
	if err != nil || runs != 3 || len(problems) != 1 {
		t.Fatalf("%d runs, %q: %v", runs, problems, err)
	}
	links := regexp.MustCompile(`href="([^"#][^"]*)"`)
	for _, page := range []string{
		"index.html", "programme.html", "trend-1.html", "beside/nested/tuesday/report.html", "runs/monday/report.html",
		"runs/nested/tuesday/report.html", "runs/other/report.html",
	} {
		b, err := os.ReadFile(filepath.Join(out, filepath.FromSlash(page)))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, m := range links.FindAllStringSubmatch(string(b), -1) {
			if strings.HasPrefix(m[1], "data:") {
				continue
			}
			found++
			if _, err := os.Stat(filepath.Join(filepath.Dir(filepath.Join(out, page)), filepath.FromSlash(m[1]))); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			}
		}
		want := map[string]int{
			// the run, and a mark in the list of scenarios, of each of three runs; one beside another, one trend, and
			// the programme
			"index.html": 9, "runs/nested/tuesday/report.html": 4,
		}[page]
		if want > 0 && found != want {
			t.Errorf("%d links in %s, want %d", found, page, want)
		}
		if strings.Contains(string(b), "<form action") {
			t.Errorf("%s has a form, and nothing serves it", page)
		}
	}
	if _, _, err := site.Write(out, site.Options{Roots: []string{t.TempDir()}, Compare: compared}); err == nil {
		t.Error("a folder without a run makes a site")
	}
}
