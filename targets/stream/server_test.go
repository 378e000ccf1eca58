package stream_test

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// server is a server of WebSocket, of lines over TCP, or of datagrams of UDP, with the behaviours that the suite
// needs. The first word of a message says which. Its frames are those of another library than brunt's.
type server struct {
	net.Listener
	scheme string

	opened, handshakes, requests, held, pongs atomic.Int64

	came    atomic.Int64 // bytes
	release chan struct{}
	once    sync.Once
	frozen  sync.RWMutex // held while the server stands still

	mu     sync.Mutex
	marks  []string
	log    []string // all messages, and how streams ended
	asked  []http.Header
	active map[net.Conn]struct{}
}

// counted counts connections.
type counted struct {
	net.Listener
	of *server
}

func (l counted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		c = counting{c, l.of}
		l.of.opened.Add(1)
		l.of.mu.Lock()
		l.of.active[c] = struct{}{}
		l.of.mu.Unlock()
	}
	return c, err
}

// counting counts the bytes that come.
type counting struct {
	net.Conn
	of *server
}

func (c counting) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.of.came.Add(int64(n))
	return n, err
}

// tcp returns the TCP connection of one that the server accepted.
func tcp(c net.Conn) (*net.TCPConn, bool) {
	if in, ok := c.(counting); ok {
		c = in.Conn
	}
	t, ok := c.(*net.TCPConn)
	return t, ok
}

// start starts a server that ends with the test.
func start(t testing.TB, scheme string) *server {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{scheme: scheme, release: make(chan struct{}), active: map[net.Conn]struct{}{}}
	s.Listener = counted{l, s}
	switch scheme {
	case "tcp":
		s.lines(t)
		return s
	case "udp":
		_ = l.Close()
		s.datagrams(t)
		return s
	}
	h := httptest.NewUnstartedServer(http.HandlerFunc(s.handle))
	_ = h.Listener.Close()
	h.Listener = s.Listener
	h.Config.ErrorLog = log.New(io.Discard, "", 0) // clients give up within handshakes
	if scheme == "wss" {
		h.StartTLS()
	} else {
		h.Start()
	}
	t.Cleanup(func() {
		s.Release()
		s.cut(false)
		h.Close()
	})
	return s
}

func (s *server) Base() string       { return s.scheme + "://" + s.Addr().String() }
func (s *server) Requests() int64    { return s.requests.Load() }
func (s *server) Connections() int64 { return s.opened.Load() }
func (s *server) Held() int64        { return s.held.Load() }
func (s *server) Release()           { s.once.Do(func() { close(s.release) }) }
func (s *server) Marks() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.marks...)
}

// handshake returns the headers of a handshake of WebSocket.
func (s *server) handshake(i int) http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[i]
}

// logged returns the log.
func (s *server) logged() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.log...)
}

func (s *server) note(what string) {
	s.mu.Lock()
	s.log = append(s.log, what)
	s.mu.Unlock()
}

// cut ends all connections.
func (s *server) cut(reset bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.active {
		if t, ok := tcp(c); ok && reset {
			_ = t.SetLinger(0)
		}
		_ = c.Close()
	}
	clear(s.active)
}

// lines serves lines over TCP.
func (s *server) lines(t testing.TB) {
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := s.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					line, err := in.ReadString('\n')
					if err != nil {
						s.note("end")
						return
					}
					if !s.answer(strings.TrimSuffix(line, "\n"), c, func(text string) { _, _ = c.Write([]byte(text + "\n")) }) {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = s.Close()
		s.Release()
		s.cut(false)
		all.Wait()
	})
}

// sockets has the address of a socket of UDP.
type sockets struct {
	net.Listener
	*net.UDPConn
}

func (s sockets) Addr() net.Addr { return s.LocalAddr() }
func (s sockets) Close() error   { return s.UDPConn.Close() }

// datagrams serves datagrams of UDP, each of which is a message. A socket of a client counts as a connection.
func (s *server) datagrams(t testing.TB) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s.Listener = sockets{UDPConn: c}
	var all sync.WaitGroup
	all.Go(func() {
		seen := map[netip.AddrPort]bool{}
		for b := make([]byte, 1<<16); ; {
			n, from, err := c.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if !seen[from] {
				seen[from] = true
				s.opened.Add(1)
			}
			text := string(b[:n])
			all.Go(func() { s.answer(text, nil, func(text string) { _, _ = c.WriteToUDPAddrPort([]byte(text), from) }) })
		}
	})
	t.Cleanup(func() {
		_ = c.Close()
		s.Release()
		all.Wait()
	})
}

// handle serves a WebSocket.
func (s *server) handle(w http.ResponseWriter, r *http.Request) {
	s.handshakes.Add(1)
	s.mu.Lock()
	s.asked = append(s.asked, r.Header)
	s.mu.Unlock()
	if strings.HasSuffix(r.URL.Path, "/refuse") {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	u := websocket.Upgrader{Subprotocols: []string{"chat.v2"}, EnableCompression: !strings.HasSuffix(r.URL.Path, "/plain")}
	c, err := u.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	c.SetPongHandler(func(string) error { s.pongs.Add(1); return nil })
	var mu sync.Mutex
	say := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		_ = c.WriteMessage(websocket.TextMessage, []byte(text))
	}
	if strings.HasSuffix(r.URL.Path, "/welcome") {
		say(`{"type":"welcome","user":"` + r.Header.Get("X-User") + `"}`)
	}
	for {
		kind, data, err := c.ReadMessage()
		if err != nil {
			s.note("end: " + err.Error())
			return
		}
		text := string(data)
		switch word, rest, _ := strings.Cut(text, " "); word {
		case "ping":
			_ = c.WriteControl(websocket.PingMessage, []byte("x"), time.Now().Add(time.Second))
		case "close":
			_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4001, rest), time.Now().Add(time.Second))
		case "binary":
			_ = c.WriteMessage(websocket.BinaryMessage, []byte{1, 2, 3})
			continue
		}
		if kind == websocket.BinaryMessage {
			text = "binary"
		}
		if !s.answer(text, c.UnderlyingConn(), say) {
			return
		}
	}
}

// answer answers a message; false ends the connection.
func (s *server) answer(text string, c net.Conn, say func(string)) bool {
	s.frozen.RLock()
	defer s.frozen.RUnlock()
	s.requests.Add(1)
	s.note(text)
	switch word, rest, _ := strings.Cut(text, " "); word {
	case "slow":
		time.Sleep(200 * time.Millisecond) // simulates work
	case "hold":
		if rest != "" {
			s.mu.Lock()
			s.marks = append(s.marks, rest)
			s.mu.Unlock()
		}
		s.held.Add(1)
		<-s.release
	case "fail":
		say("no")
		return true
	case "far": // the way takes 80 ms, and that of the first answer 120 ms
		after := 80 * time.Millisecond
		if s.requests.Load() == 1 {
			after = 120 * time.Millisecond
		}
		time.AfterFunc(after, func() { say("ok " + text) })
		return true
	case "mute":
		return true
	case "flood": // so many messages of so many bytes
		var n, size int
		_, _ = fmt.Sscan(rest, &n, &size)
		for range n {
			say(strings.Repeat("x", size))
		}
		say("flooded")
		return true
	case "twice":
		say("other")
		say("ok " + text)
		return true
	case "cut":
		return false
	case "reset":
		if t, ok := tcp(c); ok {
			_ = t.SetLinger(0)
		}
		_ = c.Close()
		return false
	}
	if strings.HasPrefix(text, "{") {
		say(strings.Replace(text, `"id"`, `"re"`, 1))
		return true
	}
	say("ok " + text)
	return true
}
