package vdso

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

// TestMain lets the test binary be the program whose clock is changed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "clock" {
		go func() { // a thread that reads the clock half of the time
			for len(os.Args) > 2 {
				_ = time.Now()
				for i := range 200 {
					runtime.KeepAlive(i)
				}
			}
		}()
		in := bufio.NewScanner(os.Stdin)
		for in.Scan() {
			fmt.Println(time.Now().UnixNano())
		}
		return
	}
	os.Exit(m.Run())
}

// program is a process that prints the time for each line of input.
type program struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
	ask string
}

func start(t *testing.T, ask string, command ...string) *program {
	t.Helper()
	p := &program{t: t, cmd: exec.Command(command[0], command[1:]...), ask: ask}
	p.in, _ = p.cmd.StdinPipe()
	out, _ := p.cmd.StdoutPipe()
	p.out = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		t.Skipf("%v: install it", err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
	p.now() // it has started
	return p
}

func (p *program) now() time.Time {
	p.t.Helper()
	fmt.Fprintln(p.in, p.ask)
	if !p.out.Scan() {
		p.t.Fatal("it has ended")
	}
	n, err := strconv.ParseInt(strings.TrimSpace(p.out.Text()), 10, 64)
	if err != nil {
		p.t.Fatal(err)
	}
	if len(p.out.Text()) < 15 { // seconds
		return time.Unix(n, 0)
	}
	return time.Unix(0, n)
}

// off checks that the offset of the program's clock is want, within slack and the duration of the
// request.
func (p *program) off(want, slack time.Duration) {
	p.t.Helper()
	before := time.Now()
	got := p.now()
	after := time.Now()
	if got.Before(before.Add(want-slack)) || got.After(after.Add(want+slack)) {
		p.t.Errorf("its clock is off by %s to %s, want %s", got.Sub(after), got.Sub(before), want)
	}
}

const hair = time.Millisecond // the difference between a coarse clock and a precise one, many times over

func TestApply(t *testing.T) {
	suite.Needs(t, suite.Root)
	for _, c := range []struct {
		name    string
		command []string
		ask     string
		offset  time.Duration
		slack   time.Duration
	}{
		{"Go, an hour ago", []string{os.Args[0], "clock"}, "", -time.Hour, hair},
		{"Go, ahead by parts of a second", []string{os.Args[0], "clock"}, "", 1700 * time.Millisecond, hair},
		{"Go, back by parts of a second", []string{os.Args[0], "clock"}, "", -300 * time.Millisecond, hair},
		{"Go that reads the clock half of the time", []string{os.Args[0], "clock", "busy"}, "", 48 * time.Hour, hair},
		{
			"glibc, gettimeofday",
			[]string{"bash", "--norc"},
			`t=$EPOCHREALTIME; echo ${t/[^0-9]/}000`,
			90*time.Minute + 250*time.Millisecond, hair,
		},
		{"glibc, time", []string{"bash", "--norc"}, `printf '%(%s)T\n' -1`, -2 * time.Hour, 2 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := start(t, c.ask, c.command...)
			pid := p.cmd.Process.Pid
			before, err := Image(pid)
			if err != nil {
				t.Fatal(err)
			}
			patch, err := Of(before, c.offset)
			if err != nil {
				t.Fatal(err)
			}
			p.off(0, c.slack)
			for range 10 { // threads that are reading the clock survive
				if _, err := Apply(pid, patch); err != nil {
					t.Fatal(err)
				}
				if _, err := Restore(pid, patch); err != nil {
					t.Fatal(err)
				}
			}
			for _, want := range []State{Clean, Patched} {
				if was, err := Apply(pid, patch); was != want || err != nil {
					t.Fatalf("applying: it was %v, %v", was, err)
				}
			}
			p.off(c.offset, c.slack)
			p.off(c.offset, c.slack)
			for _, want := range []State{Patched, Clean} {
				if was, err := Restore(pid, patch); was != want || err != nil {
					t.Fatalf("restoring: it was %v, %v", was, err)
				}
			}
			p.off(0, c.slack)
			if after, err := Image(pid); err != nil || !bytes.Equal(before, after) {
				t.Errorf("its vDSO is not what it was: %v", err)
			}
			other, _ := Of(before, c.offset+time.Second)
			if was, err := Apply(pid, other); was != Clean || err != nil {
				t.Fatal(was, err)
			}
			if was, err := Restore(pid, patch); was != Foreign || err != nil {
				t.Errorf("what is another's was taken off: %v, %v", was, err)
			}
			p.off(c.offset+time.Second, c.slack)
		})
	}
}

// The parts of an offset are never negative: the code only carries upwards.
func TestSplit(t *testing.T) {
	for _, c := range []struct {
		d           time.Duration
		whole, rest int32
	}{
		{0, 0, 0},
		{time.Second, 1, 0},
		{-time.Second, -1, 0},
		{-time.Nanosecond, -1, 999_999_999},
		{-1500 * time.Millisecond, -2, 500_000_000},
		{maxOffset - 1, int32(maxOffset/time.Second) - 1, 999_999_999},
	} {
		if whole, rest := split(c.d, time.Nanosecond); whole != c.whole || rest != c.rest {
			t.Errorf("%s: %d and %d, want %d and %d", c.d, whole, rest, c.whole, c.rest)
		}
	}
}

// TestFind_Starting finds the vDSO of a process that runs one program after another.
func TestFind_Starting(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte(`exec /bin/sh "$0"`), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/bin/sh", script)
	if err := cmd.Start(); err != nil {
		t.Skipf("%v: install it", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	none := 0
	for began := time.Now(); time.Since(began) < 10*time.Second && none < 10; {
		if _, _, err := mapped(cmd.Process.Pid); !errors.Is(err, errNone) {
			continue
		}
		none++
		if _, _, err := find(cmd.Process.Pid); err != nil {
			t.Fatal(err)
		}
	}
	if none == 0 {
		t.Error("no look met it without one: the test shows nothing")
	}
}
