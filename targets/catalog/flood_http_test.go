package catalog_test

import (
	"bytes"
	"compress/flate"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/catalog"
	"brunt/targets/targetstest"

	"github.com/quic-go/quic-go/http3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
)

// An httpFlood is a flood in the body of an answer, which a server of net/http or quic-go frames. The switch to a
// WebSocket is such an answer.
type httpFlood struct {
	flood
	over   scenarios.HTTPVersion
	header string // lines
}

const (
	jsonType   = "Content-Type: application/json\n"
	gzipped    = "Content-Encoding: gzip\n"
	eventsType = "Content-Type: text/event-stream\n"
	grpcType   = "Content-Type: application/grpc\n"
)

// Calls of gRPC with one answer, with a stream of answers, and with messages both ways.
const (
	grpcOne    = `grpc: health`
	grpcStream = `{grpc: grpc.health.v1.Health/Watch, until: {$.status: NEVER}}`
	grpcBoth   = `{grpc: grpc.reflection.v1.ServerReflection/ServerReflectionInfo, as: chat, message: {host: a}, expect: {$.a: 1}}`
)

// httpFloods returns the floods of HTTP/2 and HTTP/3, of gRPC, of WebSocket, and a bomb over HTTP/1.1.
func httpFloods() (all []httpFlood) {
	const document = `{get: /, check: {"$.a": 1}}`
	add := func(of, step string, over scenarios.HTTPVersion, header, says, again string) {
		all = append(all, httpFlood{flood{of, step, says, again}, over, header})
	}
	list := "[" + strings.Repeat(" ", block-1)
	add("HTTP", document, scenarios.HTTP1, jsonType+gzipped, bomb, "")
	for _, over := range []scenarios.HTTPVersion{scenarios.H2C, scenarios.HTTP3} {
		add("HTTP", document, over, jsonType, "", "[")
		add("HTTP", document, over, jsonType+"Content-Length: "+strconv.Itoa(1000*block)+"\n", list, `{"a":1},`)
		add("HTTP", document, over, jsonType+gzipped, bomb, "")
		add("HTTP", `get: /`, over, jsonType, "", "[")
		add("events", `{sse: /}`, over, eventsType, "data: ", "x")
	}
	add("gRPC", grpcOne, scenarios.H2C, grpcType, "\x00\x10\x00\x00\x00", "[") // 256 MiB
	for _, step := range []string{grpcStream, grpcBoth} {
		add("gRPC", step, scenarios.H2C, grpcType, "\x00\x10\x00\x00\x00", "[")        // 256 MiB
		add("gRPC", step, scenarios.H2C, grpcType, "\x00\x03\xc0\x00\x00", "\x08\x00") // 60 MiB
		add("gRPC", step, scenarios.H2C, grpcType+"Grpc-Encoding: gzip\n", "\x01"+grpcMessage(bomb)[1:], "")
		add("gRPC", step, scenarios.H2C, grpcType, "", grpcMessage("\x08\x00"))
		add("gRPC", step, scenarios.H2C, grpcType, "", grpcMessage("\x0a\xfb\xff\x3f"+strings.Repeat("x", 1<<20-5)))
	}
	const chat = `{ws: /, as: chat, compress: true, expect: {$.a: 1}}`
	part, whole := deflated(32), deflated(72)
	add("WebSocket", chat, scenarios.HTTP1, "", "", "\x81\x01a")
	add("WebSocket", chat, scenarios.HTTP1, "", "\x01\x01a", "\x00\x01a")                        // fragments
	add("WebSocket", chat, scenarios.HTTP1, "", "\x81\x7f\x00\x00\x00\x00\x03\xc0\x00\x00", "[") // 60 MiB
	add("WebSocket", chat, scenarios.HTTP1, "", "", "\xc1"+webSocketLength(whole))
	add("WebSocket", chat, scenarios.HTTP1, "", "\x41"+webSocketLength(part), "\x00"+webSocketLength(part))
	return all
}

// TestFloods_HTTP is TestFloods for floods in answers over HTTP/2, HTTP/3, gRPC and WebSocket.
func TestFloods_HTTP(t *testing.T) {
	bound := baseOf(t, "gRPC", reflects(t))
	mine := suite.OneIn(4)
	for _, f := range httpFloods() {
		if !mine() { // each takes seconds of processor time
			continue
		}
		t.Run(fmt.Sprintf("%s %s %s %.20q", f.over, f.of, f.step, f.says), func(t *testing.T) {
			o := targets.Options{Base: baseOf(t, f.of, f.serve(t))}
			if o.Connections.HTTP = f.over; f.over == scenarios.HTTP3 {
				o.Base, o.TLS = strings.Replace(o.Base, "http:", "https:", 1), &scenarios.TLS{InsecureSkipVerify: true}
			}
			measured(t, func(all *sync.WaitGroup) { f.call(t, o, bound) })
		})
	}
}

// TestFloods_Unread: what came on a stream of HTTP/2 and is not read yet is part of the budget until the stream ends.
func TestFloods_Unread(t *testing.T) {
	f := httpFlood{flood{again: grpcMessage("\x08\x00")}, scenarios.H2C, grpcType}
	set := catalog.New()
	flow := targetstest.Compile(t, &targets.Descriptor{Kinds: set.Kinds(), Compile: set.Compile, Beside: set.Beside()}, "",
		`{grpc: grpc.reflection.v1.ServerReflection/ServerReflectionInfo, as: chat, message: {host: a}, read: 1/s}`)
	of := set.Select(flow.Calls...)
	o := targets.Options{Base: baseOf(t, "gRPC", reflects(t)), Timeout: long, T0: time.Now()}
	if err := of.BindOnce(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	o.Base = baseOf(t, "gRPC", f.serve(t))
	client, err := of.Client(o)
	if err != nil {
		t.Fatal(err)
	}
	user := flow.Open(t, client, o.T0, 0)
	if out := user.Do(0, long); out.Kind != scenarios.OK {
		t.Errorf("%v %q", out.Kind, out.Cause)
	}
	const much = 512 << 10
	suite.Until(t, "the stream's window to fill", func() bool { return budget.Held() > much })
	if err := errors.Join(user.Close(), client.Close()); err != nil {
		t.Error(err)
	}
	suite.Until(t, "the budget to be given back", func() bool { return budget.Held() == 0 })
}

// grpcMessage puts the prefix before a message.
func grpcMessage(m string) string {
	return string(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m)))) + m
}

// webSocketLength puts the length of a frame before its content.
func webSocketLength(m string) string {
	return string(binary.BigEndian.AppendUint64([]byte{127}, uint64(len(m)))) + m
}

// deflated returns a compressed message of n MiB of brackets.
func deflated(n int) string {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed)
	brackets := bytes.Repeat([]byte("["), 1<<20)
	for range n {
		_, _ = w.Write(brackets)
	}
	_ = w.Flush()
	return strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")
}

// serve answers each request by the flood, and ends with the test.
func (f *httpFlood) serve(t *testing.T) (address string) {
	if f.over == scenarios.HTTP3 {
		return f.serve3(t)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: f, Protocols: new(http.Protocols), ErrorLog: log.New(io.Discard, "", 0)}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-over
	})
	return l.Addr().String()
}

func (f *httpFlood) serve3(t *testing.T) (address string) {
	config, err := hostileTLS()
	if err != nil {
		t.Fatal(err)
	}
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &http3.Server{Handler: f, TLSConfig: config, Logger: slog.New(slog.DiscardHandler)}
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = s.Serve(socket)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		_ = socket.Close()
		<-over
	})
	return socket.LocalAddr().String()
}

// ServeHTTP implements [http.Handler].
func (f *httpFlood) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if key := r.Header.Get("Sec-Websocket-Key"); key != "" {
		f.switchTo(w, key)
		return
	}
	for line := range strings.Lines(f.header) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		w.Header().Set(name, value)
	}
	f.flood.write(w)
}

// switchTo makes the connection a WebSocket, which compresses.
func (f *httpFlood) switchTo(w http.ResponseWriter, key string) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
		base64.StdEncoding.EncodeToString(sum[:])+"\r\nSec-WebSocket-Extensions: permessage-deflate; "+
		"server_no_context_takeover; client_no_context_takeover\r\n\r\n")
	f.flood.write(c)
}

// reflects starts a server of gRPC that tells its services, for calls to be bound, and that ends with the test.
func reflects(t *testing.T) (address string) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(s, health.NewServer())
	reflection.Register(s)
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		s.Stop()
		<-over
	})
	return l.Addr().String()
}
