package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// pingEvery is the time between two pings of a client by the server.
const pingEvery = 5 * time.Second

// echo serves WebSockets that answer each message with itself, and pings them. Pings answers how many were sent and
// answered.
type echo struct {
	pings, pongs atomic.Int64

	mu   sync.Mutex
	open map[net.Conn]*sync.Mutex // what writes holds it
}

// serveEcho serves until the process ends.
func serveEcho(addr string) error {
	e := &echo{open: map[net.Conn]*sync.Mutex{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/pings", func(w http.ResponseWriter,
		_ *http.Request,
	) {
		fmt.Fprintln(w, e.pings.Load(), e.pongs.Load())
	})
	mux.HandleFunc("/", e.handle)
	go e.ping()
	return http.ListenAndServe(addr, mux)
}

func (e *echo) handle(w http.ResponseWriter, r *http.Request) {
	c, _, _, err := ws.UpgradeHTTP(r, w)
	if err != nil {
		return
	}
	writes := new(sync.Mutex)
	e.mu.Lock()
	e.open[c] = writes
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		delete(e.open, c)
		e.mu.Unlock()
		_ = c.Close()
	}()
	for {
		h, err := ws.ReadHeader(c)
		if err != nil {
			return
		}
		b := make([]byte, h.Length)
		if _, err := io.ReadFull(c, b); err != nil {
			return
		}
		ws.Cipher(b, h.Mask, 0)
		switch h.OpCode {
		case ws.OpPong:
			e.pongs.Add(1)
			continue
		case ws.OpClose:
			return
		}
		writes.Lock()
		err = ws.WriteFrame(c, ws.NewFrame(h.OpCode, true, b))
		writes.Unlock()
		if err != nil {
			return
		}
	}
}

// ping pings all clients.
func (e *echo) ping() {
	for range time.Tick(pingEvery) {
		e.mu.Lock()
		for c, writes := range e.open {
			writes.Lock()
			if ws.WriteFrame(c, ws.NewPingFrame(nil)) == nil {
				e.pings.Add(1)
			}
			writes.Unlock()
		}
		e.mu.Unlock()
	}
}

// callEcho sends messages for a time, each after the answer to the last one, on n connections at once. It returns how
// many.
func callEcho(addr string, n int, length time.Duration) int64 {
	var made atomic.Int64
	var all sync.WaitGroup
	end := time.Now().Add(length)
	for range n {
		c, _, _, err := ws.Dial(context.Background(), "ws://"+addr+"/")
		if err != nil {
			log.Fatal(err)
		}
		all.Go(func() {
			for time.Now().Before(end) {
				if err := wsutil.WriteClientText(c, []byte("hello")); err != nil {
					log.Fatal(err)
				}
				if _, err := wsutil.ReadServerText(c); err != nil {
					log.Fatal(err)
				}
				made.Add(1)
			}
			_ = c.Close()
		})
	}
	all.Wait()
	return made.Load()
}
