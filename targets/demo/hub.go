package demo

import (
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// A hub has the streams of clients that wait for events. To open one costs work, which needs a place of the gateway.
type hub struct {
	room *admission
	work time.Duration

	mu    sync.Mutex
	conns map[*websocket.Conn]bool // nil once it has stopped
}

func newHub(p parts, room *admission) *hub {
	return &hub{room: room, work: p.env.length("DEMO_JOIN_WORK"), conns: map[*websocket.Conn]bool{}}
}

// open opens a stream, and greets its client.
func (h *hub) open(w http.ResponseWriter, r *http.Request) error {
	join := func(_ http.ResponseWriter, r *http.Request) error { return pause(r.Context(), h.work) }
	if err := h.room.bounded(h.room.posts, join)(w, r); err != nil {
		return err
	}
	c, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		return nil // the client has its answer
	}
	defer c.Close()
	h.mu.Lock()
	open := h.conns != nil
	if open {
		h.conns[c] = true
	}
	h.mu.Unlock()
	if !open {
		return nil
	}
	err = c.WriteMessage(websocket.TextMessage, []byte(`{"type":"welcome"}`))
	for err == nil {
		_, _, err = c.ReadMessage() // what a client sends has no meaning
	}
	h.mu.Lock()
	delete(h.conns, c)
	h.mu.Unlock()
	return nil
}

// stop closes all streams.
func (h *hub) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.conns {
		c.Close()
	}
	h.conns = nil
}
