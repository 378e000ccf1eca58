package grpc

import healthpb "google.golang.org/grpc/health/grpc_health_v1"

// health returns the registry of the health service.
func health() *registry {
	r := newRegistry("the health service")
	r.add(healthpb.File_grpc_health_v1_health_proto)
	return r
}
