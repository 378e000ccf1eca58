// Orders is a gRPC service that brunt starts and breaks. It keeps orders in memory. It uses grpc-go and dynamic
// messages from orders.proto, so no code is generated.
package main

import (
	"context"
	_ "embed"
	"errors"
	"io"
	"log"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/bufbuild/protocompile"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	reflectpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

//go:embed orders.proto
var source string

func main() {
	compiler := protocompile.Compiler{Resolver: &protocompile.SourceResolver{
		Accessor: protocompile.SourceAccessorFromMap(map[string]string{"orders.proto": source}),
	}}
	files, err := compiler.Compile(context.Background(), "orders.proto")
	if err != nil {
		log.Fatal(err)
	}
	delay, _ := time.ParseDuration(os.Getenv("DELAY"))
	o := &orders{file: files[0], delay: delay, kept: map[string]protoreflect.Message{}}
	l, err := net.Listen("tcp", os.Getenv("BRUNT_ADDR"))
	if err != nil {
		log.Fatal(err)
	}
	s := grpc.NewServer()
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: "shop.Orders", HandlerType: (*any)(nil), Metadata: "orders.proto",
		Methods: []grpc.MethodDesc{o.method("Place", "PlaceRequest", o.place), o.method("Get", "GetRequest", o.get)},
		Streams: []grpc.StreamDesc{{StreamName: "Track", ServerStreams: true, ClientStreams: true, Handler: o.track}},
	}, o)
	healthpb.RegisterHealthServer(s, health.NewServer())
	reflectpb.RegisterServerReflectionServer(s,
		reflection.NewServerV1(reflection.ServerOptions{Services: s, DescriptorResolver: files.AsResolver()}))
	log.Fatal(s.Serve(l))
}

// orders keeps the last orders.
type orders struct {
	file  protoreflect.FileDescriptor
	delay time.Duration

	mu   sync.Mutex
	n    int
	kept map[string]protoreflect.Message
}

// method describes a method whose message is of a type of orders.proto.
func (o *orders) method(name string, in protoreflect.Name, do func(protoreflect.Message) (any, error)) grpc.MethodDesc {
	return grpc.MethodDesc{
		MethodName: name,
		Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			msg := dynamicpb.NewMessage(o.file.Messages().ByName(in))
			if err := decode(msg); err != nil {
				return nil, err
			}
			time.Sleep(o.delay) // simulates a slow build of the service
			return do(msg)
		},
	}
}

// track acknowledges each position of a rider, until the rider has sent all.
func (o *orders) track(_ any, s grpc.ServerStream) error {
	for {
		at := dynamicpb.NewMessage(o.file.Messages().ByName("Position"))
		if err := s.RecvMsg(at); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		time.Sleep(o.delay) // simulates a slow build of the service
		if err := s.SendMsg(at); err != nil {
			return err
		}
	}
}

// mostKept is the number of orders that are kept.
const mostKept = 10_000

func (o *orders) place(in protoreflect.Message) (any, error) {
	items := in.Get(in.Descriptor().Fields().ByName("items")).List()
	if items.Len() == 0 {
		return nil, status.Error(codes.InvalidArgument, "an order has items")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.n++
	out := dynamicpb.NewMessage(o.file.Messages().ByName("Order"))
	id := strconv.Itoa(o.n)
	fields := out.Descriptor().Fields()
	out.Set(fields.ByName("id"), protoreflect.ValueOfString(id))
	out.Set(fields.ByName("customer"), in.Get(in.Descriptor().Fields().ByName("customer")))
	out.Set(fields.ByName("cents"), protoreflect.ValueOfInt64(int64(199*items.Len())))
	o.kept[id] = out
	delete(o.kept, strconv.Itoa(o.n-mostKept))
	return out, nil
}

func (o *orders) get(in protoreflect.Message) (any, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	id := in.Get(in.Descriptor().Fields().ByName("id")).String()
	if out := o.kept[id]; out != nil {
		return out, nil
	}
	return nil, status.Errorf(codes.NotFound, "there is no order %s", id)
}
