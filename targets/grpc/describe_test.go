package grpc_test

import (
	"strings"
	"testing"

	"brunt/targets/grpc"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// A server that is asked for its services tells all of them but reflection, with the files that they import.
func TestDescribe(t *testing.T) {
	b, err := grpc.Describe(t.Context(), start(t, options{}).Base())
	if err != nil {
		t.Fatal(err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(b, &set); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range set.File {
		names = append(names, f.GetName())
	}
	if got := strings.Join(names,
		" "); got != "echo.proto google/protobuf/timestamp.proto grpc/health/v1/health.proto item.proto" {
		t.Error(got)
	}
	for _, c := range []struct{ at, want string }{
		{start(t, options{silent: true}).Base(), "has no reflection"},
		{"grpc://127.0.0.1:1", "connection refused"},
		{"grpc://", "want HOST:PORT"},
	} {
		if _, err := grpc.Describe(t.Context(), c.at); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.at, err, c.want)
		}
	}
}
