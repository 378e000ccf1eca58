// Package status names the status codes of gRPC as in its specification. Checks use them to judge calls, and faults
// use them for answers.
package status
