package leaks

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// An echo is a server that answers with all that it was sent, in every encoding, cut into chunks. It gives out secrets
// of its own, too.
type echo struct {
	own map[string]string // secrets that it gives out, by their names
	log io.Writer         // gets each request as well

	mu     sync.Mutex
	on     map[string]bool   // switches of faults
	kept   map[string][]byte // the bodies that it got, by path, for what is pushed
	logged map[string]int    // requests in the log, by path
}

// mostLogged is how many requests of a path are logged, to save time.
const mostLogged = 3

// mostKept bounds the bodies that are kept, in bytes for each path.
const mostKept = 16 << 20

// ServeHTTP implements [http.Handler]. The path says what the answer is like.
func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, 8<<20))
	said := sent(r, body)
	e.mu.Lock()
	if e.kept == nil {
		e.kept = map[string][]byte{}
	}
	if len(e.kept[r.URL.Path]) < mostKept {
		for _, d := range append([]string{string(body)}, decompressed(string(body))...) {
			e.kept[r.URL.Path] = append(append(e.kept[r.URL.Path], "\n"...), d...)
		}
	}
	e.mu.Unlock()
	if e.log != nil && strings.HasPrefix(r.URL.Path, "/fail") {
		e.mu.Lock()
		if e.logged == nil {
			e.logged = map[string]int{}
		}
		if e.logged[r.URL.Path]++; e.logged[r.URL.Path] <= mostLogged {
			fmt.Fprintf(e.log, "%s %s\n", r.Method, said)
		}
		e.mu.Unlock()
	}
	h := w.Header()
	h.Set("Set-Cookie", "session_id="+e.own["cookie"]+"; Path=/; HttpOnly")
	h.Set("X-Session-Token", e.own["header"])
	switch first, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); first {
	case "ready", "echo":
		e.answer(w, r, 200, said)
	case "fail":
		h.Set("Location", "http://ann:"+r.Header.Get("Authorization")+"@127.0.0.1/"+rest)
		h.Set("Retry-After", strings.Join(r.Header["Authorization"], " "))
		e.answer(w, r, 500, said)
	case "login":
		h.Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"token": %q, "user": "ann", "id": "%s", "said": %s}`, e.own["extracted"], "no secret", jsonOf(said))
	case "token":
		h.Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token": %q, "token_type": "bearer", "expires_in": 3600}`, e.own["oauth2 token"])
	case "redirect":
		http.Redirect(w, r, "/fail/redirected?access_token="+e.own["redirect"]+"&"+r.URL.RawQuery, http.StatusFound)
	case "garbage":
		e.hijack(w, "HTTP/9.9 "+said+"\r\n\r\n")
	case "head":
		e.hijack(w, "HTTP/1.1 200 "+said+"\r\nX-"+said+"\r\n")
	case "cut":
		e.hijack(w, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(said)+100,
			said))
	case "written":
		w.WriteHeader(201)
	case "switch":
		name, turn, turned := strings.Cut(rest, "/")
		e.mu.Lock()
		if turned {
			if e.on == nil {
				e.on = map[string]bool{}
			}
			e.on[name] = turn == "on"
		}
		on := e.on[name]
		e.mu.Unlock()
		h.Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"on": %t, "said": %s}`, on, jsonOf(said))
	case "figures":
		fmt.Fprintf(w, "# TYPE depth gauge\ndepth{auth=%q} 3\n", r.Header.Get("Authorization"))
	default: // outs and monitoring that answer with errors
		if strings.HasPrefix(r.URL.Path, "/good") {
			return
		}
		e.answer(w, r, 400, said)
	}
}

// sent writes a request in every encoding.
func sent(r *http.Request, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", r.Method, r.URL)
	var values []string
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, v := range r.Header[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, v)
			values = append(values, v)
		}
	}
	for _, list := range r.URL.Query() {
		values = append(values, list...)
	}
	if user, password, ok := r.BasicAuth(); ok {
		values = append(values, user, password)
	}
	fmt.Fprintf(&b, "\n%s\n", body)
	values = append(values, string(body))
	for i, v := range values {
		for _, how := range slices.Sorted(maps.Keys(encodings)) {
			fmt.Fprintf(&b, "value %d, %s: %s\n", i, how, encodings[how](v[:min(len(v), 2000)]))
		}
	}
	return b.String()
}

// answer writes a text in the form that the query asks for, a few bytes at a time.
func (e *echo) answer(w http.ResponseWriter, r *http.Request, status int, said string) {
	var b []byte
	switch as := r.URL.Query().Get("as"); as {
	case "html":
		w.Header().Set("Content-Type", "text/html")
		b = []byte("<pre>" + encodings["html"](said) + "</pre>")
	case "text":
		w.Header().Set("Content-Type", "text/plain")
		b = []byte(said)
	default:
		w.Header().Set("Content-Type", "application/json")
		b, _ = json.Marshal(map[string]any{"error": said, "first": strings.SplitN(said, "\n", 8)})
	}
	w.WriteHeader(status)
	for len(b) > 0 {
		n := min(len(b), 1+len(b)/5)
		_, _ = w.Write(b[:n])
		w.(http.Flusher).Flush()
		b = b[n:]
	}
}

// hijack answers with what is no answer, and closes the connection.
func (e *echo) hijack(w http.ResponseWriter, text string) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(c, text)
	_ = c.Close()
}

// pushed returns what was sent to a path.
func (e *echo) pushed() map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := map[string]string{}
	for path, b := range e.kept {
		out[path] = string(b)
	}
	return out
}

// serve serves it at an address until the process ends.
func (e *echo) serve(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	go func() { _ = http.Serve(l, e) }()
	return l, nil
}
