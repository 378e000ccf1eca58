package grpc

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
)

// healthPath is the method of the gRPC health checking protocol.
const healthPath = "/grpc.health.v1.Health/Check"

// health is the registry of the health service.
var health = func() *registry {
	field := func(name string, n int32, t descriptorpb.FieldDescriptorProto_Type) *descriptorpb.FieldDescriptorProto {
		return &descriptorpb.FieldDescriptorProto{
			Name: proto.String(name), JsonName: proto.String(name), Number: proto.Int32(n), Type: t.Enum(),
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
		}
	}
	status := field("status", 1, descriptorpb.FieldDescriptorProto_TYPE_ENUM)
	status.TypeName = proto.String(".grpc.health.v1.HealthCheckResponse.ServingStatus")
	var values []*descriptorpb.EnumValueDescriptorProto
	for i, name := range []string{"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"} {
		values = append(values, &descriptorpb.EnumValueDescriptorProto{Name: proto.String(name), Number: proto.Int32(int32(i))})
	}
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("grpc/health/v1/health.proto"), Package: proto.String("grpc.health.v1"), Syntax: proto.String("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{
			{
				Name:  proto.String("HealthCheckRequest"),
				Field: []*descriptorpb.FieldDescriptorProto{field("service", 1, descriptorpb.FieldDescriptorProto_TYPE_STRING)},
			},
			{
				Name: proto.String("HealthCheckResponse"), Field: []*descriptorpb.FieldDescriptorProto{status},
				EnumType: []*descriptorpb.EnumDescriptorProto{{Name: proto.String("ServingStatus"), Value: values}},
			},
		},
		Service: []*descriptorpb.ServiceDescriptorProto{{Name: proto.String("Health"), Method: []*descriptorpb.MethodDescriptorProto{{
			Name: proto.String("Check"), InputType: proto.String(".grpc.health.v1.HealthCheckRequest"),
			OutputType: proto.String(".grpc.health.v1.HealthCheckResponse"),
		}}}},
	}, nil)
	if err != nil {
		panic(err) // a test makes a call of it
	}
	r := newRegistry("the health service")
	r.add(file)
	return r
}()
