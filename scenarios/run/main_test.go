package run

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/targets/demo"
)

// TestMain makes the test binary play the parts that brunt's own binary plays for
// itself, and those of the systems under test.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "role" {
		if err := role(os.Args[2], os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// self is the command line that plays a part.
func self(part string, args ...string) []string {
	return append([]string{os.Args[0], "role", part}, args...)
}

func role(part string, args []string) error {
	switch part {
	case "demo-service":
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		return demo.Serve(ctx, args[0], os.Getenv, os.Stdout)
	case "guard":
		return chaos.Watch(os.Stdin, args[0])
	case "echo":
		return echo(args)
	case "sleep":
		time.Sleep(time.Hour)
	case "brunt":
		return bruntRole(args)
	}
	return fmt.Errorf("no part %q", part)
}

// echo is a small server. With "child" it starts a process of its own that nobody
// but a guard can know of.
func echo(args []string) error {
	if len(args) > 0 && args[0] == "child" {
		if err := exec.Command(os.Args[0], "role", "sleep").Start(); err != nil {
			return err
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"ok":true}`) })
	mux.HandleFunc("/far", func(w http.ResponseWriter, r *http.Request) {
		req, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, "http://"+os.Getenv("LINK_STORE")+"/", nil)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
	})
	return http.ListenAndServe(os.Getenv("BRUNT_ADDR"), mux)
}

// bruntRole runs a scenario as brunt would: FILE STATE GUARD POINT. At the POINTth
// point at which it could die it kills itself; 0 is never, and then it writes how
// many points there were. GUARD is "guard", "none", or "both", which kills the guard
// together with brunt.
func bruntRole(args []string) error {
	file, state, guarded, point := args[0], args[1], args[2] != "none", args[3]
	die, err := strconv.Atoi(point)
	if err != nil {
		return err
	}
	plan, err := compileFile(file)
	if err != nil {
		return err
	}
	var passed atomic.Int64
	o := Options{State: state, At: func(string) {
		if n := passed.Add(1); int(n) == die {
			if args[2] == "both" {
				killChild("guard")
			}
			kill(os.Getpid())
			select {}
		}
	}}
	if guarded {
		o.Guard = self("guard")
	}
	res, err := plan.Run(context.Background(), o)
	if err != nil {
		return err
	}
	fmt.Printf("points %d verdict %s %s\n", passed.Load(), res.Verdict, res.Reason)
	return nil
}

// killChild kills the child of this process that plays a part.
func killChild(part string) {
	procs, _ := os.ReadDir("/proc")
	for _, p := range procs {
		cmd, _ := os.ReadFile("/proc/" + p.Name() + "/cmdline")
		stat, _ := os.ReadFile("/proc/" + p.Name() + "/stat")
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		if strings.Contains(string(cmd), "\x00role\x00"+part+"\x00") && len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) {
			pid, _ := strconv.Atoi(p.Name())
			kill(pid)
		}
	}
}

func compileFile(file string) (*Plan, error) {
	sc, err := scenarios.Parse(file, scenarios.Options{})
	if err != nil {
		return nil, err
	}
	return Compile(sc, CompileOptions{Self: []string{os.Args[0], "role"}})
}

// scenario writes a scenario to a file; ECHO in it is the command of the small
// server.
func scenario(t *testing.T, text string) string {
	t.Helper()
	file := t.TempDir() + "/scenario.yaml"
	text = strings.ReplaceAll(text, "ECHO", fmt.Sprintf("%q, role, echo", os.Args[0]))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// kill ends a process without asking it.
func kill(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}
