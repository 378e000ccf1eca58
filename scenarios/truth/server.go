package truth

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A Server answers on 127.0.0.1 by a script. Requests carry their number in the query as n.
//
//	GET  /PATH?n=N      is logged and answered by the script
//	POST /fault/on      notes the injection; GET /fault answers 200 from then on
//	POST /fault/off     notes the end of the fault; GET /fault answers 503
//	POST /writes?id=ID  and GET /writes?id=ID: see Store
type Server struct {
	Log   Log
	Store Store

	script  Script
	on      atomic.Bool
	http    http.Server
	address string
	closed  chan struct{}
	all     sync.WaitGroup
}

// Start serves a script until Close, on a free port of 127.0.0.1.
func Start(s Script) (*Server, error) { return StartAt(s, "127.0.0.1:0") }

// StartAt serves a script at an address until Close.
func StartAt(s Script, address string) (*Server, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	v := &Server{script: s, address: l.Addr().String(), closed: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("/fault/on", v.set(true))
	mux.HandleFunc("/fault/off", v.set(false))
	mux.HandleFunc("/fault", v.state)
	mux.HandleFunc("/writes", v.writes)
	mux.HandleFunc("/", v.answer)
	v.http = http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	v.all.Go(func() { _ = v.http.Serve(l) })
	v.all.Go(v.pulse)
	return v, nil
}

// pulseEvery is how often the server checks that it runs.
const pulseEvery = 5 * time.Millisecond

// pulse notes the stalls of the server until it is closed.
func (v *Server) pulse() {
	t := time.NewTicker(pulseEvery)
	defer t.Stop()
	for last := time.Now(); ; {
		select {
		case <-t.C:
		case <-v.closed:
			return
		}
		now := time.Now()
		if now.Sub(last) >= LeastStall {
			v.Log.stall(last, now)
		}
		last = now
	}
}

// URL is the address of the server.
func (v *Server) URL() string { return "http://" + v.address }

// Close ends the server and every connection.
func (v *Server) Close() error {
	close(v.closed)
	err := v.http.Close()
	v.all.Wait()
	return err
}

func (v *Server) set(on bool) http.HandlerFunc {
	return func(http.ResponseWriter, *http.Request) {
		if !v.on.Swap(on) && on {
			v.Log.fault()
		}
	}
}

func (v *Server) state(w http.ResponseWriter, _ *http.Request) {
	if !v.on.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func (v *Server) answer(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.URL.Query().Get("n"))
	if err != nil {
		http.Error(w, "a request wants its number: ?n=17", http.StatusBadRequest)
		return
	}
	e := Entry{N: n, Step: r.URL.Path, Arrived: time.Now(), Act: v.script(n)}
	defer func() {
		e.Ended = time.Now()
		v.Log.add(e)
	}()
	if e.Act.Hang {
		v.wait(r.Context(), time.Hour)
		panic(http.ErrAbortHandler)
	}
	v.wait(r.Context(), e.Act.Delay)
	if e.Act.Reset {
		reset(w)
		return
	}
	if e.Act.Status != 0 {
		w.WriteHeader(e.Act.Status)
	}
	_, _ = w.Write([]byte("ok\n"))
}

// wait waits for d, or until the client or the server is gone.
func (v *Server) wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-v.closed:
	}
}

// reset ends the connection with a TCP reset.
func reset(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(errors.Join(http.ErrAbortHandler, err))
	}
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}
