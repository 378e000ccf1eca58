//go:build linux

package drills

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// A store is a system that takes writes.
type store interface {
	put(ctx context.Context, id string) error
	count(ctx context.Context, id string) (int, error) // how many times a write is there
}

// registers are a store whose keys have values.
type registers interface {
	set(ctx context.Context, key, value string) error
	value(ctx context.Context, key string) (string, error)
}

// serveRegisters serves a store: POST /set?key=KEY&value=VALUE and GET /value?key=KEY.
func serveRegisters(mux *http.ServeMux, s registers) {
	mux.HandleFunc("POST /set", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), patience)
		defer cancel()
		if err := s.set(ctx, r.URL.Query().Get("key"), r.URL.Query().Get("value")); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("GET /value", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		switch value, err := s.value(ctx, r.URL.Query().Get("key")); {
		case err != nil:
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		case value == "":
			http.NotFound(w, r)
		default:
			fmt.Fprintf(w, `{"value": %q}`, value)
		}
	})
}

// patience is how long the front waits for its store; longer than clients wait for the front.
const patience = 3 * time.Second

// serveFront serves a store: POST /put?id=ID and GET /get?id=ID, and GET /writes if any of its
// members takes writes. It appends each write, with when it came and how long
// it took, to the file acked in a folder before it acknowledges it, unless the client has left. The file failed has the
// other writes, the prober's too, and why they failed.
func serveFront(s store, addr, dir string) error {
	var logs [2]*os.File
	for i, name := range []string{"acked", "failed"} {
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		defer f.Close()
		logs[i] = f
	}
	var mu sync.Mutex
	log := func(f *os.File, words ...any) error {
		mu.Lock()
		defer mu.Unlock()
		_, err := fmt.Fprintln(f, words...)
		return err
	}
	mux := http.NewServeMux()
	if r, is := s.(registers); is {
		serveRegisters(mux, r)
	}
	if m, is := s.(interface{ writesTo() int }); is {
		mux.HandleFunc("GET /writes", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"to": %d}`, m.writesTo())
		})
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		if err := s.put(ctx, "health"); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("POST /put", func(w http.ResponseWriter, r *http.Request) {
		id, began := r.URL.Query().Get("id"), time.Now()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), patience)
		defer cancel()
		if err := s.put(ctx, id); err != nil {
			_ = log(logs[1], began.UTC().Format(time.RFC3339Nano), time.Since(began), id, err)
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		if r.Context().Err() != nil {
			return
		}
		if !strings.HasPrefix(id, "probe") {
			if err := log(logs[0], began.UTC().Format(time.RFC3339Nano), time.Since(began), id); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		}
	})
	mux.HandleFunc("GET /get", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		n, err := s.count(ctx, r.URL.Query().Get("id"))
		switch {
		case err != nil:
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		case n == 0:
			http.NotFound(w, r)
		default:
			fmt.Fprintf(w, `{"count": %d}`, n)
		}
	})
	return http.ListenAndServe(addr, mux)
}

// errNoPrimary says that no server takes writes.
var errNoPrimary = errors.New("no server takes writes")

// A conn is an open connection to a server.
type conn interface{ Close() error }

// A pool keeps connections to the server that takes writes. Those that failed are closed, and so are
// all others to the same server.
type pool[C conn] struct {
	find func(context.Context) (string, error) // the address of the server that takes writes
	dial func(context.Context, string) (C, error)

	mu    sync.Mutex
	addr  string // "" is not known
	at    time.Time
	idle  []C
	round int // of the address: connections of earlier rounds are closed
}

// do calls f with a connection.
func (p *pool[C]) do(ctx context.Context, f func(C) error) error {
	c, round, err := p.get(ctx)
	if err != nil {
		return err
	}
	err = f(c)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil && round == p.round:
		p.idle = append(p.idle, c)
		return nil
	case err != nil && round == p.round:
		p.forget()
	}
	_ = c.Close()
	return err
}

// forget closes the idle connections; the address is asked for again.
func (p *pool[C]) forget() {
	for _, c := range p.idle {
		_ = c.Close()
	}
	p.idle, p.addr = nil, ""
	p.round++
}

// leave closes the idle connections unless they are to addr.
func (p *pool[C]) leave(addr string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.addr != addr {
		p.forget()
	}
}

func (p *pool[C]) get(ctx context.Context) (c C, round int, err error) {
	addr, round, idle, ok, err := p.take(ctx)
	if err != nil || ok {
		return idle, round, err
	}
	if c, err = p.dial(ctx, addr); err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		if round == p.round {
			p.forget()
		}
	}
	return c, round, err
}

// take returns an idle connection, else the address to dial. A search for it that failed holds for
// 20 ms, so that searches don't pile up.
func (p *pool[C]) take(ctx context.Context) (addr string, round int, c C, ok bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		c = p.idle[n-1]
		p.idle = p.idle[:n-1]
		return p.addr, p.round, c, true, nil
	}
	if p.addr == "" {
		if time.Since(p.at) < 20*time.Millisecond {
			return "", 0, c, false, errNoPrimary
		}
		find, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		p.addr, err = p.find(find)
		p.at = time.Now()
	}
	return p.addr, p.round, c, false, err
}
