package grpc_test

import (
	"context"
	"encoding/binary"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"brunt/targets/grpc"

	"google.golang.org/grpc/health/grpc_health_v1"
	reflectpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
)

// FuzzDescribe asks a server for its services that answers each question with the same message, whatever that is.
func FuzzDescribe(f *testing.F) {
	answer := func(r *reflectpb.ServerReflectionResponse) {
		b, err := proto.Marshal(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, byte(0))
	}
	files := func(all ...*descriptorpb.FileDescriptorProto) {
		var wire [][]byte
		for _, one := range all {
			b, err := proto.Marshal(one)
			if err != nil {
				f.Fatal(err)
			}
			wire = append(wire, b)
		}
		// both an answer to a question for services, and one to a question for files
		services := &reflectpb.ServerReflectionResponse_ListServicesResponse{
			ListServicesResponse: &reflectpb.ListServiceResponse{Service: []*reflectpb.ServiceResponse{{Name: "a.B"}, {}}},
		}
		described := &reflectpb.ServerReflectionResponse_FileDescriptorResponse{
			FileDescriptorResponse: &reflectpb.FileDescriptorResponse{FileDescriptorProto: wire},
		}
		b, _ := proto.Marshal(&reflectpb.ServerReflectionResponse{MessageResponse: services})
		more, _ := proto.Marshal(&reflectpb.ServerReflectionResponse{MessageResponse: described})
		f.Add(append(b, more...), byte(0))
	}
	files(protodesc.ToFileDescriptorProto(grpc_health_v1.File_grpc_health_v1_health_proto))
	files(&descriptorpb.FileDescriptorProto{Name: new("a"), Dependency: []string{"a"}})
	files(&descriptorpb.FileDescriptorProto{Name: new("a"), Dependency: []string{"b"}},
		&descriptorpb.FileDescriptorProto{Name: new("b"), Dependency: []string{"a"}})
	files(&descriptorpb.FileDescriptorProto{
		Name: new("a"), Dependency: []string{"b"}, PublicDependency: []int32{7, -1},
	})
	files(&descriptorpb.FileDescriptorProto{
		Name: new("a"), Package: new("a"), MessageType: []*descriptorpb.DescriptorProto{{
			Name: new("M"),
			Field: []*descriptorpb.FieldDescriptorProto{{
				Name: new("f"), Number: proto.Int32(-1), OneofIndex: proto.Int32(9),
			}},
			OneofDecl: []*descriptorpb.OneofDescriptorProto{{}},
		}},
		Service: []*descriptorpb.ServiceDescriptorProto{{
			Name: new("B"), Method: []*descriptorpb.MethodDescriptorProto{{
				Name: new("C"), InputType: new(".a.M"),
			}},
		}},
	}, &descriptorpb.FileDescriptorProto{}, nil)
	answer(&reflectpb.ServerReflectionResponse{MessageResponse: &reflectpb.ServerReflectionResponse_ErrorResponse{}})
	f.Add([]byte{}, byte(0))
	f.Add([]byte{0x22, 0xff, 0xff, 0xff, 0xff, 0x0f}, byte(1))

	type said struct {
		message []byte
		status  string
	}
	var says atomic.Pointer[said]
	at := nonsense(f, func(w http.ResponseWriter, _ *http.Request) {
		s := says.Load()
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status")
		_, _ = w.Write(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(s.message))), s.message...))
		w.Header().Set("Grpc-Status", s.status)
	})
	f.Fuzz(func(t *testing.T, message []byte, status byte) {
		says.Store(&said{message, []string{"0", "12", "99", "", "x"}[int(status)%5]})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		set, err := grpc.Describe(ctx, at)
		if ctx.Err() != nil {
			t.Fatalf("it does not come back: %v", err)
		}
		if err == nil && proto.Unmarshal(set, new(descriptorpb.FileDescriptorSet)) != nil {
			t.Fatalf("%x is no set of files", set)
		}
	})
}
