package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// state holds the messages for clients: the last second, the last page and, after the run, its end. Each message is
// JSON and replaces the previous one of its kind. Messages are numbered, so that the server knows which a client has.
// A slow client misses some, because the run does not wait for it.
type state struct {
	n                  int64 // number of the newest message
	now, page, over    []byte
	nowN, pageN, overN int64
}

// show changes the state that clients receive.
func (s *Server) show(change func(*state)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.state)
	close(s.changed)
	s.changed = make(chan struct{})
}

// events sends the run to one client until the run is over or the client is gone:
//
//	now   the figures of the last second, once a second
//	page  the whole current page, as one string
//	over  the run has ended, and the last page is its report
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.readers >= mostReaders {
		s.mu.Unlock()
		w.Header().Set("Retry-After", "10")
		http.Error(w, "too many pages of this run are open", http.StatusServiceUnavailable)
		return
	}
	s.readers++
	final := s.final
	drawn := s.state.pageN > 0
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.readers--
		s.mu.Unlock()
	}()
	if final != nil && !drawn { // no client listened when the run ended
		s.publishPage(final)
	}
	streaming(r.Context())
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	send := func(b []byte) bool {
		_ = rc.SetWriteDeadline(time.Now().Add(s.writeTimeout))
		if _, err := w.Write(b); err != nil {
			return false
		}
		return rc.Flush() == nil
	}
	if !send([]byte("retry: 1000\n\n")) {
		return
	}
	alive := time.NewTicker(15 * time.Second)
	defer alive.Stop()
	var had int64
	for {
		s.mu.Lock()
		st, changed := s.state, s.changed
		s.mu.Unlock()
		var b bytes.Buffer
		for _, e := range []struct {
			name string
			data []byte
			n    int64
		}{{"now", st.now, st.nowN}, {"page", st.page, st.pageN}, {"over", st.over, st.overN}} {
			if e.n > had && e.data != nil {
				b.WriteString("event: " + e.name + "\ndata: ")
				b.Write(e.data)
				b.WriteString("\n\n")
			}
		}
		had = st.n
		if b.Len() > 0 && !send(b.Bytes()) || st.over != nil {
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		case <-s.closed:
			s.mu.Lock()
			late := s.state.n > had
			s.mu.Unlock()
			if !late {
				return
			}
		case <-alive.C:
			if !send([]byte(": still there\n\n")) {
				return
			}
		}
	}
}

// overJSON describes how a run ended, and whether another run follows.
func overJSON(res *result.Result, run, of int) []byte {
	text := "The run is over. This page is its report now, and no longer connected; brunt keeps it as report.html."
	if run < of && res.Verdict != scenarios.Interrupted {
		text += fmt.Sprintf(" It was run %d of %d: load the page again to follow the next.", run, of)
	}
	return encodeJSON(map[string]string{"word": words.Capitalize(words.RunVerdict(res)), "text": text})
}

// encodeJSON returns v as JSON on one line.
func encodeJSON(v any) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte("null")
	}
	return []byte(strings.TrimSuffix(b.String(), "\n"))
}
