package live

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/reporters"
	"brunt/reporters/html"
	"brunt/reporters/metrics"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// A Server serves a run while it goes on.
type Server struct {
	o    Options
	http http.Server
	stop [sha256.Size]byte

	writeTimeout time.Duration // for a client that does not read its answer

	cache sampleCache

	mu     sync.Mutex
	sample func(context.Context) *result.Result // samples the run; nil before and after the load
	mark   Marker                               // takes marks for the run; nil before and after the load
	last   result.Interval
	follow html.Follower // of the run

	run      int                // number of the run, from 1
	expected *result.Result     // the run before its load; nil while nothing is known about it
	counters *metrics.Collector // nil: the run has no collector
	final    *result.Result     // nil while the run goes on
	report   []byte             // the page of final; nil until it is drawn

	state   state         // sent to clients
	changed chan struct{} // closed when state changes
	readers int

	answered answerCount // guarded by mu

	wake    chan struct{}
	drawing sync.WaitGroup
	closed  chan struct{}
}

// A sampleCache holds the newest sample of the run.
type sampleCache struct {
	mu     sync.Mutex // held while the run is sampled or the sample is used
	result *result.Result
	at     time.Time
	drawn  drawnPage
}

// A drawnPage is the newest page that was drawn for a request.
type drawnPage struct {
	mu   sync.Mutex // held while the page is drawn
	of   *result.Result
	at   time.Time
	page []byte
}

// An answerCount counts the requests that are being answered.
type answerCount struct {
	open  int
	fewer chan struct{} // closed when a request is answered
}

// Options configure a server: its contents, and the requests that it admits.
type Options struct {
	Name  string // name of the scenario, shown until more is known
	Token string // stops the run; empty: no request stops it
	// ends the run like an interrupt; a second call ends the target's teardown, and returns true
	Stop  func() (again bool)
	Runs  int      // number of runs in a row, each announced by [Server.Expect]; 0 means 1
	Hosts []string // host names in lower case that requests may name, besides localhost and IP addresses
}

const (
	mostReaders     = 64                     // of the page's events, at once
	mostConnections = 256                    // of all clients
	writeTimeout    = 5 * time.Second        // for a client that does not read
	pageMaxAge      = 900 * time.Millisecond // greatest age of a sample for the page
	metricsMaxAge   = 3 * time.Second        // greatest age of a sample for the state of objectives
)

// pageCPUShare is the share of a core that page frames may cost: the next frame waits until the cost of the last one
// is within that share. The wait is at most longestPause (drawing takes longer on a busy machine, but costs no more),
// or the page's size divided by pageBytesPerSecond if that is longer. The page of an hour takes twenty times as long
// to draw as the page of ten seconds, and is four times as large. Between frames, the figures above the page are
// updated once a second, which costs almost nothing.
const (
	pageCPUShare       = 0.003
	pageBytesPerSecond = 20e3 // bytes
	longestPause       = 3 * time.Second
)

// wholePageEvery is the time between two frames with all parts, while clients listen. The other frames omit the
// distribution of response times, which takes most of the time and changes least. An open page keeps its last one.
const wholePageEvery = 20 * time.Second

var _ reporters.Live = (*Server)(nil)

// New creates a server. [Server.Serve] starts it.
func New(o Options) *Server {
	s := &Server{
		o: o, writeTimeout: writeTimeout, stop: sha256.Sum256([]byte(o.Token)), changed: make(chan struct{}),
		answered: answerCount{fewer: make(chan struct{})}, wake: make(chan struct{}, 1), closed: make(chan struct{}),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /events", s.events)
	mux.Handle("GET /metrics", s.metrics())
	mux.HandleFunc("POST /stop", s.stopRun)
	mux.HandleFunc("POST /mark", s.markFault)
	s.http = http.Server{
		Handler:           s.sameHost(http.NewCrossOriginProtection().Handler(mux)),
		ReadHeaderTimeout: writeTimeout, ReadTimeout: writeTimeout, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: log.New(io.Discard, "", 0), ConnContext: withConnection,
	}
	s.drawing.Go(s.drawPages)
	return s
}

// Serve answers requests until [Server.Close].
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(&connections{Listener: l, most: mostConnections}); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Expect announces the next run: its known data before the load begins, and its counters for Prometheus (nil for
// none). Requests are answered from this data until the load begins.
func (s *Server) Expect(res *result.Result, figures *metrics.Collector) {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	s.cache.result = nil
	s.mu.Lock()
	defer s.mu.Unlock()
	s.run++
	s.expected, s.counters, s.sample, s.final, s.report, s.last = res, figures, nil, nil, nil, result.Interval{}
	s.mark = nil
	s.follow = html.Follower{}
	s.state = state{n: s.state.n}
}

// Begin tells the server that the load begins, and how to sample the run.
func (s *Server) Begin(sample func(context.Context) *result.Result) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sample = sample
}

// A Marker takes what a person says about a fault at a time; the error says why it can't be taken.
type Marker = func(k result.MarkKind, fault, by string, at time.Time) error

// Attend tells the server how the run takes the marks of people.
func (s *Server) Attend(mark Marker) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mark = mark
}

// Observe implements [reporters.Live]. It does not block.
func (s *Server) Observe(iv result.Interval) {
	s.mu.Lock()
	s.last = iv
	s.follow.Add(iv)
	now := encodeJSON(s.follow.Now())
	s.mu.Unlock()
	s.show(func(st *state) { st.n++; st.now, st.nowN = now, st.n })
	select {
	case s.wake <- struct{}{}:
	default: // a page is being drawn
	}
}

// End shows the final result of the run. It keeps the result and does not change it. Report is the drawn page of the
// result; if it is nil, the server draws the page.
func (s *Server) End(res *result.Result, report []byte) {
	s.mu.Lock()
	s.sample, s.mark, s.final, s.report = nil, nil, res, report
	listened := s.readers > 0
	s.mu.Unlock()
	if listened {
		s.publishPage(res)
	}
	s.show(func(st *state) {
		st.n++
		st.over, st.overN = overJSON(res, s.run, s.o.Runs), st.n
		if !listened { // the last page shows an earlier moment
			st.page, st.pageN = nil, 0
		}
	})
}

// Close stops the server. Clients that listen get up to writeTimeout to receive the end.
//
// subtle: [http.Server.Shutdown] would wait for connections that a browser opens in advance and never uses.
func (s *Server) Close() error {
	close(s.closed)
	s.drawing.Wait()
	moment := time.NewTimer(s.writeTimeout)
	defer moment.Stop()
	for {
		s.mu.Lock()
		n, fewer := s.answered.open, s.answered.fewer
		s.mu.Unlock()
		if n == 0 {
			break
		}
		select {
		case <-fewer:
			continue
		case <-moment.C: // a client does not read
		}
		break
	}
	return s.http.Close()
}

// answers counts a request as being answered. The caller calls end once the answer is written.
func (s *Server) answers() (end func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered.open++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.answered.open--
		close(s.answered.fewer)
		s.answered.fewer = make(chan struct{})
	}
}

// sameHost admits only requests whose Host names this machine. In a DNS rebinding attack, a page from another site
// has a name that was made to resolve to this machine, so its requests have that other Host.
func (s *Server) sameHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.answers()()
		defer answering(r.Context())()
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(3 * s.writeTimeout))
		if Guard(w, r, s.o.Hosts, "--live") {
			next.ServeHTTP(w, r)
		}
	})
}

// Guard sets the headers of every answer, and reports whether a request names this machine: by an IP address, as
// localhost, or by one of names (in lower case). If not, it answers with an error that says which flag allows further
// hosts.
func Guard(w http.ResponseWriter, r *http.Request, names []string, flag string) bool {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "frame-ancestors 'none'")
	if OwnHost(r.Host, names) {
		return true
	}
	http.Error(w, "brunt answers to localhost and to addresses, not to "+words.Clip(words.Clean(r.Host), 100)+
		": name it in "+flag,
		http.StatusMisdirectedRequest)
	return false
}

// OwnHost reports whether the Host of a request names this machine: by an IP address, as localhost, or by one of
// names (in lower case).
func OwnHost(hostport string, names []string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || slices.Contains(names, host)
}

// current returns the final result of the run. While the run goes on, it returns the result so far, from a sample
// that is at most lately old. It never returns nil.
func (s *Server) current(ctx context.Context, lately time.Duration) *result.Result {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	s.mu.Lock()
	sample, final, expected, iv := s.sample, s.final, s.expected, s.last
	s.mu.Unlock()
	if final != nil {
		s.cache.result = nil
		return final
	}
	if s.cache.result != nil && (time.Since(s.cache.at) < lately || sample == nil) {
		return s.cache.result
	}
	if sample != nil {
		if res := sample(ctx); res != nil {
			s.cache.result, s.cache.at = res, time.Now()
		}
	}
	if s.cache.result != nil {
		return s.cache.result
	}
	reason := "The load has not begun yet."
	if iv.Last {
		reason = "The load is over, and what it came to is being reckoned."
	}
	res := result.Result{Name: s.o.Name}
	if expected != nil {
		res = *expected
	}
	res.Verdict, res.Reason, res.Going = scenarios.Running, reason,
		&result.Going{At: iv.At, End: iv.End, Timetable: iv.Timetable}
	res.Generator.Healthy = true
	return &res
}

// page serves the current report. Requests at the same time share one drawing.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	b, err := s.drawOnce(r.Context())
	if err != nil {
		http.Error(w, "the page can't be drawn: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b)
}

// drawOnce returns the current page of the run, at most pageMaxAge old.
func (s *Server) drawOnce(ctx context.Context) ([]byte, error) {
	s.cache.drawn.mu.Lock()
	defer s.cache.drawn.mu.Unlock()
	res := s.current(ctx, pageMaxAge)
	d := &s.cache.drawn
	fresh := d.of != nil && res.Going != nil && d.of.Going != nil && res.Run == d.of.Run && res.Reason == d.of.Reason &&
		time.Since(d.at) < pageMaxAge
	if res == d.of || fresh {
		return d.page, nil
	}
	b, err := s.draw(res)
	if err == nil {
		d.of, d.at, d.page = res, time.Now(), b
	}
	return b, err
}

// draw returns the page of a result.
func (s *Server) draw(res *result.Result) ([]byte, error) {
	s.mu.Lock()
	now, final, report := s.follow.Now(), s.final, s.report
	s.mu.Unlock()
	if res == final && report != nil {
		return report, nil
	}
	var b bytes.Buffer
	err := html.DrawLive(&b, res, now)
	return b.Bytes(), err
}

// authorized reports whether a request has the token, and the run goes on. If not, it answers the request.
func (s *Server) authorized(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	token := sha256.Sum256([]byte(strings.TrimSpace(r.PostFormValue("token"))))
	s.mu.Lock()
	over := s.final != nil
	s.mu.Unlock()
	switch {
	case s.o.Token == "" || subtle.ConstantTimeCompare(token[:], s.stop[:]) != 1:
		http.Error(w, "That is not the token, which stands in the terminal where brunt runs. Send it as token=... in the "+
			"body.", http.StatusForbidden)
	case over:
		http.Error(w, "The run is over already.", http.StatusConflict)
	default:
		return true
	}
	return false
}

// stopRun stops the run if the request has the token.
func (s *Server) stopRun(w http.ResponseWriter, r *http.Request) {
	if !s.authorized(w, r) {
		return
	}
	say := "The run ends: its faults are taken back, then the report is written. A second request ends teardown.\n"
	if s.o.Stop() {
		say = "Teardown ends; the target is still taken down.\n"
	}
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, say)
}

// markFault passes a mark of a person to the run if the request has the token: mark is continue, seen, understood or
// acted, fault names the fault, and by, which may be empty, the person. The time of the mark is that of the request.
func (s *Server) markFault(w http.ResponseWriter, r *http.Request) {
	at := time.Now()
	if !s.authorized(w, r) {
		return
	}
	s.mu.Lock()
	mark := s.mark
	s.mu.Unlock()
	if mark == nil {
		http.Error(w, "The load has not begun yet.", http.StatusConflict)
		return
	}
	k, fault := result.MarkKind(r.PostFormValue("mark")), r.PostFormValue("fault")
	if err := mark(k, fault, r.PostFormValue("by"), at); err != nil {
		http.Error(w, words.Clean(err.Error()), http.StatusConflict)
		return
	}
	_, _ = io.WriteString(w, words.MarkTaken(k, fault)+"\n")
}

// drawPages draws the page repeatedly while clients listen.
func (s *Server) drawPages() {
	var next, whole time.Time
	for {
		select {
		case <-s.closed:
			return
		case <-s.wake:
		}
		s.mu.Lock()
		wanted := s.readers > 0 && s.sample != nil && !time.Now().Before(next)
		s.mu.Unlock()
		if !wanted {
			continue
		}
		began := time.Now()
		if whole.IsZero() {
			whole = began
		}
		ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
		res := s.current(ctx, pageMaxAge)
		cancel()
		size := 0.0 // bytes
		if res.Going != nil {
			page, going := *res, *res.Going
			if going.Brief = began.Sub(whole) < wholePageEvery; !going.Brief {
				whole = began
			}
			page.Going = &going
			size = float64(s.publishPage(&page))
		}
		cost := time.Since(began)
		most := max(longestPause, time.Duration(size/pageBytesPerSecond*float64(time.Second)))
		pause := min(time.Duration(float64(cost)/pageCPUShare), most)
		next = began.Add(pause - 100*time.Millisecond)
	}
}

// publishPage draws the page, publishes it to clients, and returns its size in bytes.
func (s *Server) publishPage(res *result.Result) int {
	b, err := s.draw(res)
	if err != nil {
		return 0 // clients keep the earlier page
	}
	page := encodeJSON(string(b))
	s.show(func(st *state) { st.n++; st.page, st.pageN = page, st.n })
	return len(page)
}
