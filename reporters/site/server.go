package site

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/reporters/html"
	"brunt/reporters/live"
	"brunt/reporters/words"
	"brunt/scenarios/disk"
	"brunt/scenarios/syntax"
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
	Plan    Plan     // what the page of the programme shows besides the runs
	Hosts   []string // host names in lower case that requests may name, besides localhost and IP addresses
}

// drawTime bounds the time of an answer; the page of a long run takes seconds to draw.
const drawTime = time.Minute

// NewServer returns a server. [Server.Serve] starts it.
func NewServer(o Options) *Server {
	s := &Server{o: o}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.index)
	mux.HandleFunc("GET /programme", s.programme)
	mux.HandleFunc("GET /trend", s.trend)
	mux.HandleFunc("GET /compare", s.compare)
	mux.HandleFunc("GET /runs/{file...}", s.file)
	mux.HandleFunc("GET /", s.lost)
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

// navigation returns the addresses of the site of a list of runs.
func (s *Server) navigation(list []*entry) navigation {
	return navigation{
		list: list, home: "/", compare: "/compare", run: addressOf,
		beside: func(a, b *entry) string {
			return "/compare?" + url.Values{"base": {a.Key}, "run": {b.Key}}.Encode()
		},
		trend: func(scenario string) string {
			if !hasTrend(list, scenario) {
				return ""
			}
			return "/trend?" + url.Values{"scenario": {scenario}}.Encode()
		},
	}
}

func (s *Server) index(w http.ResponseWriter, _ *http.Request) {
	list, problems := s.entries()
	n := s.navigation(list)
	p := html.IndexPage{
		Title: s.o.Title, Compare: "/compare", Programme: "/programme", Scenarios: scenariosOf(n), Problems: problems,
	}
	for _, e := range list {
		row := e.row()
		row.Link = addressOf(e)
		if earlier, _ := n.neighbours(e); earlier != nil {
			row.Beside = n.beside(earlier, e)
		}
		p.Runs = append(p.Runs, row)
	}
	answer(w, p.Report)
}

func (s *Server) programme(w http.ResponseWriter, _ *http.Request) {
	list, problems := s.entries()
	p, more := programmeOf(s.navigation(list), s.o.Plan, time.Now())
	answer(w, html.ProgrammePage{
		Title: s.o.Title, Programme: p, Problems: append(problems, more...), Site: &html.SiteLinks{Home: "/"},
	}.Report)
}

func addressOf(e *entry) string { return (&url.URL{Path: "/" + pageOf(e)}).EscapedPath() }

func (s *Server) trend(w http.ResponseWriter, r *http.Request) {
	list, _ := s.entries()
	name := r.FormValue("scenario")
	if !slices.ContainsFunc(list, func(e *entry) bool { return e.Name == name }) {
		s.missing(w, list, fmt.Sprintf("No run here is of a scenario named %q.", name), "")
		return
	}
	answer(w, func(w io.Writer) error { return trend(w, list, name, s.navigation(list)) })
}

func (s *Server) compare(w http.ResponseWriter, r *http.Request) {
	list, _ := s.entries()
	var two [2]*entry
	for i, key := range []string{"base", "run"} {
		if two[i] = entryOf(list, r.FormValue(key)); two[i] == nil {
			s.missing(w, list, fmt.Sprintf("There is no run %q to compare.", r.FormValue(key)), r.FormValue(key))
			return
		}
	}
	answer(w, func(w io.Writer) error { return beside(w, s.o.Compare, two[0], two[1], s.navigation(list)) })
}

// mostLatest bounds the runs that an answer to a wrong address lists.
const mostLatest = 8

// missing says what is not there, and names what was perhaps meant and the newest runs.
func (s *Server) missing(w http.ResponseWriter, list []*entry, what, key string) {
	n := s.navigation(list)
	p := html.LostPage{Site: &html.SiteLinks{Home: n.home}, What: what}
	keys := make([]string, 0, len(list))
	for _, e := range list {
		keys = append(keys, e.Key)
	}
	if near := entryOf(list, syntax.Nearest(key, keys)); key != "" && near != nil {
		p.Near = []html.SiteLink{{Name: near.title(true), Address: n.run(near)}}
	}
	for _, e := range slices.Backward(list) {
		if len(p.Latest) == mostLatest {
			break
		}
		p.Latest = append(p.Latest, html.SiteLink{Name: e.title(true), Address: n.run(e)})
	}
	var b bytes.Buffer
	if err := p.Report(&b); err != nil {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = w.Write(b.Bytes())
}

// lost answers a request for an address that the site does not have.
func (s *Server) lost(w http.ResponseWriter, r *http.Request) {
	list, _ := s.entries()
	s.missing(w, list, fmt.Sprintf("This site has no page %q.", words.Clip(r.URL.Path, 100)), "")
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
	missing := func() {
		s.missing(w, list, fmt.Sprintf("The run %q has no file %q here.", words.Clip(key, 100), words.Clip(name, 100)), "")
	}
	switch {
	case e == nil:
		s.missing(w, list, fmt.Sprintf("There is no run %q.", words.Clip(key, 100)), key)
	case name == html.File:
		answer(w, func(w io.Writer) error {
			res, err := e.whole()
			if err != nil {
				return err
			}
			return html.Page{Site: s.navigation(list).of(e)}.Report(w, res)
		})
	case name == resultFile || logs:
		root, err := disk.OpenRoot(e.dir)
		if err != nil {
			missing()
			return
		}
		defer root.Close()
		f, err := disk.OpenIn(root, name)
		if err != nil {
			missing()
			return
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			missing()
			return
		}
		w.Header().Set("Content-Type", map[bool]string{true: "text/plain; charset=utf-8", false: "application/json"}[logs])
		http.ServeContent(w, r, "", info.ModTime(), f)
	default:
		missing()
	}
}
