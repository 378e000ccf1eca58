package policy

import (
	"fmt"
	"net/http"
	"os"
	"testing"
)

// TestMain lets the test binary be a unit of a target.
func TestMain(m *testing.M) {
	if address := os.Getenv("BRUNT_ADDR"); address != "" && len(os.Args) > 1 && os.Args[1] == "unit" {
		fmt.Fprintln(os.Stderr, http.ListenAndServe(address, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
		os.Exit(1)
	}
	os.Exit(m.Run())
}
