package run_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/run"

	"golang.org/x/net/websocket"
)

// TestScript_Examples runs all scripts of the folder in BRUNT_K6_EXAMPLES, such as the examples of
// k6's own module, against loopback servers that replace every host that they name, and prints the
// outcome of each, for people.
func TestScript_Examples(t *testing.T) {
	dir := os.Getenv("BRUNT_K6_EXAMPLES")
	if dir == "" {
		t.Skip("say by BRUNT_K6_EXAMPLES where scripts are")
	}
	needK6(t)
	handler := anySite()
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	t.Cleanup(plain.Close)
	t.Cleanup(secure.Close)
	var files []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if ext := filepath.Ext(path); err == nil && !d.IsDir() && (ext == ".js" || ext == ".ts") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, file := range files {
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		row := runExampleScript(t, file, string(text), plain.Listener.Addr().String(), secure.Listener.Addr().String())
		rows = append(rows, fmt.Sprintf("%-58s %s", rel, row))
	}
	slices.SortFunc(rows, func(a, b string) int { return cmp.Compare(a, b) })
	t.Logf("%d scripts\n%s", len(rows), strings.Join(rows, "\n"))
}

var siteOf = regexp.MustCompile(`(?:https?|wss?)://(?:[^/@'"\x60 ]*@)?([a-zA-Z0-9.-]+\.[a-z]+|localhost)(:[0-9]+)?`)

func runExampleScript(t *testing.T, file, script, plain, secure string) string {
	resolve := map[string]string{}
	for _, m := range siteOf.FindAllStringSubmatch(script, -1) {
		if m[2] != "" {
			resolve[m[1]+m[2]] = plain
			continue
		}
		resolve[m[1]+":80"], resolve[m[1]+":443"] = plain, secure
	}
	routes, err := json.Marshal(resolve)
	if err != nil {
		t.Fatal(err)
	}
	var plan *plan.Plan
	// the largest change that the script allows
	for _, change := range []string{", vus: 1, duration: 2s", ", duration: 3s", ""} {
		text := fmt.Sprintf("version: 1\ntarget: {url: \"http://%s\"}\nload: {x: {k6: %q, args: "+
			"[--insecure-skip-tls-verify], resolve: "+
			"%s%s}}\n", plain, file, routes, change)
		if plan, err = compileFile(scenario(t, text)); err == nil {
			break
		}
	}
	if err != nil {
		return "not run: " + firstOf(err.Error())
	}
	res, err := run.Run(t.Context(), plan, run.Options{State: t.TempDir()})
	if err != nil {
		return "brunt failed: " + err.Error()
	}
	iterations := stepCell(res, "run", "iteration", "*").Count
	row := fmt.Sprintf("%s: %d iterations, %d requests, steps %q", res.Verdict, iterations, cellOf(res, "run", "*").Count,
		res.Loads[0].Steps)
	if res.Verdict != scenarios.Pass {
		row += ": " + res.Reason
	}
	if len(res.Errors) > 0 {
		row += fmt.Sprintf("; %d x %s", res.Errors[0].Count, res.Errors[0].Kind)
		if s := res.Errors[0].Sample; s != nil && s.Message != "" {
			row += " (" + firstOf(s.Message) + ")"
		}
	}
	return row
}

func firstOf(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s[:min(len(s), 220)]
}

// anySite answers as test sites do: httpbin's paths, a WebSocket that echoes, and JSON everywhere
// else.
func anySite() http.Handler {
	mux := http.NewServeMux()
	echo := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "websocket" {
			websocket.Server{Handler: func(c *websocket.Conn) {
				var s string
				for websocket.Message.Receive(c, &s) == nil && websocket.Message.Send(c, s) == nil {
				}
			}}.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"url": r.URL.String(), "args": r.URL.Query(), "headers": r.Header, "access": "token", "id": 1,
			"items": []int{1}, "pizza": map[string]any{"name": "Margherita", "ingredients": []string{}},
		})
	}
	mux.HandleFunc("/", echo)
	mux.HandleFunc("/status/", func(w http.ResponseWriter, r *http.Request) {
		code := 200
		_, _ = fmt.Sscanf(r.URL.Path, "/status/%d", &code)
		w.WriteHeader(code)
	})
	mux.HandleFunc("/redirect/", func(w http.ResponseWriter, r *http.Request) {
		n := 0
		_, _ = fmt.Sscanf(r.URL.Path, "/redirect/%d", &n)
		if n <= 1 {
			http.Redirect(w, r, "/get", http.StatusFound)
			return
		}
		http.Redirect(w, r, fmt.Sprintf("/redirect/%d", n-1), http.StatusFound)
	})
	mux.HandleFunc("/cookies/set", func(w http.ResponseWriter, r *http.Request) {
		for k, v := range r.URL.Query() {
			http.SetCookie(w, &http.Cookie{Name: k, Value: v[0], Path: "/"})
		}
		http.Redirect(w, r, "/cookies", http.StatusFound)
	})
	return mux
}
