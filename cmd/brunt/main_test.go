package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	// The examples spend most of their time waiting.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	testscript.Main(suite.Loading(m), map[string]func(){
		"brunt":    main,
		"server":   server,
		"anyway":   anyway,
		"crashing": crashing,
	})
}

// anyway runs a command and accepts any verdict: anyway COMMAND ARGS. It is for checks that do
// not depend on how busy this machine is.
func anyway() {
	c := exec.Command(os.Args[1], os.Args[2:]...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	_ = c.Run()
	switch code := c.ProcessState.ExitCode(); code {
	case scenarios.ExitPass, scenarios.ExitFail, scenarios.ExitInvalid, scenarios.ExitInconclusive:
	default:
		os.Exit(max(code, 1))
	}
}

// server is a small system under test: server ADDRESS-FILE [PID-FILE]. It first writes its process
// ID, then its address. /slow answers after 100 ms, /fail with a 500, /bye ends it.
func server() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"ok":true,"items":[{"id":7}]}`) })
	http.HandleFunc("/slow", func(http.ResponseWriter, *http.Request) {
		time.Sleep(100 * time.Millisecond) // simulates work
	})
	http.HandleFunc("/fail", func(w http.ResponseWriter,
		_ *http.Request,
	) {
		http.Error(w, "no", http.StatusInternalServerError)
	})
	http.HandleFunc("/bye", func(http.ResponseWriter, *http.Request) { os.Exit(0) })
	if len(os.Args) > 2 {
		if err := os.WriteFile(os.Args[2], []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
			os.Exit(1)
		}
	}
	if err := os.WriteFile(os.Args[1]+".tmp", []byte("http://"+l.Addr().String()), 0o644); err != nil {
		os.Exit(1)
	}
	if err := os.Rename(os.Args[1]+".tmp", os.Args[1]); err != nil {
		os.Exit(1)
	}
	_ = http.Serve(l, nil)
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("BRUNT_STATE", filepath.Join(e.WorkDir, "state"))
			return keptResults(e.WorkDir)
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "full":
				return suite.Full(), nil
			case "drills": // the suite drill-library, or -run
				return suite.Full() && os.Getenv("BRUNT_DRILL_SCRIPTS") != "no", nil
			}
			return false, fmt.Errorf("there is no condition %q", name)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exitcode": exitCode,
			"waitfile": waitFile,
			"geturl":   getURL,
			"waitnote": waitNote,
		},
	})
}

// keptResults writes four runs without their other files: a1, b1, a2 and b2 in
// kept, a minute apart.
func keptResults(dir string) error {
	text, err := os.ReadFile(filepath.Join("testdata", "kept", "result.json"))
	if err != nil {
		return err
	}
	for i, name := range []string{"a1", "b1", "a2", "b2"} {
		run := strings.NewReplacer("-bhhqmqkf", "-"+name, "T21:27:", fmt.Sprintf("T21:%d:", 27+i)).Replace(string(text))
		dir := filepath.Join(dir, "kept", name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "result.json"), []byte(run), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// busyTries is how often a run is repeated that was invalid because this machine was too busy:
// that must neither fail nor pass a test.
const busyTries = 12

// exitCode runs a command that must end with a code: exitcode CODE COMMAND ARGS.
func exitCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode CODE COMMAND ARGS")
	}
	got := "0"
	for range busyTries {
		got = "0"
		if err := ts.Exec(args[1], args[2:]...); err != nil {
			got = strings.TrimPrefix(err.Error(), "exit status ")
		}
		if got == args[0] {
			return
		}
		if got != "5" || !strings.Contains(ts.ReadFile("stdout"), "brunt itself was late") {
			break
		}
		time.Sleep(time.Second) // backs off: the machine is busy
	}
	ts.Fatalf("%s ended with %s, want exit code %s", args[1], got, args[0])
}

// waitFile waits until a file exists: waitfile FILE.
func waitFile(ts *testscript.TestScript, _ bool, args []string) {
	if !suite.Within(time.Minute, func() bool { _, err := os.Stat(ts.MkAbs(args[0])); return err == nil }) {
		ts.Fatalf("waited in vain for %s", args[0])
	}
}

// waitNote leaves a note as soon as a run accepts it: waitnote TEXT AUTHOR.
func waitNote(ts *testscript.TestScript, _ bool, args []string) {
	if !suite.Within(20*time.Second, func() bool { return ts.Exec("brunt", "note", "--as", args[1], args[0]) == nil }) {
		ts.Fatalf("no run took the note: %s", ts.ReadFile("stderr"))
	}
}

// getURL puts the text of a file into environment variables: geturl FILE. A file pid beside it
// holds the server's process ID.
func getURL(ts *testscript.TestScript, _ bool, args []string) {
	url := ts.ReadFile(args[0])
	ts.Setenv("URL", url)
	ts.Setenv("ADDR", strings.TrimPrefix(url, "http://"))
	if pid, err := os.ReadFile(ts.MkAbs("pid")); err == nil {
		ts.Setenv("SERVER_PID", string(pid))
	}
}
