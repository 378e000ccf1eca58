package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/convert"
	"brunt/scenarios/convert/draft"
	"brunt/scenarios/plan"
	"brunt/scenarios/syntax"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
)

// foreignFiles are files of other tools, in the folder of the package that reads them.
var foreignFiles = map[string]string{
	"targets.vegeta": "vegeta", "targets.vegeta.json": "vegeta", "shop.har": "har", "shop.openapi.yaml": "openapi",
	"petstore.openapi.json": "openapi",
	"shop.jmx":              "jmeter", "groups.jmx": "jmeter", "session.curl.sh": "curl", "windows.curl.bat": "curl",
	"script.k6.js": "k6", "shop.protoset": "grpc",
	"proxies.toxiproxy.json": "toxiproxy", "api.toxiproxy.json": "toxiproxy", "night.pumba.sh": "pumba",
	"shop.chaos-mesh.yaml": "chaos-mesh",
	"shop.litmus.yaml":     "litmus", "shop.openslo.yaml": "openslo",
	"drill.chaostoolkit.json": "chaostoolkit", "mesh.disruptor.js": "disruptor",
}

var foreignFolder = filepath.Join(top, "scenarios", "convert", "testdata")

// TestConvert_Validates checks that validate accepts what convert writes.
func TestConvert_Validates(t *testing.T) {
	variable := regexp.MustCompile(`environment variable (\w+) holds`)
	for name, kind := range foreignFiles {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "made.yaml")
			var said bytes.Buffer
			c := convertCommand()
			c.SetErr(&said)
			c.SetArgs([]string{kind, filepath.Join(foreignFolder, name), "-o", out})
			if err := c.Execute(); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(said.String(), "still to be mended") {
				t.Errorf("it is not whole:\n%s", said.String())
			}
			b, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range variable.FindAllStringSubmatch(string(b), -1) {
				t.Setenv(m[1], "something-secret")
			}
			if _, err := compile(out, nil); err != nil {
				t.Errorf("%v\n%s", err, b)
			}
		})
	}
}

// TestConvert_Server writes a scenario of a server of gRPC.
func TestConvert_Server(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	healthpb.RegisterHealthServer(s, health.NewServer())
	reflection.Register(s)
	var served sync.WaitGroup
	served.Go(func() { _ = s.Serve(l) })
	defer served.Wait()
	defer s.Stop()
	for _, at := range []string{l.Addr().String(), "grpc://" + l.Addr().String()} {
		out := filepath.Join(t.TempDir(), "made.yaml")
		c := convertCommand()
		c.SetErr(io.Discard)
		c.SetArgs([]string{"grpc", at, "-o", out})
		if err := c.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(out)
		if err != nil || !strings.Contains(string(b), "grpc://"+l.Addr().String()) ||
			!strings.Contains(string(b), "grpc: health") {
			t.Errorf("%v\n%s", err, b)
		}
		if _, err := compile(out, nil); err != nil {
			t.Errorf("%v\n%s", err, b)
		}
	}
}

// FuzzConvert_Compiles converts arbitrary input and compiles the scenario: it must be valid
// except for missing files and objectives that cannot be decided.
func FuzzConvert_Compiles(f *testing.F) {
	kinds := convert.Kinds()
	for name, kind := range foreignFiles {
		b, err := os.ReadFile(filepath.Join(foreignFolder, name))
		if err != nil {
			f.Fatal(err)
		}
		for i, k := range kinds {
			if k == kind {
				f.Add(byte(i), b)
			}
		}
	}
	known := regexp.MustCompile(`no such file|can't be judged|data "|nothing extracts|the script of load`)
	f.Fuzz(func(t *testing.T, kind byte, b []byte) {
		if len(b) > 64<<10 {
			return
		}
		made, err := convert.Convert(b, draft.Options{Kind: kinds[int(kind)%len(kinds)], File: "source", From: "nowhere"})
		if err != nil {
			return
		}
		sc, err := scenarios.Parse("made.yaml", scenarios.Options{
			Env: func(string) (string, bool) { return "http://127.0.0.1", true },
			Read: func(path string) ([]byte, error) {
				if path == "made.yaml" {
					return []byte(made.Text), nil
				}
				return nil, os.ErrNotExist
			},
		})
		if sc == nil {
			t.Fatalf("%v\n%s", err, made.Text)
		}
		_, err = plan.Compile(sc, plan.CompileOptions{})
		mistakes, ok := err.(*syntax.MistakesError)
		if err == nil {
			return
		}
		if !ok {
			t.Fatalf("%v\n%s", err, made.Text)
		}
		for _, m := range mistakes.List() {
			if !known.MatchString(m.String()) && !strings.Contains(m.String(), os.ErrNotExist.Error()) {
				t.Fatalf("%v\n%s", m, made.Text)
			}
		}
	})
}
