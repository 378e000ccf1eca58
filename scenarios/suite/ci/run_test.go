package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	testkit "brunt/scenarios/suite"
)

// TestFlaky: a test is flaky if it passed after it had failed; too many fail.
func TestFlaky(t *testing.T) {
	const report = `brunt/a.TestOnce: 2 runs, 1 failures
brunt/a.TestPart: 3 runs, 2 failures
brunt/a.TestPart/one: 3 runs, 2 failures
brunt/b.c.TestBroken: 3 runs, 3 failures
`
	found := flakyIn(report)
	if want := "brunt/a TestOnce, brunt/a TestPart/one"; strings.Join(found, ", ") != want {
		t.Errorf("%q, want %s", found, want)
	}
	for may, fails := range map[int]bool{2: false, 1: true} {
		err := judgeFlaky(report, may)
		if e := (ended{}); (err != nil) != fails || err != nil && (!errors.As(err, &e) || e.code != codeFailed) {
			t.Errorf("%d may be flaky: %v", may, err)
		}
	}
	if err := judgeFlaky("brunt/b.TestBroken: 3 runs, 3 failures\n", 0); err != nil {
		t.Errorf("a broken test is not flaky: %v", err)
	}
}

// TestAllowed: two tests may be flaky, or FLAKES, and one more for each stop of the machine, up to 12.
func TestAllowed(t *testing.T) {
	for _, c := range []struct {
		flakes      string
		stops, want int
	}{{"", 0, 2}, {"", 3, 5}, {"4", 0, 4}, {"4", 100, 12}, {"0", 0, 0}, {"0", 1, 1}} {
		if got := allowed(c.flakes, c.stops); got != c.want {
			t.Errorf("FLAKES=%s and %d stops: %d, want %d", c.flakes, c.stops, got, c.want)
		}
	}
}

// TestWithin: a part that the time ends has the exit code of timeout, and one that fails its own.
func TestWithin(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("runs commands of Unix")
	}
	r := &runner{}
	of := func(argv ...string) suite {
		return suite{name: "it", about: text("it"), run: func(_ *runner, ctx context.Context, _ suite, _ part) error {
			return loud(ctx, nil, argv...)
		}}
	}
	for _, c := range []struct {
		name  string
		limit time.Duration
		argv  []string
		code  int
	}{
		{"passes", time.Minute, []string{"true"}, 0},
		{"fails", time.Minute, []string{"sh", "-c", "exit 7"}, 7},
		{"is late", 50 * time.Millisecond, []string{"sleep", "60"}, codeLate},
		{"has no time", 0, []string{"true"}, codeLate},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, err := 0, r.within(t.Context(), c.limit, of(c.argv...), part{1, 1})
			if e := (ended{}); errors.As(err, &e) {
				code = e.code
			}
			if code != c.code {
				t.Errorf("%v has the code %d, want %d", err, code, c.code)
			}
		})
	}
}

// TestWait: at the end of its context a command ends with all processes of its group, also one that does not listen.
func TestWait(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("runs commands of Unix")
	}
	was := grace
	t.Cleanup(func() { grace = was })
	for _, c := range []struct {
		name, script string
		grace        time.Duration
	}{
		{"is asked to end", `sleep 60 & echo $! >"$1"; wait`, time.Minute},
		{"does not listen", `trap "" TERM; sleep 60 & echo $! >"$1"; wait`, 100 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			grace = c.grace
			file := filepath.Join(t.TempDir(), "pid")
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- wait(ctx, exec.Command("sh", "-c", c.script, "sh", file)) }()
			var pid int
			testkit.Until(t, "the child", func() bool {
				text, _ := os.ReadFile(file)
				pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
				return pid > 0
			})
			cancel()
			select {
			case err := <-ended:
				if err == nil {
					t.Error("it ended without an error")
				}
			case <-time.After(30 * time.Second): // before it is killed
				t.Fatal("it was not asked to end")
			}
			testkit.Until(t, "the end of the child", func() bool { return !alive(pid) })
		})
	}
}

// alive reports whether a process runs, one that has ended and was not waited for apart.
func alive(pid int) bool {
	if text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat")); err == nil {
		_, rest, _ := strings.Cut(string(text), ") ")
		return !strings.HasPrefix(rest, "Z")
	}
	out, _ := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return len(bytes.TrimSpace(out)) > 0 && !bytes.HasPrefix(bytes.TrimSpace(out), []byte("Z"))
}

// TestOutcome: tests that failed and were skipped are written as .ci/fresh reads them, and long ones are printed.
func TestOutcome(t *testing.T) {
	dir := t.TempDir()
	files := []string{filepath.Join(dir, "skipped"), filepath.Join(dir, "failed")}
	var out bytes.Buffer
	err := outcome(strings.NewReader(`{"Action":"output","Package":"a","Test":"TestBad","Output":"it is bad\n"}
{"Action":"fail","Package":"a","Test":"TestBad/part"}
{"Action":"fail","Package":"a","Test":"TestBad"}
{"Action":"pass","Package":"a","Test":"TestLong","Elapsed":10.5}
{"Action":"pass","Package":"a","Test":"TestLong/part","Elapsed":10.4}
{"Action":"skip","Package":"a","Test":"TestSkipped/one"}
{"Action":"skip","Package":"a","Test":"TestSkipped/two/of_it"}
{"Action":"skip","Package":"a","Test":"TestSkipped/two/too"}
{"Action":"fail","Package":"a","Elapsed":11}
{"Action":"fail","Package":"b","Elapsed":1}
{"Action":"pass","Package":"c","Elapsed":2}
no event
`), &out, files)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"a TestSkipped/one\na TestSkipped/two\n", "a TestBad\nb .\n"} {
		if got, err := os.ReadFile(files[i]); err != nil || string(got) != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	want := "it is bad\nlong a TestLong 10.5s\nFAIL a 11.0s\nFAIL b 1.0s\nok   c 2.0s\nno event\n"
	if out.String() != want {
		t.Errorf("%s, want %s", out.String(), want)
	}
}

// TestFuzzShare: two fuzzers at a time fit into the limit, which leaves time to build them. Many use most of it.
func TestFuzzShare(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 60} {
		share := fuzzShare(time.Hour, n)
		took := time.Duration((n+1)/2) * share
		if took > 50*time.Minute || n >= 10 && took < 40*time.Minute {
			t.Errorf("%d fuzzers of %s each take %s", n, share, took)
		}
	}
}

// TestFuzzed: a fuzzer says how many inputs it had; that its time was up is no failure, and an input that fails is one.
func TestFuzzed(t *testing.T) {
	const said = "fuzz: elapsed: 3s, execs: 102 (34/sec), new interesting: 2 (total: 5)\n" +
		"fuzz: elapsed: 6s, execs: 9204 (3034/sec), new interesting: 2 (total: 5)\n"
	if got := fuzzed(said); got != "9204" {
		t.Errorf("%s inputs", got)
	}
	if got := fuzzed("--- FAIL"); got != "0" {
		t.Errorf("%s inputs without a word of them", got)
	}
	const late = said + "--- FAIL: FuzzIt (6.01s)\n    context deadline exceeded\n"
	for text, want := range map[string]bool{
		said: false, late: true, late + "panic: no\n": false,
		late + "    Failing input written to testdata/fuzz/FuzzIt/1\n": false,
	} {
		if timedOut(text) != want {
			t.Errorf("%q: want %t", text, want)
		}
	}
}
