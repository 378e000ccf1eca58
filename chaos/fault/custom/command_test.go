//go:build unix

package custom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/chaos/probe"
	"brunt/chaos/proc"
	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/scenarios/syntax"
)

// ownFault reads the fault that settings write, such as `exec: {…}`, and what is wrong
// with it.
func ownFault(t *testing.T, settings string) (chaos.Fault, *syntax.Mistakes) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	text := "version: 1\ntarget: {url: \"http://127.0.0.1:1\"}\nload: {main: {executor: constant-arrival-rate, rate: " +
		"1/s, duration: 1s, flow: [{get: " +
		"/}]}}\nchaos:\n  it:\n    at: 1s\n    for: 1s\n    " + settings + "\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	sc, err := scenarios.Parse(file, scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := sc.Mistakes()
	f, ok := syntax.Resolve(sc.Faults[0].Block, map[string]func() chaos.Fault{
		"exec":    func() chaos.Fault { return new(Exec) },
		"webhook": func() chaos.Fault { return new(Webhook) },
	}, m)
	if ok {
		f.Check(sc.Faults[0].Block.Pos, chaos.Scope{}, m)
	}
	return f, m
}

// ownStep plans the one step of the fault that settings write, filled in from the
// environment.
func planCustom(t *testing.T, settings string, env chaos.Env) (*customStep, error) {
	t.Helper()
	f, m := ownFault(t, settings)
	if m.Len() > 0 {
		t.Fatal(m.Err())
	}
	steps, err := f.Plan(t.Context(), env)
	if err != nil {
		return nil, err
	}
	return steps[0].(*customStep), nil
}

func mustStep(t *testing.T, settings string, env chaos.Env) *customStep {
	t.Helper()
	s, err := planCustom(t, settings, env)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// numberIn reads a process's number from a file, once it is there.
func numberIn(t *testing.T, file string) int {
	t.Helper()
	var n int
	suite.Until(t, "a number in "+file, func() bool {
		b, err := os.ReadFile(file)
		if err == nil {
			n, err = strconv.Atoi(strings.TrimSpace(string(b)))
		}
		return err == nil
	})
	return n
}

// awaitEnd waits until a process has ended, reaped or not.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	suite.Until(t, fmt.Sprintf("the end of process %d", pid),
		func() bool { return syscall.Kill(pid, 0) != nil || proc.IsZombie(pid) })
}

// A command that takes too long is ended with all that it started, and its fault is
// taken back.
func TestCommand_TimesOut(t *testing.T) {
	dir := t.TempDir()
	s := mustStep(t, fmt.Sprintf(`exec: {inject: "sleep 1000 & echo $! > child; touch half; wait", verify: [test, -e, half], revert: [rm, -f, half], `+
		`dir: %s, timeout: 300ms}`, dir), chaos.Env{})
	h, err := s.Inject(t.Context())
	if err == nil || !strings.Contains(err.Error(), "did not end within 300ms") {
		t.Fatalf("inject: %v", err)
	}
	awaitEnd(t, numberIn(t, dir+"/child"))
	if _, err := os.Stat(dir + "/half"); err != nil {
		t.Fatal("the command did nothing, so this shows nothing")
	}
	if h == nil {
		t.Fatal("nothing is held, though half of it was done")
	}
	if o, err := h.Revert(t.Context()); o != chaos.Reverted || err != nil {
		t.Errorf("revert: %s, %v", o, err)
	}
	if said, err := h.Gone(t.Context()); err != nil {
		t.Errorf("gone: %s, %v", said, err)
	}
}

// What inject leaves running is ended once the fault is taken back, and not before.
func TestCommand_Leftover(t *testing.T) {
	dir := t.TempDir()
	s := mustStep(t, fmt.Sprintf(`exec: {inject: "sleep 1000 > log 2>&1 & echo $! > child", verify: [test, -e, child], revert: [rm, -f, child], dir: %s}`, dir),
		chaos.Env{})
	h, err := s.Inject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pid := numberIn(t, dir+"/child")
	if syscall.Kill(pid, 0) != nil || proc.IsZombie(pid) {
		t.Fatal("it is ended already")
	}
	if _, err := h.Revert(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, pid)
}

// TestExec_EndsByItself: an effect that ends before its revert is no whole fault.
func TestExec_EndsByItself(t *testing.T) {
	dir := t.TempDir()
	const touches = `exec: {inject: [touch, down], verify: [test, -e, down], %s, dir: %s}`
	s := mustStep(t, fmt.Sprintf(touches, "revert: [rm, -f, down]", dir), chaos.Env{})
	h, err := s.Inject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if h.Traits().Ended == nil {
		t.Fatal("it is not asked whether it ended")
	}
	if _, err := h.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := h.Traits().Ended(t.Context()); err != nil {
		t.Errorf("while it is there: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "down")); err != nil {
		t.Fatal(err)
	}
	if err := h.Traits().Ended(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "verify held, and does not") {
		t.Errorf("after it ended by itself: %v", err)
	}
	once := mustStep(t, fmt.Sprintf(touches, "revert: none, gone: [test, -e, up]", dir), chaos.Env{})
	if once.Traits().Ended != nil {
		t.Error("an effect without a revert has no early end")
	}
}

// A service that a revert starts lives on, even one that keeps the command's output.
func TestCommand_StartsAService(t *testing.T) {
	dir := t.TempDir()
	s := mustStep(t, fmt.Sprintf(`exec: {inject: [touch, down], verify: [test, -e, down], revert: "rm -f down; sleep 1000 & echo $! > child; echo started", `+
		`dir: %s}`, dir), chaos.Env{})
	h, err := s.Inject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if o, err := h.Revert(t.Context()); o != chaos.Reverted || err != nil {
		t.Fatalf("%s, %v", o, err)
	}
	pid := numberIn(t, dir+"/child")
	defer func() { _ = syscall.Kill(pid, syscall.SIGKILL) }()
	if said, err := h.Gone(t.Context()); err != nil || !strings.Contains(said, "revert said: started") {
		t.Errorf("%q, %v", said, err)
	}
	if syscall.Kill(pid, 0) != nil || proc.IsZombie(pid) {
		t.Error("the service was ended with the command that started it")
	}
}

// What holds before the injection proves nothing, and a probe that can't be run
// neither.
func TestExec_Before(t *testing.T) {
	for _, c := range []struct{ settings, want string }{
		{`exec: {inject: ["true"], verify: ["true"], revert: ["true"]}`, "verify already holds before the injection"},
		{`exec: {inject: ["true"], verify: [no-such-tool], revert: ["true"]}`, "verify: exec: \"no-such-tool\""},
		{`exec: {inject: [no-such-tool], verify: ["false"], revert: ["true"]}`, "inject: exec: \"no-such-tool\""},
		{`exec: {inject: ["true"], verify: ["false"], revert: [./no-such-tool]}`, "revert: exec: "},
		{`exec: {inject: ["true"], verify: [sleep, 10], revert: ["true"], timeout: 50ms}`, "did not end within 50ms"},
		{`exec: {inject: ["true"], verify: ["false"], revert: ["true"], units: [a, b]}`, "it would hit 2 units"},
		{
			`exec: {inject: ["true", "${unit.db.addr}"], verify: ["false"], revert: ["true"]}`,
			"${unit.db.addr}: the unit is not known yet",
		},
		{`webhook: {inject: {post: "http://127.0.0.1:1/"}, verify: {get: "http://127.0.0.1:1/"}, revert: {post: "http://127.0.0.1:1/"}}`, "connection refused"},
	} {
		if _, err := planCustom(t, c.settings, chaos.Env{Targets: chaos.Targets{MaxUnits: 1}}); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.settings, err)
		}
	}
}

// A dry run needs no unit to run, and runs nothing.
func TestExec_Dry(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ran")
	s := mustStep(t, fmt.Sprintf(`exec: {inject: [touch, %s], verify: [touch, %s], revert: [ctl, "to ${unit.db.addr}"]}`,
		file, file),
		chaos.Env{Occurrence: chaos.Occurrence{Dry: true}})
	for _, want := range []string{"run `touch " + file, "taken back by `ctl 'to ${unit.db.addr}'`", "seen by `touch"} {
		if !strings.Contains(s.String(), want) {
			t.Errorf("%q lacks %q", s, want)
		}
	}
	if u := s.Undo(); len(u) != 1 || u[0].Op != opExec {
		t.Errorf("undo %+v", u)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the dry run ran something")
	}
}

// A revert is tried again, and one that goes on failing says why.
func TestExec_RevertFails(t *testing.T) {
	dir := t.TempDir()
	s := mustStep(t, fmt.Sprintf(`exec: {inject: [touch, a], verify: [test, -e, a], revert: "echo no way >&2; echo x >> tries; test $(wc -l < tries) -ge 5", `+
		`dir: %s}`, dir), chaos.Env{})
	h, err := s.Inject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if o, err := h.Revert(t.Context()); o != chaos.Failed || err == nil ||
		!strings.Contains(err.Error(), "exit status 1: no way") {
		t.Errorf("%s, %v", o, err)
	}
	if b, _ := os.ReadFile(dir + "/tries"); len(b) != 2*revertTries {
		t.Errorf("tries: %q", b)
	}
	if o, err := h.Revert(t.Context()); o != chaos.Reverted || err != nil { // the fifth
		t.Errorf("%s, %v", o, err)
	}
}

// A question's command carries the run's mark, by which what it left is found. What an
// inject or a revert starts may be meant to live on, and carries none.
func TestExec_Mark(t *testing.T) {
	dir := t.TempDir()
	s := mustStep(t, fmt.Sprintf(`exec: {inject: 'test -z "$BRUNT_RUN" && touch a', verify: 'echo "$BRUNT_RUN" > mark; test -e a', `+
		`revert: 'test -z "$BRUNT_RUN" && rm -f a', dir: %s}`, dir), chaos.Env{Host: chaos.Host{Run: "r1"}})
	if b, err := os.ReadFile(dir + "/mark"); string(b) != "r1\n" {
		t.Errorf("verify carries %q, %v", b, err)
	}
	h, err := s.Inject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if o, err := h.Revert(t.Context()); o != chaos.Reverted || err != nil {
		t.Errorf("%s, %v", o, err)
	}
}

// TestExec_Secrets: what is written down names secrets and holds none; a process that takes the
// fault back reads them again, and hides them in what goes wrong.
func TestExec_Secrets(t *testing.T) {
	dir := t.TempDir()
	const fromEnv, fromFile = "hunter2/=quot", "s3cr3t in a file"
	t.Setenv("OWN_TOKEN", fromEnv)
	if err := os.WriteFile(dir+"/password", []byte(fromFile+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustStep(t, fmt.Sprintf(`exec: {inject: [touch, a], verify: [test, -e, a], `+
		`revert: "rm a; echo ${env.OWN_TOKEN} $PASSWORD > seen; cat seen; test ! -e fails", dir: %s, env: {PASSWORD: "${file.%s/password}"}}`, dir, dir), chaos.Env{})
	state := t.TempDir()
	j := beginJournal(t, state, "test")
	if _, err := j.Intent(chaos.Intent{Fault: "it", What: s.String(), Undo: s.Undo()}); err != nil {
		t.Fatal(err)
	}
	path := j.Path()
	if _, err := s.Inject(t.Context()); err != nil {
		t.Fatal(err)
	}
	closeJournal(t, j)
	hidden := func() {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "hunter2") || strings.Contains(string(b), "s3cr3t") ||
			!strings.Contains(string(b), "OWN_TOKEN") {
			t.Errorf("the journal: %s", b)
		}
	}
	hidden()

	if err := os.Unsetenv("OWN_TOKEN"); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Recover(t.Context(), chaos.OperationsOf(operations()), state, "revert"); err == nil ||
		!strings.Contains(err.Error(),
			"the environment variable OWN_TOKEN is not set") {
		t.Errorf("without the secret: %v", err)
	}
	t.Setenv("OWN_TOKEN", fromEnv)
	if err := os.WriteFile(dir+"/fails", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := journal.Recover(t.Context(), chaos.OperationsOf(operations()), state, "revert")
	if err == nil || !strings.Contains(err.Error(), "*** ***") || strings.Contains(err.Error(), "hunter2") ||
		strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("a revert that tells its secrets: %v", err)
	}
	hidden()
	if err := os.Remove(dir + "/fails"); err != nil {
		t.Fatal(err)
	}
	if taken, err := journal.Recover(t.Context(), chaos.OperationsOf(operations()), state,
		"revert"); err != nil || len(taken) != 1 || taken[0].Outcome != chaos.Reverted {
		t.Errorf("%+v, %v", taken, err)
	}
	if b, err := os.ReadFile(dir + "/seen"); err != nil || !strings.Contains(string(b), "hunter2") ||
		!strings.Contains(string(b), fromFile) {
		t.Errorf("the revert was given %q, %v", b, err)
	}
}

// A journal ends an inject that is under way before it takes it back: it must not land
// afterwards.
func TestExec_InjectUnderWay(t *testing.T) {
	dir, state := t.TempDir(), t.TempDir()
	j := beginJournal(t, state, "test")
	var id int
	env := chaos.Env{
		Occurrence: chaos.Occurrence{Extend: func(u chaos.Undo) error {
			return j.Extend(id, u)
		}},
	}
	s := mustStep(t, fmt.Sprintf(`exec: {inject: "echo $$ > self; (while ! test -e go; do sleep 0.01; done; touch late) & echo $! > child; wait", `+
		`verify: [test, -e, late], revert: [touch, go], dir: %s}`, dir), env)
	var err error
	if id, err = j.Intent(chaos.Intent{Fault: "it", What: s.String(), Undo: s.Undo()}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error)
	go func() {
		_, err := s.Inject(ctx)
		over <- err
	}()
	pid, child := numberIn(t, dir+"/self"), numberIn(t, dir+"/child")
	closeJournal(t, j)
	if taken, err := journal.Recover(t.Context(), chaos.OperationsOf(operations()), state, "guard"); err != nil ||
		len(taken) != 1 {
		t.Fatalf("%+v, %v", taken, err)
	}
	awaitEnd(t, pid)
	awaitEnd(t, child)
	cancel()
	if err := <-over; err == nil {
		t.Error("the inject went on to its end")
	}
	if _, err := os.Stat(dir + "/late"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it landed after it was taken back: %v", err)
	}
}

// A command that can't be written down does nothing.
func TestCommand_Unwritten(t *testing.T) {
	dir := t.TempDir()
	s := mustStep(t, fmt.Sprintf(`exec: {inject: [touch, a], verify: [test, -e, a], revert: [rm, -f, a], dir: %s}`, dir),
		chaos.Env{Occurrence: chaos.Occurrence{Extend: func(chaos.Undo) error { return errors.New("the disk is full") }}})
	if _, err := s.Inject(t.Context()); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(dir + "/a"); err == nil {
		t.Error("it did something all the same")
	}
}

// An entry that is not what it says is not acted on.
func TestExec_DamagedUndo(t *testing.T) {
	for _, u := range []chaos.Undo{
		{Op: opExec, Args: json.RawMessage(`"rm"`)},
		{Op: opWebhook, Args: json.RawMessage(`7`)},
		{Op: opExec, Args: json.RawMessage(`{"args": [[{"env": "PATH", "in": "nowhere"}]], "timeout": 1000000000}`)},
		{Op: opExec, Args: json.RawMessage(`{}`)},
		{Op: opExecEnd, Identity: json.RawMessage(`"x"`)},
	} {
		if o, err := chaos.OperationsOf(operations()).Undo(t.Context(), u); err == nil || o != chaos.Failed {
			t.Errorf("%s %s: %s, %v", u.Op, u.Args, o, err)
		}
	}
	for _, id := range []proc.Identity{
		{},
		{PID: 1, Boot: proc.BootID()},
		{PID: -1, Boot: proc.BootID()},
		{PID: os.Getpid(), Boot: "another"},
		{PID: os.Getpid(), Boot: proc.BootID()},
	} {
		if o, err := endCommand(t.Context(), id); o != chaos.Gone || err != nil {
			t.Errorf("%+v: %s, %v", id, o, err)
		}
	}
}

func TestOutput(t *testing.T) {
	hide := func(s string) string { return strings.ReplaceAll(s, "secret", "***") }
	long := strings.Repeat("x", 10*probe.MostKept)
	for _, c := range []struct{ said, want string }{
		{"", ""},
		{"\n\n", ""},
		{"one\n", "one"},
		{"one\ntwo", "one / two"},
		{"one\n\ntwo\nthree secret\n", "one / … / three ***"},
		{"secret " + strings.Repeat("y", 300), "*** " + strings.Repeat("y", probe.MostWords-4) + "…"},
		{"first\n" + long + "secret\nlast", "first / … / last"},
		{long + "secre", strings.Repeat("x", probe.MostWords) + "…"}, // the end of the line is lost with its middle
		{"a\xffb", "a\ufffdb"},
	} {
		var o probe.Output
		for chunk := range strings.SplitAfterSeq(c.said, "\n") {
			if _, err := o.Write([]byte(chunk)); err != nil {
				t.Fatal(err)
			}
		}
		if got := o.Lines(hide); got != c.want {
			t.Errorf("%.40q: %.300q, want %.300q", c.said, got, c.want)
		}
	}
}

func beginJournal(t *testing.T, dir, run string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(chaos.OperationsOf(operations()), dir, run)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// closeJournal ends the journal with what it has open, as the death of its run would.
func closeJournal(t *testing.T, j *journal.Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}
