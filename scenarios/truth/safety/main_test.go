//go:build linux

package safety

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"brunt/scenarios/suite"
	"brunt/scenarios/truth"
)

// The programs under test and in containers, built once.
var bruntProgram, victimProgram string

// TestMain lets the test binary play the role of the processes that are broken.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "unit" {
		if len(os.Args) > 2 { // it ends with the test
			go func() {
				_, _ = io.Copy(io.Discard, os.Stdin)
				os.Exit(0)
			}()
		}
		fmt.Fprintln(os.Stderr, unit())
		os.Exit(1)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	files, remove, err := truth.Programs("brunt/cmd/brunt", "brunt/chaos/chaostest/victim")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer remove()
	bruntProgram, victimProgram = files[0], files[1]
	return suite.Loading(m).Run()
}

// unit is a server at the address in BRUNT_ADDR. /store passes a request on over the link to store, and /clock says
// what time it is.
func unit() error {
	client := &http.Client{Timeout: time.Second}
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	http.HandleFunc("/clock", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, time.Now().UnixNano()) })
	http.HandleFunc("/store", func(w http.ResponseWriter, r *http.Request) {
		resp, err := client.Get("http://" + os.Getenv("LINK_STORE") + "/")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		_, _ = io.Copy(w, resp.Body)
	})
	l, err := net.Listen("tcp", os.Getenv("BRUNT_ADDR"))
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.Serve(l, nil)
}
