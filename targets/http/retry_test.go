package http_test

import (
	"testing"

	"brunt/scenarios"
	"brunt/targets/http"
)

// TestDescriptor_Retry: a read is sent again after statuses that a later request may not get.
func TestDescriptor_Retry(t *testing.T) {
	for status, want := range map[int32]bool{
		200: false, 400: false, 401: false, 404: false, 408: true, 429: true, 500: true, 503: true,
	} {
		if got := http.Descriptor().Retry(nil, &scenarios.Outcome{Answered: true, Status: status}); got != want {
			t.Errorf("%d: %t", status, got)
		}
	}
}
