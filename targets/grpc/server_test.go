package grpc_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bufbuild/protocompile"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	healthsrv "google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	reflectpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	alphapb "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// protoFiles describe the service of [server].
var protoFiles = map[string]string{
	"echo.proto": `syntax = "proto3"; package echo;
import "item.proto";
import "google/protobuf/timestamp.proto";
enum Colour { NONE = 0; RED = 1; }
message Ask {
  string text = 1; int64 number = 2; repeated echo.Item items = 3; echo.Item first_item = 4; Colour colour = 5; map<string, int32> counts = 6;
  bytes data = 7; bool yes = 8; double ratio = 9; google.protobuf.Timestamp at = 10; repeated uint32 list = 11; sint32 delta = 12; fixed64 big = 13;
}
service Echo {
  rpc Say(Ask) returns (Ask); rpc Watch(Ask) returns (stream Ask); rpc Gather(stream Ask) returns (Ask); rpc Chat(stream Ask) returns (stream Ask);
}
`,
	"item.proto": `syntax = "proto3"; package echo; message Item { string id = 1; int32 count = 2; }`,
}

// compiled returns the descriptor of echo.proto.
func compiled(t testing.TB) protoreflect.FileDescriptor {
	t.Helper()
	c := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
		Accessor: protocompile.SourceAccessorFromMap(protoFiles),
	})}
	files, err := c.Compile(t.Context(), "echo.proto")
	if err != nil {
		t.Fatal(err)
	}
	return files[0]
}

// server is grpc-go's server of echo.Echo, with the behaviours that the suite needs. The text of a message says
// which.
type server struct {
	*grpc.Server
	listener
	secure bool
	health *healthsrv.Server
	ask    protoreflect.MessageDescriptor

	requests, held atomic.Int64
	release        chan struct{}
	once           sync.Once

	mu    sync.Mutex
	marks []string
	heads []metadata.MD
	until []time.Duration // deadlines of calls, as the server sees them
	log   []string        // messages of chats, and how their clients ended them

	chats  atomic.Int64 // open now
	frozen sync.RWMutex // held while chats stand still
}

// listener counts and keeps its connections.
type listener struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
	count atomic.Int64
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.count.Add(1)
		l.mu.Lock()
		l.conns = append(l.conns, c)
		l.mu.Unlock()
	}
	return c, err
}

// end closes all connections; reset sends RST.
func (l *listener) end(reset bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		t, ok := c.(*net.TCPConn)
		switch {
		case ok && !reset: // closed with data unread, it would be reset
			_ = t.CloseWrite()
			_ = t.SetReadDeadline(time.Now().Add(time.Second))
			go func() {
				_, _ = io.Copy(io.Discard, t)
				_ = t.Close()
			}()
			continue
		case ok:
			_ = t.SetLinger(0)
		}
		_ = c.Close()
	}
	l.conns = nil
}

// options of a server.
type options struct {
	cert    *tls.Certificate // nil: h2c
	silent  bool             // no reflection
	alpha   bool             // the older reflection alone
	streams uint32           // on a connection; zero: no limit
}

func start(t testing.TB, o options) *server {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file := compiled(t)
	s := &server{
		secure: o.cert != nil, release: make(chan struct{}), ask: file.Messages().ByName("Ask"),
		health: healthsrv.NewServer(),
	}
	s.Listener = l
	with := []grpc.ServerOption{grpc.WaitForHandlers(true)} // what a handler notes is there once Stop is over
	if o.cert != nil {
		with = append(with, grpc.Creds(credentials.NewServerTLSFromCert(o.cert)))
	}
	if o.streams > 0 {
		with = append(with, grpc.MaxConcurrentStreams(o.streams))
	}
	s.Server = grpc.NewServer(with...)
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: "echo.Echo", HandlerType: (*any)(nil), Metadata: "echo.proto",
		Methods: []grpc.MethodDesc{{
			MethodName: "Say",
			Handler: func(_ any, ctx context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				msg := dynamicpb.NewMessage(s.ask)
				if err := dec(msg); err != nil {
					return nil, err
				}
				return s.say(ctx, msg)
			},
		}},
		Streams: []grpc.StreamDesc{
			{
				StreamName: "Watch", ServerStreams: true,
				Handler: func(_ any, stream grpc.ServerStream) error { return s.watch(stream) },
			},
			{
				StreamName: "Chat", ServerStreams: true, ClientStreams: true,
				Handler: func(_ any, stream grpc.ServerStream) error { return s.chat(stream) },
			},
			{
				StreamName: "Gather", ClientStreams: true,
				Handler: func(_ any, stream grpc.ServerStream) error { return s.gather(stream) },
			},
		},
	}, s)
	healthpb.RegisterHealthServer(s, s.health)
	if !o.silent {
		all := new(filesOf)
		all.add(file)
		all.add(healthpb.File_grpc_health_v1_health_proto)
		with := reflection.ServerOptions{Services: s.Server, DescriptorResolver: all}
		if o.alpha {
			alphapb.RegisterServerReflectionServer(s, reflection.NewServer(with))
		} else {
			reflectpb.RegisterServerReflectionServer(s, reflection.NewServerV1(with))
		}
	}
	var served sync.WaitGroup
	served.Go(func() { _ = s.Serve(&s.listener) })
	t.Cleanup(func() {
		s.Release()
		s.Stop()
		served.Wait()
	})
	return s
}

// filesOf are files with those that they import.
type filesOf struct{ list []protoreflect.FileDescriptor }

func (f *filesOf) add(file protoreflect.FileDescriptor) {
	for i := range file.Imports().Len() {
		f.add(file.Imports().Get(i).FileDescriptor)
	}
	f.list = append(f.list, file)
}

func (f *filesOf) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	for _, one := range f.list {
		if one.Path() == path {
			return one, nil
		}
	}
	return nil, status.Error(codes.NotFound, "no such file")
}

func (f *filesOf) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	for _, one := range f.list {
		for i := range one.Services().Len() {
			if s := one.Services().Get(i); s.FullName() == name {
				return s, nil
			}
		}
	}
	return nil, status.Error(codes.NotFound, "no such name")
}

// metadata returns what the calls brought, in the order in which they came.
func (s *server) metadata() []metadata.MD {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.heads)
}

// deadlines returns those of calls, in the order in which they came.
func (s *server) deadlines() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.until)
}

// say answers a call by what its text asks for: the message itself, unless it is told otherwise.
func (s *server) say(ctx context.Context, msg *dynamicpb.Message) (any, error) {
	s.requests.Add(1)
	head, _ := metadata.FromIncomingContext(ctx)
	s.mu.Lock()
	s.heads = append(s.heads, head)
	if at, ok := ctx.Deadline(); ok {
		s.until = append(s.until, time.Until(at))
	}
	s.mu.Unlock()
	_ = grpc.SetHeader(ctx, metadata.Pairs("x-head", "before"))
	_ = grpc.SetTrailer(ctx, metadata.Pairs("x-tail", "after", "token", "a-secret-token-of-the-server"))
	verb, mark, _ := strings.Cut(msg.Get(s.ask.Fields().ByName("text")).String(), " ")
	switch verb {
	case "slow":
		time.Sleep(200 * time.Millisecond) // simulates work
	case "hold":
		if mark != "" {
			s.mu.Lock()
			s.marks = append(s.marks, mark)
			s.mu.Unlock()
		}
		s.held.Add(1)
		defer s.held.Add(-1)
		select {
		case <-s.release:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	case "fail":
		return nil, status.Error(codes.NotFound, "no order “7”\nat all")
	case "busy":
		return nil, status.Error(codes.ResourceExhausted, "later")
	case "cut", "reset":
		s.end(verb == "reset")
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return msg, nil
}

// watch sends as many messages as the number of the request says, counted from 1. Then it does what the text asks for.
func (s *server) watch(stream grpc.ServerStream) error {
	msg, number := dynamicpb.NewMessage(s.ask), s.ask.Fields().ByName("number")
	if err := stream.RecvMsg(msg); err != nil {
		return err
	}
	for i := range msg.Get(number).Int() {
		one := dynamicpb.NewMessage(s.ask)
		one.Set(number, protoreflect.ValueOfInt64(i+1))
		if err := stream.SendMsg(one); err != nil {
			return err
		}
	}
	switch msg.Get(s.ask.Fields().ByName("text")).String() {
	case "hold":
		<-stream.Context().Done()
		return stream.Context().Err()
	case "fail":
		return status.Error(codes.NotFound, "no more")
	}
	return nil
}

// gather answers with the sum of the numbers of all messages and their texts in order.
func (s *server) gather(stream grpc.ServerStream) error {
	number, text := s.ask.Fields().ByName("number"), s.ask.Fields().ByName("text")
	sum, all := dynamicpb.NewMessage(s.ask), ""
	for {
		msg := dynamicpb.NewMessage(s.ask)
		if err := stream.RecvMsg(msg); err == io.EOF {
			sum.Set(text, protoreflect.ValueOfString(all))
			return stream.SendMsg(sum)
		} else if err != nil {
			return err
		}
		sum.Set(number, protoreflect.ValueOfInt64(sum.Get(number).Int()+msg.Get(number).Int()))
		all += msg.Get(text).String()
	}
}

// logged returns the log.
func (s *server) logged() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.log...)
}

func (s *server) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, what)
}

// chat answers each message with itself, unless its text asks for something else.
func (s *server) chat(stream grpc.ServerStream) error {
	s.chats.Add(1)
	defer s.chats.Add(-1)
	ctx := stream.Context()
	head, _ := metadata.FromIncomingContext(ctx)
	s.mu.Lock()
	s.heads = append(s.heads, head)
	if at, ok := ctx.Deadline(); ok {
		s.until = append(s.until, time.Until(at))
	}
	s.mu.Unlock()
	text, number := s.ask.Fields().ByName("text"), s.ask.Fields().ByName("number")
	var last error
	for {
		msg := dynamicpb.NewMessage(s.ask)
		if err := stream.RecvMsg(msg); err == io.EOF {
			s.note("end")
			return last
		} else if err != nil {
			return err
		}
		said := msg.Get(text).String()
		s.frozen.RLock()
		s.note(said + " " + msg.Get(number).String())
		s.frozen.RUnlock()
		switch said {
		case "mute":
			continue
		case "hold":
			select {
			case <-s.release:
			case <-ctx.Done():
			}
			return ctx.Err()
		case "fail":
			return status.Error(codes.NotFound, "no more")
		case "fail at end":
			last = status.Error(codes.NotFound, "at last")
		case "bye":
			return nil
		case "cut", "reset":
			s.end(said == "reset")
			<-ctx.Done()
			return ctx.Err()
		}
		if err := stream.SendMsg(msg); err != nil {
			return err
		}
		if said == "twice" {
			msg.Set(text, protoreflect.ValueOfString("again"))
			if err := stream.SendMsg(msg); err != nil {
				return err
			}
		}
	}
}

func (s *server) Base() string {
	if s.secure {
		return "grpcs://" + s.Addr().String()
	}
	return "grpc://" + s.Addr().String()
}
func (s *server) Requests() int64    { return s.requests.Load() }
func (s *server) Connections() int64 { return s.count.Load() }
func (s *server) Held() int64        { return s.held.Load() }
func (s *server) Release()           { s.once.Do(func() { close(s.release) }) }

func (s *server) Marks() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.marks)
}

// certificate is one that a client without the right CA refuses.
func certificate(t testing.TB) *tls.Certificate {
	t.Helper()
	web := httptest.NewUnstartedServer(nil)
	web.StartTLS()
	defer web.Close()
	return &web.TLS.Certificates[0]
}

// protoset is echo.proto as a set of descriptors.
func protoset(t testing.TB) []byte {
	t.Helper()
	all := new(filesOf)
	all.add(compiled(t))
	set := new(descriptorpb.FileDescriptorSet)
	for _, f := range all.list {
		set.File = append(set.File, protodesc.ToFileDescriptorProto(f))
	}
	b, err := proto.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
