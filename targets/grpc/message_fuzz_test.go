package grpc

import (
	"encoding/json"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// FuzzMessage decodes what a server sent as messages of types with cycles, maps, enums and JSON forms of their own.
func FuzzMessage(f *testing.F) {
	of := []protoreflect.MessageDescriptor{
		(&descriptorpb.FileDescriptorProto{}).ProtoReflect().Descriptor(), (&structpb.Struct{}).ProtoReflect().Descriptor(),
		(&anypb.Any{}).ProtoReflect().Descriptor(), (&timestamppb.Timestamp{}).ProtoReflect().Descriptor(),
		(&durationpb.Duration{}).ProtoReflect().Descriptor(), (&fieldmaskpb.FieldMask{}).ProtoReflect().Descriptor(),
	}
	seed := func(kind byte, m proto.Message) {
		b, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(kind, b)
	}
	list, err := structpb.NewStruct(map[string]any{"a": []any{1, nil, "x", map[string]any{"b": true}}})
	if err != nil {
		f.Fatal(err)
	}
	packed, err := anypb.New(&descriptorpb.FileDescriptorProto{Name: new("a")})
	if err != nil {
		f.Fatal(err)
	}
	nested := []*descriptorpb.DescriptorProto{{NestedType: []*descriptorpb.DescriptorProto{{}}}}
	seed(0, &descriptorpb.FileDescriptorProto{
		Name: new("a"), Dependency: []string{"b"},
		MessageType: []*descriptorpb.DescriptorProto{{NestedType: nested}},
	})
	seed(1, list)
	seed(2, packed)
	seed(2, &anypb.Any{TypeUrl: "type.googleapis.com/google.protobuf.Any", Value: []byte{0x0a, 0xff}})
	seed(3, &timestamppb.Timestamp{Seconds: 1 << 62, Nanos: -1})
	seed(4, &durationpb.Duration{Seconds: -1, Nanos: 1})
	seed(5, &fieldmaskpb.FieldMask{Paths: []string{"a.b", "A", ""}})
	f.Add(byte(1), []byte{0x0a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01})
	f.Add(byte(1), []byte(twoKeys))
	f.Fuzz(func(t *testing.T, kind byte, wire []byte) {
		a := &answer{of: of[int(kind)%len(of)], wire: wire}
		if a.parse(); a.broken == nil && wire != nil && !json.Valid(a.json) {
			t.Errorf("%x became %s", wire, a.json)
		}
	})
}

// twoKeys is a Struct with an entry that has a key, and then one with the wire type of a number.
const twoKeys = "\x0a\x05\x0a\x01a\x08\x01"

// TestMessage_Panics: a message that makes the library panic is one that does not have its type, and says why.
func TestMessage_Panics(t *testing.T) {
	a := &answer{of: (&structpb.Struct{}).ProtoReflect().Descriptor(), wire: []byte(twoKeys)}
	if a.parse(); a.broken == nil || !strings.Contains(a.broken.Error(), "made its reader panic") {
		t.Errorf("%v", a.broken)
	}
}
