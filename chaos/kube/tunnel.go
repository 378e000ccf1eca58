package kube

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"brunt/scenarios"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// Names of the protocols of connections to pods: SPDY in messages of a WebSocket, or plain SPDY.
const (
	spdyTunnel  = "SPDY/3.1+portforward.k8s.io"
	spdyAlone   = "SPDY/3.1"
	portForward = "portforward.k8s.io"
)

// upgrade opens a connection on which the API server forwards SPDY to a node. It tries a WebSocket first, then plain
// SPDY, because some load balancers pass only one of them.
func (c *Cluster) upgrade(ctx context.Context, path string) (net.Conn, error) {
	by, err := c.shake(ctx, &handshake{c: c, socket: true}, http.MethodGet, path)
	if e, ok := errors.AsType[*apiError](err); ok && e.Reason == "" || errors.Is(err, errNoTunnel) {
		again, second := c.shake(ctx, &handshake{c: c}, http.MethodPost, path)
		if second == nil {
			return again, nil
		}
		return nil, errors.Join(err, second)
	}
	return by, err
}

// shake opens a connection with the credentials of the kubeconfig.
func (c *Cluster) shake(ctx context.Context, h *handshake, method, path string) (net.Conn, error) {
	by, err := c.access.Credentials(h)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url(path, nil), nil)
	if err != nil {
		return nil, err
	}
	res, err := by.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	_ = res.Body.Close()
	return h.made, nil
}

// A handshake makes one connection. It is an [http.RoundTripper], so that credentials are added as to any request.
type handshake struct {
	c      *Cluster
	socket bool // through a WebSocket
	made   net.Conn
}

// errNoTunnel says that the other end accepts none of our protocols.
var errNoTunnel = errors.New("the API server does not pass on connections to pods by WebSocket")

func (h *handshake) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(req.Context(), h.c.within)
	defer cancel()
	conn, err := h.connect(ctx)
	if err != nil {
		return nil, h.c.unreachable(ctx, err)
	}
	end, _ := ctx.Deadline()
	_ = conn.SetDeadline(end)
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	if h.socket {
		h.made, err = webSocket(conn, req)
	} else {
		h.made, err = spdyUpgrade(conn, req)
	}
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	return &http.Response{StatusCode: http.StatusSwitchingProtocols, Body: http.NoBody, Request: req}, nil
}

// connect connects to the API server.
func (h *handshake) connect(ctx context.Context) (net.Conn, error) {
	at, port := h.c.base.Hostname(), h.c.base.Port()
	if port == "" {
		port = map[bool]string{true: "443", false: "80"}[h.c.access.TLS != nil]
	}
	raw, err := h.c.dial(ctx, "tcp", net.JoinHostPort(at, port))
	if err != nil || h.c.access.TLS == nil {
		return raw, err
	}
	config := h.c.access.TLS.Clone()
	config.NextProtos = []string{"http/1.1"}
	if config.ServerName == "" {
		config.ServerName = at
	}
	secure := tls.Client(raw, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return secure, nil
}

// webSocket upgrades a connection to a WebSocket that carries SPDY.
func webSocket(conn net.Conn, req *http.Request) (net.Conn, error) {
	var refused error
	d := ws.Dialer{
		Protocols: []string{spdyTunnel}, Header: ws.HandshakeHeaderHTTP(req.Header),
		OnStatusError: func(status int, _ []byte, answer io.Reader) {
			refused = &apiError{Code: status, Message: fmt.Sprintf("the API server answers %d to a WebSocket", status)}
			if res, err := http.ReadResponse(bufio.NewReader(io.LimitReader(answer, mostAnswer)), req); err == nil {
				text, _ := io.ReadAll(io.LimitReader(res.Body, mostSaid))
				_ = res.Body.Close()
				refused = errorOf(status, text)
			}
		},
	}
	u := *req.URL
	u.Scheme = strings.Replace(u.Scheme, "http", "ws", 1)
	rest, shaken, err := d.Upgrade(conn, &u)
	switch {
	case refused != nil:
		return nil, refused
	case err != nil:
		return nil, err
	case shaken.Protocol != spdyTunnel:
		return nil, errNoTunnel
	}
	t := &tunnel{Conn: conn}
	var from io.Reader = conn
	if rest != nil {
		from = rest
	}
	t.in = wsutil.Reader{Source: from, State: ws.StateClientSide}
	t.control = wsutil.ControlFrameHandler(lockedWriter{t}, ws.StateClientSide)
	t.in.OnIntermediate = t.control
	return t, nil
}

// A tunnel carries a stream of bytes in the messages of a WebSocket.
type tunnel struct {
	net.Conn
	in      wsutil.Reader
	control wsutil.FrameHandlerFunc
	within  bool // inside a message

	mu sync.Mutex // guards writes
}

func (t *tunnel) Read(p []byte) (_ int, err error) {
	defer scenarios.Recover(&err) // reads in a goroutine of the library may panic
	for {
		if !t.within {
			h, err := t.in.NextFrame()
			if err != nil {
				return 0, err
			}
			if h.OpCode.IsControl() {
				if err := t.control(h, &t.in); err != nil {
					if errors.As(err, new(wsutil.ClosedError)) {
						err = io.EOF
					}
					return 0, err
				}
				continue
			}
			t.within = true
		}
		n, err := t.in.Read(p)
		if errors.Is(err, io.EOF) {
			t.within, err = false, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (t *tunnel) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := wsutil.WriteClientBinary(t.Conn, p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// A lockedWriter writes whole frames, locked against Write.
type lockedWriter struct{ t *tunnel }

func (w lockedWriter) Write(p []byte) (int, error) {
	w.t.mu.Lock()
	defer w.t.mu.Unlock()
	return w.t.Conn.Write(p)
}

// spdyUpgrade upgrades a connection to SPDY.
func spdyUpgrade(conn net.Conn, req *http.Request) (net.Conn, error) {
	req = req.Clone(req.Context())
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", spdyAlone)
	req.Header.Set("X-Stream-Protocol-Version", portForward)
	if err := req.Write(conn); err != nil {
		return nil, err
	}
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		text, _ := io.ReadAll(io.LimitReader(res.Body, mostSaid))
		_ = res.Body.Close()
		return nil, errorOf(res.StatusCode, text)
	}
	early, _ := in.Peek(in.Buffered())
	return &begun{conn, io.MultiReader(bytes.NewReader(early), conn)}, nil
}

// begun is a connection of which a part has been read already.
type begun struct {
	net.Conn
	in io.Reader
}

func (b *begun) Read(p []byte) (int, error) { return b.in.Read(p) }
