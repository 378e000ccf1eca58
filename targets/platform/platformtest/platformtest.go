// Package platformtest provides tests with a Docker engine, and with an image whose program is the test itself.
//
//	func TestMain(m *testing.M) { platformtest.Main(m) }
//
//	e := platformtest.Engine(t)        // skips the test if there is no engine
//	image := platformtest.Image(t, e)  // its entrypoint runs the roles below
//
// The roles are commands of the image: "serve" answers HTTP on $BRUNT_ADDR, or on the address that
// follows; "end" exits with code 3; "ok" exits with code 0.
package platformtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// Main runs the tests, or the role that the command line names.
func Main(m *testing.M) {
	role := ""
	if len(os.Args) > 1 {
		role = os.Args[1]
	}
	switch role {
	case "serve":
		serve()
	case "end":
		fmt.Println("no config")
		os.Exit(3)
	case "ok":
	default:
		os.Exit(m.Run())
	}
}

// serve answers / with the environment of the process, and /get?url=URL with the result of a GET of that URL.
func serve() {
	addr := os.Getenv("BRUNT_ADDR")
	if len(os.Args) > 2 {
		addr = os.Args[2]
	}
	http.HandleFunc("/", func(w http.ResponseWriter,
		_ *http.Request,
	) {
		fmt.Fprintln(w, strings.Join(os.Environ(), "\n"))
	})
	http.HandleFunc("/get", func(w http.ResponseWriter, r *http.Request) {
		text, err := Get(r.FormValue("url"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, text)
	})
	fmt.Println(http.ListenAndServe(addr, nil))
	os.Exit(1)
}

// Get returns the body of a URL. Any status except 200 is an error.
func Get(url string) (string, error) {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, b)
	}
	return string(b), err
}

// Engine opens the Docker engine of this machine. Without an engine the test fails in CI, and is skipped elsewhere.
func Engine(t *testing.T) *docker.Engine {
	t.Helper()
	at, err := containers.FindEngine(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	e, err := docker.Open(at, docker.Options{})
	if err == nil {
		err = e.Ping(t.Context())
	}
	if err != nil {
		suite.Lack(t, "needs a Docker engine, such as Debian's docker.io, and the right to use it: %v", err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// Image makes an image that runs the test's own program. It exists until the test ends.
func Image(t *testing.T, e *docker.Engine) string {
	t.Helper()
	program, err := docker.SelfPath(os.Getenv)
	if err != nil {
		t.Skipf("build the test with CGO_ENABLED=0: %v", err)
	}
	name := "brunt-test-" + strings.ToLower(rand.Text())
	id, err := e.BuildSelf(t.Context(), name, program, map[string]string{containers.RunLabel: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.RemoveImage(context.Background(), id); err != nil {
			t.Error(err)
		}
	})
	return name
}

// Run returns a name for a run. At the end of the test it checks that the engine has no objects whose label is the
// prefix followed by that name.
func Run(t *testing.T, e *docker.Engine, label, prefix string) string {
	t.Helper()
	run := "test" + strings.ToLower(rand.Text())
	t.Cleanup(func() {
		left, err := e.RemoveLabelled(context.Background(), label, prefix+run)
		if err != nil || left.Total() > 0 {
			t.Errorf("left in the engine: %+v, %v", left, err)
		}
	})
	return run
}
