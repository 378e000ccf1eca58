package truth

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// An Effect is the fate of an acknowledged write.
type Effect struct {
	Lost   bool          // it is never found
	Late   time.Duration // it is found this long after it was acknowledged
	Double bool          // it is found twice
}

// A write is an acknowledged write.
type write struct {
	ID     string
	N      int // number, counted from 0
	At     time.Time
	Effect Effect
}

// A Store keeps writes. Effects returns the effect for write n, counted from 0 by arrival; nil keeps all writes.
type Store struct {
	Effects func(n int) Effect

	mu     sync.Mutex
	writes []write
	silent bool // reads have no answer
}

// Lose loses the present writes that lost selects, by their time of acknowledgement, and returns how many.
func (s *Store) Lose(lost func(at time.Time) bool) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.writes {
		if w := &s.writes[i]; !w.Effect.Lost && lost(w.At) {
			w.Effect.Lost = true
			n++
		}
	}
	return n
}

// Silence makes reads fail, or lets them be answered again.
func (s *Store) Silence(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = on
}

func (s *Store) add(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := write{ID: id, N: len(s.writes), At: time.Now()}
	if s.Effects != nil {
		w.Effect = s.Effects(w.N)
	}
	s.writes = append(s.writes, w)
}

// found returns how many times a write is found now. It is negative if reads fail.
func (s *Store) found(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.silent {
		return -1
	}
	i := slices.IndexFunc(s.writes, func(w write) bool { return w.ID == id })
	if i < 0 {
		return 0
	}
	switch f := s.writes[i].Effect; {
	case f.Lost, time.Since(s.writes[i].At) < f.Late:
		return 0
	case f.Double:
		return 2
	}
	return 1
}

// writes acknowledges a write, or returns how often it is found.
func (v *Server) writes(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("id")
	if r.Method == http.MethodPost {
		v.Store.add(id)
		w.WriteHeader(http.StatusCreated)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch v.Store.found(id) {
	case -1:
		w.WriteHeader(http.StatusServiceUnavailable)
	case 0:
		w.WriteHeader(http.StatusNotFound)
	case 1:
		_, _ = w.Write([]byte(`{"items":[1]}`))
	default:
		_, _ = w.Write([]byte(`{"items":[1,1]}`))
	}
}
