package chaos_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"brunt/chaos"
	"brunt/chaos/chaostest"
	"brunt/chaos/proxy"
	"brunt/scenarios/suite"
)

// onContent are faults on what connections carry.
var onContent = []string{
	"http.error: {from: web, to: store}",
	"http.delay: {from: web, to: store, delay: 60ms}",
	"http.rewrite: {from: web, to: store, answer: {status: 418}}",
	"grpc.error: {from: web, to: store}",
	"redis.error: {from: web, to: store}",
	"mongo.error: {from: web, to: store}",
	"kafka.error: {from: web, to: store}",
	"amqp.nack: {from: web, to: store}",
}

// linkTo is a link whose proxy parses, to a server.
func linkTo(t *testing.T, addr string) (chaostest.World, *proxy.Proxy) {
	t.Helper()
	p, err := proxy.Start(proxy.Config{Upstream: func() string { return addr }, HTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return linkWorld(p), p
}

// TestEncrypted injects faults on content on a link to a server that speaks TLS: each is refused, while a fault that
// reads nothing is injected.
func TestEncrypted(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	w, _ := linkTo(t, s.Listener.Addr().String())
	for _, yaml := range onContent {
		h, err := chaostest.Plan(t, yaml, w)[0].Inject(t.Context())
		if err == nil || h != nil || !strings.Contains(err.Error(), "speaks TLS") {
			t.Errorf("%s: %v, %v", yaml, h, err)
		}
	}
	h, err := chaostest.Plan(t, "tcp.slicer: {from: web, to: store, size: 1KiB, delay: 5ms}", w)[0].Inject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Revert(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestEncrypted_Unread has clients whose connections begin with TLS at a server that does not answer a handshake of
// brunt's: the proof does not show that the fault meets them.
func TestEncrypted_Unread(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	suite.Serve(t, l, func(c net.Conn) { _, _ = io.Copy(io.Discard, io.LimitReader(c, 1)); _ = c.Close() })
	w, p := linkTo(t, l.Addr().String())
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	_ = tls.Client(c, &tls.Config{InsecureSkipVerify: true}).Handshake()
	_ = c.Close()
	suite.Until(t, "the proxy to see it", func() bool { return p.Stats().Unread > 0 })
	for _, yaml := range append(onContent, "sql.error: {from: web, to: store}") {
		h, err := chaostest.Plan(t, yaml, w)[0].Inject(t.Context())
		if err != nil {
			t.Errorf("%s: %v", yaml, err)
			continue
		}
		_, err = h.Verify(t.Context())
		lacks, ok := errors.AsType[chaos.NotShownError](err)
		if !ok || !strings.Contains(lacks.What, "can't read what they send") {
			t.Errorf("%s: %v", yaml, err)
		}
		if _, err := h.Revert(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
