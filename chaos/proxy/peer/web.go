package peer

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
)

// ownHeader marks a peer's responses, to distinguish them from the proxy's own.
const ownHeader = "Brunt-Peer"

// webBody is the body of a peer's response, where its status allows one.
const webBody = "probe"

// A Form is the form of requests and answers on the wire.
type Form uint8

const (
	HTTP1 Form = iota // HTTP/1.1, without TLS
	HTTP2             // HTTP/2, without TLS
	GRPC              // calls, over HTTP2
	Redis             // commands
	SQL               // statements of PostgreSQL
	MySQL             // statements of MySQL
	Mongo             // commands of MongoDB
	Kafka             // requests of Kafka
	AMQP              // messages that a broker of AMQP confirms
)

// A Message is one message of an exchange.
type Message struct {
	Target string // of a request that arrived; empty: none arrived
	Status int    // of a response
	Header http.Header
	Body   string
}

// A Web answers the requests of a probe, and records them.
type Web struct {
	Form         Form
	Method, Path string      // of the requests; the path is unescaped
	Asks, Says   http.Header // additional headers of requests and responses
	Status       int         // of the responses; zero is 204 without a body
	Keep         bool        // whether to keep the requests

	mu  sync.Mutex
	all []Message
}

func (w *Web) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.all)
}

// after returns the request after the first n, or the zero value if there is none.
func (w *Web) after(n int) Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n >= len(w.all) {
		return Message{}
	}
	return w.all[n]
}

// came reads a request to its end.
func (w *Web) came(r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil || !w.Keep {
		return err
	}
	r.Header.Set("Host", r.Host)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, Message{Target: r.RequestURI, Header: r.Header, Body: string(body)})
	return nil
}

// Serve serves a connection.
func (w *Web) Serve(c *net.TCPConn) {
	switch w.Form {
	case HTTP1:
		w.serve1(c)
		return
	case Redis, SQL, MySQL, Mongo, Kafka, AMQP:
		w.serveQueries(c)
		return
	}
	one := &single{c: c, over: make(chan struct{})}
	s := &http.Server{
		ErrorLog: log.New(io.Discard, "", 0), Protocols: http2Alone(), Handler: http.HandlerFunc(w.serve2),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				close(one.over)
			}
		},
	}
	_ = s.Serve(one) // until the connection is closed
}

// http2Alone returns the protocol of a web that speaks HTTP/2 without TLS.
func http2Alone() *http.Protocols {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return p
}

// A single is a listener of one connection, which ends with it.
type single struct {
	c    net.Conn
	over chan struct{} // closed when the connection is
}

func (s *single) Accept() (net.Conn, error) {
	if c := s.c; c != nil {
		s.c = nil
		return c, nil
	}
	<-s.over
	return nil, net.ErrClosed
}

func (s *single) Close() error { return nil }

func (s *single) Addr() net.Addr { return &net.TCPAddr{} }

// serve2 answers a request of HTTP/2.
func (w *Web) serve2(to http.ResponseWriter, r *http.Request) {
	if w.came(r) != nil {
		return
	}
	to.Header().Set(ownHeader, "yes")
	maps.Copy(to.Header(), w.Says)
	switch {
	case w.Form == GRPC: // only a status
		to.Header().Set("Content-Type", grpcType)
		to.Header().Set("Grpc-Status", "0")
	case w.Status == 0:
		to.WriteHeader(http.StatusNoContent)
	default:
		to.WriteHeader(w.Status)
		_, _ = io.WriteString(to, webBody)
	}
}

// grpcType is the content type of gRPC.
const grpcType = "application/grpc"

// linesOf formats headers as lines.
func linesOf(h http.Header) string {
	var b strings.Builder
	_ = h.Write(&b)
	return b.String()
}

// serve1 serves a connection of HTTP/1.1.
func (w *Web) serve1(c *net.TCPConn) {
	answer := "HTTP/1.1 204 No Content\r\n" + ownHeader + ": yes\r\n" + linesOf(w.Says) + "\r\n"
	if w.Status != 0 {
		answer = fmt.Sprintf("HTTP/1.1 %03d %s\r\n%s: yes\r\n%sContent-Length: %d\r\n\r\n%s",
			w.Status, http.StatusText(w.Status), ownHeader, linesOf(w.Says), len(webBody), webBody)
	}
	head, _ := strings.CutSuffix(answer, webBody)
	for br := bufio.NewReader(c); ; {
		r, err := http.ReadRequest(br)
		if err != nil || w.came(r) != nil {
			return
		}
		says := answer
		if r.Method == http.MethodHead {
			says = head
		}
		if _, err := io.WriteString(c, says); err != nil || r.Close {
			return
		}
	}
}
