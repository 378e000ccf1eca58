package scenarios

import (
	"slices"
	"strconv"
)

// grpcStatuses are the names of the status codes of gRPC, by number.
var grpcStatuses = [...]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
	"FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

// GRPCStatus returns the name of a status code of gRPC, or the number of one without a name.
func GRPCStatus(code int) string {
	if code >= 0 && code < len(grpcStatuses) {
		return grpcStatuses[code]
	}
	return strconv.Itoa(code)
}

// GRPCStatuses lists the names of the status codes of gRPC, by number.
func GRPCStatuses() []string { return slices.Clone(grpcStatuses[:]) }
