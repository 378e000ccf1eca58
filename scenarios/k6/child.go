package k6

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"brunt/targets/platform/procgroup"
)

// A Child is the process of a script.
type Child struct {
	PID int // set by Start

	cmd   *exec.Cmd
	with  Config
	to    Handler
	in    io.WriteCloser
	out   io.ReadCloser
	lines chan []byte    // lines to write to in
	said  procgroup.Tail // the end of its log
	ended chan struct{}
	exit  Exit
}

// An Exit says how the process of a script ended.
type Exit struct {
	Code   int    // k6's exit code; -1 with Signal
	Signal string // signal that killed it; empty: none
	Wire   error  // the error in its messages, if any
	Said   string // the end of its log
	CPU    time.Duration
	Memory int64 // maximum resident memory in bytes; zero means unknown
}

// Exit codes of k6 that brunt distinguishes.
const (
	ExitSetupTimeout    = 100
	ExitTeardownTimeout = 101
	ExitInvalidConfig   = 104
	ExitAborted         = 105 // ended by a signal
	ExitException       = 107
	ExitScriptAborted   = 108 // exec.test.abort()
	ExitPanic           = 109
	ExitMarkedFailed    = 110 // exec.test.fail()
)

// New prepares the process of a script. One goroutine passes all messages of the process to h, from start to end. It
// may get the process before it starts, so that it can answer its first request. Log gets the output of the process;
// it may be nil.
func New(binary string, c Config, log io.Writer, h Handler) *Child {
	c.Version = wireVersion
	k := &Child{
		cmd: exec.Command(binary, "run"), with: c, to: h, ended: make(chan struct{}), lines: make(chan []byte, mostLines),
	}
	k.cmd.Dir, k.cmd.Env = filepath.Dir(c.Script), environment(os.Environ())
	if c.Part.Divided() {
		k.cmd.Env = append(k.cmd.Env, fmt.Sprintf("GOMAXPROCS=%d", max(1, runtime.GOMAXPROCS(0)/c.Part.Of)))
	}
	k.said.To, k.cmd.Stderr = log, &k.said
	k.cmd.WaitDelay = time.Second // limit for processes that the script started and left running
	return k
}

// Start starts the process, once. After an error there is no process.
func (k *Child) Start() (err error) {
	if k.in, err = k.cmd.StdinPipe(); err != nil {
		return err
	}
	if k.out, err = k.cmd.StdoutPipe(); err != nil {
		return err
	}
	if err := k.line(k.with); err != nil { // queued before any answer to the process
		return err
	}
	// It is in a group of its own, so that brunt decides what happens on ctrl-C. If brunt dies, the end of its input
	// ends it.
	if err := procgroup.Start(k.cmd, k.follow); err != nil {
		return fmt.Errorf("starting %s: %w", Binary, err)
	}
	k.PID = k.cmd.Process.Pid
	go k.writeCommands()
	return nil
}

// mostLines is how many commands may wait for a process that does not read them.
const mostLines = 256

// writeCommands writes commands, so that Send does not block on a stopped process.
func (k *Child) writeCommands() {
	for {
		select {
		case b := <-k.lines:
			if _, err := k.in.Write(b); err != nil { // the process has ended, or will soon
				return
			}
		case <-k.ended:
			return
		}
	}
}

// follow passes on the messages of the process, and waits until it ends.
func (k *Child) follow() {
	defer close(k.ended)
	k.exit.Wire = readMessages(k.out, k.to)
	if k.exit.Wire != nil { // the rest of its messages can't be parsed
		_ = k.cmd.Process.Kill()
	}
	err := k.cmd.Wait()
	_ = k.in.Close()
	k.exit.Said = lastLines(k.said.String())
	state := k.cmd.ProcessState
	if state == nil {
		k.exit.Code, k.exit.Signal = -1, fmt.Sprint(err)
		return
	}
	k.exit.Code, k.exit.CPU, k.exit.Memory = state.ExitCode(), state.UserTime()+state.SystemTime(),
		procgroup.Peak(state)
	if k.exit.Code < 0 {
		k.exit.Signal = state.String()
	}
}

// Ended is closed when the process has ended and everything it sent was handled.
func (k *Child) Ended() <-chan struct{} { return k.ended }

// Exit says how the process ended. It waits until Ended is closed.
func (k *Child) Exit() Exit {
	<-k.ended
	return k.exit
}

// Send sends a command to the process. It returns an error if the process has ended, or does not read its input.
func (k *Child) Send(c Command) error { return k.line(c) }

func (k *Child) line(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	select {
	case <-k.ended:
		return errEnded
	default:
	}
	select {
	case k.lines <- append(b, '\n'):
		return nil
	default:
		return errDeaf
	}
}

var (
	errEnded = errors.New("the script's process has ended")
	errDeaf  = errors.New("the script's process does not listen")
)

// Kill ends the process at once.
func (k *Child) Kill() { _ = k.cmd.Process.Kill() }

// environment is the environment of the process, without the settings of k6, which would
// override the scenario, and without proxies, which would bypass the allow-list.
func environment(env []string) []string {
	out := slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		switch strings.ToLower(name) {
		case "http_proxy", "https_proxy", "all_proxy":
			return true
		}
		return strings.HasPrefix(name, "K6_") && !strings.HasPrefix(name, "K6_BROWSER_")
	})
	return append(out, "K6_NO_USAGE_REPORT=true", "K6_AUTO_EXTENSION_RESOLUTION=false", "NO_COLOR=1")
}

// Inspect asks k6 for the plan of a script. k6 runs the script's init code, which can read
// files and cannot reach the network.
func Inspect(ctx context.Context, binary string, c Config) (*Plan, error) {
	c.Version = wireVersion
	in, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, "inspect")
	cmd.Dir, cmd.Env = filepath.Dir(c.Script), environment(os.Environ())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(append(in, '\n')), &out, &said
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("its init code did not end in time: %w", context.Cause(ctx))
		}
		if text := Complaint(said.String()); text != "" && errors.As(err, new(*exec.ExitError)) {
			return nil, errors.New(text)
		}
		return nil, fmt.Errorf("%s inspect: %w", Binary, err)
	}
	return parsePlan(out.Bytes())
}

// Complaint extracts k6's error message, in one line.
func Complaint(said string) string {
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(said, "�")), "\n")
	var kept []string
	for _, l := range lines {
		l = strings.TrimSpace(l)
		l = strings.TrimPrefix(l, "could not initialize '-': could not load JS test 'file:///-': ")
		if l == "" || strings.HasPrefix(l, "at ") || strings.Contains(l, "file:///-") {
			continue
		}
		kept = append(kept, l)
	}
	if len(kept) == 0 {
		return strings.TrimSpace(lines[len(lines)-1])
	}
	return strings.ReplaceAll(strings.Join(kept[max(0, len(kept)-3):], "; "), ":; ", ": ")
}

// lastLines returns the last lines of a log.
func lastLines(log string) string {
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(log, "�")), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}
