package stream

import (
	"os"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"

	"github.com/gobwas/ws"
)

// pinger sends pings on a WebSocket, and records how long their answers took. A ping has failed if it has no answer
// a quarter of the time after the next one was due.
type pinger struct {
	on    *socket
	every time.Duration

	mu    sync.Mutex
	timer *time.Timer
	sent  time.Duration // when the last ping was sent
	waits bool          // the last ping has no answer yet
	late  bool          // the next ping was due meanwhile
	done  []pong        // results that were not passed on yet
	over  bool
}

// pong is the result of a ping.
type pong struct {
	sent, end time.Duration
	lost      bool
}

// mostPongs is the maximum number of results that were not passed on.
const mostPongs = 1000

// start schedules the first ping.
func (p *pinger) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(p.every, p.ping)
}

// ping sends a ping.
func (p *pinger) ping() {
	if p.due(p.on.o.Now()) {
		_ = p.on.control(ws.OpPing, []byte("brunt")) // an error ends the connection
	}
}

// due reports whether to send a ping now, and schedules the next call.
func (p *pinger) due(now time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.every
	switch {
	case p.over:
		return false
	case p.waits && !p.late: // brunt may have stood still, so that an answer that is there was not yet read
		p.late = true
		p.timer.Reset(p.every / 4)
		return false
	case p.waits:
		p.keep(pong{sent: p.sent, end: now, lost: true})
	}
	if p.late { // pings keep their pace
		next -= p.every / 4
	}
	p.sent, p.waits, p.late = now, true, false
	p.timer.Reset(next)
	return true
}

// answered records the answer to the last ping.
func (p *pinger) answered() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waits {
		p.waits = false
		p.keep(pong{sent: p.sent, end: p.on.o.Now()})
	}
}

// keep keeps the result of a ping.
func (p *pinger) keep(one pong) {
	if len(p.done) < mostPongs {
		p.done = append(p.done, one)
	}
}

// stop ends the pings.
func (p *pinger) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	if p.timer != nil {
		p.timer.Stop()
	}
}

// take returns the results of the pings since its last call.
func (p *pinger) take() []pong {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.done
	p.done = nil
	return list
}

// pings passes on the results of the pings of a stream.
func (s *session) pings(st *stream, on *conn, it *template.Iter) {
	if on.pinger == nil {
		return
	}
	for _, p := range on.pinger.take() {
		out := scenarios.Outcome{
			Intended: p.sent, Ready: p.sent, Slot: p.sent, Sent: p.sent, WasSent: true, Answered: true, First: p.end, End: p.end,
		}
		if p.lost {
			targets.Fail(&out, os.ErrDeadlineExceeded, p.end, p.end, false)
		}
		s.client.o.Emit(it, st.call, pingTime, &out)
	}
}
