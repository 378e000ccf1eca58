package site

import (
	"bytes"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"brunt/reporters/html"
	"brunt/reporters/live"
	"brunt/reporters/words"
	"brunt/scenarios/disk"
)

// A Server serves the runs in folders. It reads the folders again for each list, so that new runs appear. It changes
// nothing, and answers only GET requests.
type Server struct {
	o    Options
	http http.Server

	mu    sync.Mutex
	known map[string]*entry // by folder
}

// Options configure a server.
type Options struct {
	Title   string
	Roots   []string // folders with runs
	Compare Comparer
	Hosts   []string // host names in lower case that requests may name, besides localhost and IP addresses
}

// drawTime bounds the time of an answer; the page of a long run takes seconds to draw.
const drawTime = time.Minute

// NewServer returns a server. [Server.Serve] starts it.
func NewServer(o Options) *Server {
	s := &Server{o: o}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.index)
	mux.HandleFunc("GET /trend", s.trend)
	mux.HandleFunc("GET /compare", s.compare)
	mux.HandleFunc("GET /runs/{file...}", s.file)
	s.http = http.Server{
		Handler: s.guarded(mux), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: drawTime,
		IdleTimeout:    time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0),
	}
	return s
}

// Serve answers requests until [Server.Close].
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Close stops the server.
func (s *Server) Close() error { return s.http.Close() }

// guarded admits only requests that name this machine, see [live.Guard].
func (s *Server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if live.Guard(w, r, s.o.Hosts, "--listen") {
			next.ServeHTTP(w, r)
		}
	})
}

// entries reads the folders.
func (s *Server) entries() ([]*entry, []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list, problems := find(s.o.Roots, s.known)
	s.known = map[string]*entry{}
	for _, e := range list {
		s.known[e.dir] = e
	}
	return list, problems
}

// entryOf returns the run with a key; nil if there is none.
func entryOf(list []*entry, key string) *entry {
	for _, e := range list {
		if e.Key == key {
			return e
		}
	}
	return nil
}

// answer writes a whole page, or an error.
func answer(w http.ResponseWriter, draw func(io.Writer) error) {
	var b bytes.Buffer
	if err := draw(&b); err != nil {
		http.Error(w, "the page can't be drawn: "+words.Clean(err.Error()), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

func (s *Server) index(w http.ResponseWriter, _ *http.Request) {
	list, problems := s.entries()
	p := html.IndexPage{Title: s.o.Title, Compare: "/compare", Trends: scenariosOf(list), Problems: problems}
	for i := range p.Trends {
		p.Trends[i].Link = "/trend?" + url.Values{"scenario": {p.Trends[i].Name}}.Encode()
	}
	last := map[string]*entry{} // by scenario
	for _, e := range list {
		row := e.row()
		row.Link = addressOf(e)
		if earlier := last[e.Name]; earlier != nil {
			row.Beside = "/compare?" + url.Values{"base": {earlier.Key}, "run": {e.Key}}.Encode()
		}
		last[e.Name] = e
		p.Runs = append(p.Runs, row)
	}
	answer(w, p.Report)
}

func addressOf(e *entry) string { return (&url.URL{Path: "/" + pageOf(e)}).EscapedPath() }

func (s *Server) trend(w http.ResponseWriter, r *http.Request) {
	list, _ := s.entries()
	answer(w, func(w io.Writer) error { return trend(w, list, r.FormValue("scenario"), addressOf) })
}

func (s *Server) compare(w http.ResponseWriter, r *http.Request) {
	list, _ := s.entries()
	base, run := entryOf(list, r.FormValue("base")), entryOf(list, r.FormValue("run"))
	if base == nil || run == nil {
		http.NotFound(w, r)
		return
	}
	answer(w, func(w io.Writer) error {
		res, err := run.whole()
		if err != nil {
			return err
		}
		return beside(w, s.o.Compare, base, res)
	})
}

// file serves one file of a run: its page (drawn by this brunt), its result.json, or the log of a unit as text.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	key, name := path.Split(r.PathValue("file"))
	key = strings.TrimSuffix(key, "/")
	logs := path.Base(key) == "logs"
	if logs {
		key, name = path.Dir(key), "logs/"+name
	}
	list, _ := s.entries()
	e := entryOf(list, key)
	switch {
	case e == nil:
		http.NotFound(w, r)
	case name == html.File:
		answer(w, func(w io.Writer) error {
			res, err := e.whole()
			if err != nil {
				return err
			}
			return html.Page{}.Report(w, res)
		})
	case name == resultFile || logs:
		root, err := os.OpenRoot(e.dir)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer root.Close()
		f, err := disk.OpenIn(root, name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", map[bool]string{true: "text/plain; charset=utf-8", false: "application/json"}[logs])
		http.ServeContent(w, r, "", info.ModTime(), f)
	default:
		http.NotFound(w, r)
	}
}
