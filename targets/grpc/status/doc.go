// Package status names the status codes of gRPC, as its specification does: calls are judged by them, and faults answer
// with them.
package status
