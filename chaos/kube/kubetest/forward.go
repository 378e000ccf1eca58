package kubetest

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/moby/spdystream"
)

// forward upgrades a connection to a pod, by WebSocket or by SPDY.
func (s *Server) forward(w http.ResponseWriter, r *http.Request, list, name string) {
	s.mu.Lock()
	_, err := s.store.get(list, name)
	plain := s.plain
	s.mu.Unlock()
	if err != nil {
		answer(w, nil, err)
		return
	}
	if r.Method == http.MethodGet {
		if plain {
			http.Error(w, "this balancer passes no WebSockets on", http.StatusBadRequest)
			return
		}
		const tunnel = "SPDY/3.1+portforward.k8s.io"
		up := ws.HTTPUpgrader{Protocol: func(p string) bool { return p == tunnel }}
		conn, _, _, err := up.Upgrade(r, w)
		if err != nil {
			return
		}
		s.pass(name, &messages{Conn: conn})
		return
	}
	conn, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = fmt.Fprint(buf, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n")
	if buf.Flush() == nil {
		s.pass(name, conn)
	}
}

// messages is a stream of bytes in the messages of a WebSocket.
type messages struct {
	net.Conn
	left []byte
	mu   sync.Mutex
}

func (m *messages) Read(p []byte) (int, error) {
	for len(m.left) == 0 {
		text, err := wsutil.ReadClientBinary(m.Conn)
		if err != nil {
			return 0, err
		}
		m.left = text
	}
	n := copy(p, m.left)
	m.left = m.left[n:]
	return n, nil
}

func (m *messages) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(p), wsutil.WriteServerBinary(m.Conn, p)
}

// pass serves the streams of a connection to a pod until it ends.
func (s *Server) pass(pod string, conn net.Conn) {
	s.mu.Lock()
	s.passed = append(s.passed, conn)
	s.mu.Unlock()
	defer conn.Close()
	c, err := spdystream.NewConnection(conn, true)
	if err != nil {
		return
	}
	var mu sync.Mutex
	var faults *spdystream.Stream
	c.Serve(func(st *spdystream.Stream) {
		// A client opens the data stream once the error stream is answered, so the error stream is noted first.
		mu.Lock()
		defer mu.Unlock()
		if st.SendReply(http.Header{}, false) != nil {
			return
		}
		if st.Headers().Get("streamType") == "error" {
			faults = st
			return
		}
		port, _ := strconv.Atoi(st.Headers().Get("port"))
		go s.port(pod, port, st, faults)
	})
}

// port connects a data stream to the listener at a port of a pod.
func (s *Server) port(pod string, port int, data, faults *spdystream.Stream) {
	at := cmp.Or(s.At[pod], s.Ports[port])
	if host := s.Ports[0]; at == "" && host != "" {
		at = net.JoinHostPort(host, strconv.Itoa(port))
	}
	to, err := net.Dial("tcp", at)
	if err != nil {
		_, _ = fmt.Fprintf(faults, "an error occurred forwarding: dial tcp4 127.0.0.1:%d: connect: connection refused", port)
	} else {
		go func() {
			_, _ = io.Copy(to, data)
			_ = to.(*net.TCPConn).CloseWrite()
		}()
		_, _ = io.Copy(data, to)
		_ = to.Close()
	}
	_ = faults.Close()
	_ = data.Close()
}
