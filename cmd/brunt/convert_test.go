package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/convert"
	"brunt/scenarios/convert/converttest"
	"brunt/scenarios/convert/draft"
	"brunt/scenarios/plan"
	"brunt/scenarios/syntax"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
)

var foreignFolder = filepath.Join(top, "scenarios", "convert", "testdata")

// refused are the sources in which nothing has a counterpart.
var refused = []string{
	"chaos-mesh/aws.yaml", "chaos-mesh/io.yaml", "chaos-mesh/jvm.yaml", "chaos-mesh/task.yaml", "openslo/depth.yaml",
	"toxiproxy/noop.json", "toxiproxy/slicer-wide.json",
}

// TestConvert_Validates checks that validate accepts what convert writes, and that a refusal says why.
func TestConvert_Validates(t *testing.T) {
	variable := regexp.MustCompile(`environment variable (\w+) holds`)
	needs := regexp.MustCompile(`mended: [^\n]*(no such file|is not there|the script of load|system cannot find)`)
	for path, kind := range converttest.Sources(t, foreignFolder) {
		name := filepath.Base(filepath.Dir(path)) + "/" + filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "made.yaml")
			var said bytes.Buffer
			c := convertCommand()
			c.SetErr(&said)
			c.SetArgs([]string{kind, path, "-o", out})
			err := c.Execute()
			b, none := os.ReadFile(out)
			switch {
			case slices.Contains(refused, name):
				if none == nil || err == nil || !strings.Contains(said.String(), filepath.Base(path)+":") {
					t.Errorf("want no scenario, and a reason with a line: %v\n%s", err, said.String())
				}
				return
			case none != nil:
				t.Fatalf("%v; %v\n%s", none, err, said.String())
			case needs.MatchString(said.String()) && err != nil:
				return // a file that the source names is not there
			case err != nil:
				t.Fatalf("it is not whole: %v\n%s\n%s", err, said.String(), b)
			}
			for _, m := range variable.FindAllStringSubmatch(string(b), -1) {
				t.Setenv(m[1], "http://127.0.0.1") // a URL may begin with it
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
	for path, kind := range converttest.Sources(f, foreignFolder) {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(slices.Index(kinds, kind)), b)
	}
	known := regexp.MustCompile(`no such file|can't be judged|data "|nothing extracts|the script of load`)
	f.Fuzz(func(t *testing.T, kind byte, b []byte) {
		if len(b) > 64<<10 {
			return
		}
		mistakes := func(made *draft.Scenario) []syntax.Mistake {
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
			list, ok := err.(*syntax.MistakesError)
			switch {
			case err == nil:
				return nil
			case !ok:
				t.Fatalf("%v\n%s", err, made.Text)
			}
			return list.List()
		}
		made, err := convert.Convert(b, draft.Options{
			Kind: kinds[int(kind)%len(kinds)], File: "source", From: "nowhere", Validate: mistakes,
		})
		if err != nil {
			return
		}
		for _, m := range mistakes(made) {
			if !known.MatchString(m.String()) && !strings.Contains(m.String(), os.ErrNotExist.Error()) {
				t.Fatalf("%v\n%s", m, made.Text)
			}
		}
	})
}
