package kube_test

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"brunt/chaos/kube"
	"brunt/chaos/kube/kubeconfig"
)

// A hostile API server answers every request with the same bytes.
type hostile struct {
	says atomic.Pointer[[]byte]
	how  atomic.Uint32
}

// How it answers.
const (
	plain  = iota // as the body of an answer
	socket        // after an upgrade to a WebSocket that carries SPDY
	spdy          // after an upgrade to SPDY
	raw           // in place of an answer
	ways
)

func (h *hostile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	how := h.how.Load() % ways
	if r.Header.Get("Upgrade") == "" && how != raw {
		how = plain
	}
	if how == plain {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(*h.says.Load())
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	switch how {
	case socket:
		sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "+
			"Upgrade\r\nSec-WebSocket-Accept: %s\r\n"+
			"Sec-WebSocket-Protocol: SPDY/3.1+portforward.k8s.io\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
	case spdy:
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\n\r\n")
	}
	_, _ = conn.Write(*h.says.Load())
}

// FuzzAPIServer: whatever an API server answers, or what listens in its place, a call returns, and brunt lives on.
func FuzzAPIServer(f *testing.F) {
	for _, says := range []string{
		`{}`, `null`, `[]`, `{"items":[null,{}]}`, `{"items":[{"metadata":{"creationTimestamp":"x"}}]}`,
		`{"items":[{"spec":{"containers":[{"resources":{"limits":{"cpu":"1e9999999999"}}}]}}]}`,
		`{"items":[{"spec":{"containers":[{"resources":{"limits":{"cpu":-1}}}]}}]}`,
		`{"items":[{"containers":[{"usage":{"cpu":"1e-99999","memory":""}}]}]}`,
		`{"pods":[{"podRef":{"namespace":"a"},"cpu":{},"containers":[{"memory":null}]}]}`,
		`{"type":"ERROR","object":null}` + "\n", `{"type":"ADDED","object":{"metadata":{"uid":"1"}}}` + "\n{",
		`{"resources":[null]}`,
	} {
		f.Add(uint8(plain), []byte(says))
	}
	for _, says := range []string{
		"", "\x80\x03\x00\x02\x00\x00\x00\x0c\x00\x00\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00",
		"\x80\x03\x00\x04\x01\x00\x00\x0c\x00\x00\x00\x01\x04\x00\x00\x07\x7f\xff\xff\xff",
		"\x80\x03\x00\x06\x00\x00\x00\x04\x00\x00\x00\x02",
		"\x80\x03\x00\x07\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00", "\x00\x00\x00\x03\x01\x00\x00\x01a",
		"\x80\x03\x00\x08\x00\xff\xff\xff",
	} {
		f.Add(uint8(spdy), []byte(says))
		f.Add(uint8(socket), append([]byte{0x82, byte(len(says))}, says...))
	}
	f.Add(uint8(socket), []byte("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add(uint8(socket), []byte("\x88\x01a\x89\x7e"))
	f.Add(uint8(raw), []byte("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"))

	h := &hostile{}
	s := httptest.NewServer(h)
	f.Cleanup(s.Close)
	const within = 100 * time.Millisecond
	c, err := kubeconfig.Open(kube.Address{Kubeconfig: kubeconfigOf(f, s.URL)}, kube.Options{AnswerWithin: within})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(c.Close)
	f.Fuzz(func(t *testing.T, how uint8, says []byte) {
		h.says.Store(&says)
		h.how.Store(uint32(how))
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		began := time.Now()
		if how%ways == socket || how%ways == spdy {
			if conn, err := c.Dial(ctx, "a", "a", 80); err == nil {
				_ = conn.SetDeadline(time.Now().Add(within))
				_, _ = conn.Write([]byte("a"))
				_, _ = conn.Read(make([]byte, 10))
				_ = conn.Close()
			}
		} else {
			askAll(ctx, c)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it came back after %s", took)
		}
	})
}

// askAll asks for what has decoders of its own.
func askAll(ctx context.Context, c *kube.Cluster) {
	if pods, err := kube.Pods(c, "a").List(ctx, kube.Query{}); err == nil {
		for i := range pods {
			_, _ = pods[i].Name, pods[i].Status
		}
	}
	_ = kube.Pods(c, "a").Watch(ctx, kube.Query{}, func(kube.Event[kube.Pod]) bool { return false })
	_, _ = kube.Nodes(c).Get(ctx, "a")
	_, _ = kube.Services(c, "a").List(ctx, kube.Query{})
	_, _ = kube.Slices(c, "a").List(ctx, kube.Query{})
	_, _ = c.PodMetrics(ctx, "a")
	_, _ = c.NodeUsage(ctx, "a", "a")
	_, _ = c.KindOf(ctx, "apps/v1", "Deployment")
	_, _ = c.Log(ctx, "a", "a", "a", kube.Present, time.Now(), io.Discard, 1<<10)
}
