package traces

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/connect"
)

const (
	mostMessage  = 8 << 20 // bytes of a message, compressed or not
	mostAtOnce   = 4       // messages that are read at the same time
	mostHeaders  = 64 << 10
	readPatience = 30 * time.Second
	// grpcExport is the method of OTLP over gRPC, as a path
	grpcExport = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
	// protobufForm and jsonForm are the content types of OTLP over HTTP
	protobufForm, jsonForm = "application/x-protobuf", "application/json"
)

// A Receiver receives spans over HTTP until it is closed: protobuf and JSON at /v1/traces, and gRPC.
type Receiver struct {
	*Store
	listener net.Listener
	server   *http.Server
	served   chan struct{}
	turns    chan struct{} // has a message for each message that is being read
	forward  *forwarder    // nil: messages go nowhere else

	why     sync.Mutex // guards what follows
	refused int64
	first   string
}

// Listen receives spans at host:port. Highs are the first halves of the trace ids of the run's loads.
func Listen(hostport string, highs []uint64) (*Receiver, error) {
	l, err := net.Listen("tcp", hostport)
	if err != nil {
		return nil, err
	}
	r := &Receiver{
		Store: newStore(highs), listener: l, served: make(chan struct{}), turns: make(chan struct{}, mostAtOnce),
	}
	r.server = &http.Server{
		Handler: http.HandlerFunc(r.handle), MaxHeaderBytes: mostHeaders, ReadTimeout: readPatience,
		WriteTimeout: readPatience, Protocols: new(http.Protocols),
	}
	r.server.Protocols.SetHTTP1(true)
	r.server.Protocols.SetUnencryptedHTTP2(true) // for gRPC
	go func() {
		defer close(r.served)
		_ = r.server.Serve(l) // the error of a closed listener
	}()
	return r, nil
}

// Addr returns the host:port at which it receives.
func (r *Receiver) Addr() string { return r.listener.Addr().String() }

// Forward begins to send each message that is taken on to a URL of OTLP over HTTP, whose address reach has to allow. It
// has to be called before the first message comes.
func (r *Receiver) Forward(to string, reach connect.Check) { r.forward = newForwarder(to, reach) }

// Flush ends the forwarding: it waits for at most 5 s until the messages so far are sent.
func (r *Receiver) Flush(ctx context.Context) {
	if r.forward != nil {
		r.forward.flush(ctx)
	}
}

// Close ends the receiver. What it received stays; messages that wait to be forwarded are lost.
func (r *Receiver) Close() error {
	err := r.server.Close()
	<-r.served
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	r.Flush(ended)
	return err
}

// Settle waits until the spans of the requests so far are there, because services send theirs some seconds later: until
// all traces are whole, or until no span came for as long as exporters keep them.
func (r *Receiver) Settle(ctx context.Context, services []string) {
	const (
		quiet = 6 * time.Second // the batches of OpenTelemetry's exporters wait for 5 s
		most  = 30 * time.Second
	)
	began, tick := time.Now(), time.NewTicker(250*time.Millisecond)
	defer tick.Stop()
	for {
		if whole, n := r.Whole(services, 0, forever); whole == n || time.Since(began) > most {
			return
		}
		r.mu.Lock()
		latest := r.latest
		r.mu.Unlock()
		if latest.Before(began) {
			latest = began
		}
		if time.Since(latest) > quiet {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// A refusal is the answer to a message that is not taken.
type refusal struct {
	status int
	why    string
}

func (e *refusal) Error() string { return e.why }

func (r *Receiver) handle(w http.ResponseWriter, req *http.Request) {
	kind, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type"))
	rpc := req.URL.Path == grpcExport && (kind == "application/grpc" || kind == "application/grpc+proto")
	err := r.take(w, req, kind, rpc)
	if err != nil {
		r.refuse(err)
	}
	if rpc {
		answerRPC(w, err)
		return
	}
	if err != nil {
		status := http.StatusBadRequest
		if of, ok := errors.AsType[*refusal](err); ok {
			status = of.status
		}
		http.Error(w, err.Error(), status)
		return
	}
	w.Header().Set("Content-Type", kind)
	if kind == jsonForm {
		_, _ = io.WriteString(w, "{}")
	}
}

// take reads a message and adds its spans. A panic of a reader becomes an error.
func (r *Receiver) take(w http.ResponseWriter, req *http.Request, kind string, rpc bool) (err error) {
	defer scenarios.Recover(&err)
	switch {
	case req.URL.Path != "/v1/traces" && !rpc:
		return &refusal{http.StatusNotFound, "spans are received at /v1/traces, and over gRPC"}
	case req.Method != http.MethodPost:
		return &refusal{http.StatusMethodNotAllowed, "spans are sent by POST"}
	}
	select {
	case r.turns <- struct{}{}:
		defer func() { <-r.turns }()
	case <-req.Context().Done():
		return context.Cause(req.Context())
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, mostMessage))
	if err != nil {
		return tooLarge(err)
	}
	packed, encoding := false, req.Header.Get("Content-Encoding")
	if rpc {
		if len(body) < 5 || binary.BigEndian.Uint32(body[1:]) != uint32(len(body)-5) {
			return &refusal{http.StatusBadRequest, "that is not one message of gRPC"}
		}
		packed, encoding, body = body[0] == 1, req.Header.Get("Grpc-Encoding"), body[5:]
	} else {
		packed = encoding != "" && encoding != "identity"
	}
	if packed {
		if encoding != "gzip" {
			return &refusal{http.StatusUnsupportedMediaType, fmt.Sprintf("the encoding %.20q is not gzip", encoding)}
		}
		if body, err = unpack(body); err != nil {
			return err
		}
	}
	m := message{kind: kind, body: body}
	add := func(service string, v *received) {
		m.spans++
		r.add(service, v)
	}
	switch {
	case rpc, kind == protobufForm:
		m.kind = protobufForm
		err = readProtobuf(body, add)
	case kind == jsonForm:
		err = readJSON(body, add)
	default:
		return &refusal{
			http.StatusUnsupportedMediaType,
			fmt.Sprintf("the content type %.40q is neither %s nor %s", kind, protobufForm, jsonForm),
		}
	}
	if err == nil && r.forward != nil {
		r.forward.add(m)
	}
	return err
}

// unpack returns the content of a gzip file of limited size.
func unpack(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(http.MaxBytesReader(nil, io.NopCloser(z), mostMessage))
	return out, tooLarge(err)
}

// tooLarge returns an error of reading a message; a refusal if it is that the message has too many bytes.
func tooLarge(err error) error {
	if of, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("a message has at most %d bytes", of.Limit)}
	}
	return err
}

// answerRPC answers a call of gRPC.
func answerRPC(w http.ResponseWriter, err error) {
	const invalidArgument = "3"
	h := w.Header()
	h.Set("Content-Type", "application/grpc")
	h.Set("Trailer", "Grpc-Status, Grpc-Message")
	w.WriteHeader(http.StatusOK)
	if err != nil {
		h.Set("Grpc-Status", invalidArgument)
		h.Set("Grpc-Message", strings.Map(func(c rune) rune {
			if c < ' ' || c > '~' || c == '%' { // it would have to be escaped
				return '?'
			}
			return c
		}, err.Error()))
		return
	}
	_, _ = w.Write(make([]byte, 5)) // an empty message
	h.Set("Grpc-Status", "0")
}

// refuse counts a message that was not taken.
func (r *Receiver) refuse(err error) {
	r.why.Lock()
	defer r.why.Unlock()
	if r.refused++; r.first == "" {
		r.first = err.Error()
	}
}
