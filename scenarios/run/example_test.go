package run_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/run"
)

// Example plays a scenario against a server from a Go program: it parses, compiles, and runs it.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"ok": true}`)
	}))
	defer server.Close()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "scenario.yaml")
	err = os.WriteFile(file, []byte(`
version: 1
params: {url: ""}
target: {url: "${url}"}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 1s, flow: [{get: /}]}}
slo: [errors < 5%]
`), 0o600)
	if err != nil {
		log.Fatal(err)
	}

	scenario, err := scenarios.Parse(file, scenarios.Options{Set: map[string]string{"url": server.URL}})
	if err != nil {
		log.Fatal(err) // it lists each mistake with its place
	}
	p, err := plan.Compile(scenario, plan.CompileOptions{})
	if err != nil {
		log.Fatal(err)
	}
	found, err := run.Run(context.Background(), p, run.Options{State: filepath.Join(dir, "state")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found.Verdict, found.Objectives[0].Count)
	// Output: pass 100
}
