//go:build linux

package safety

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/moby/moby/client"
)

// How long a play waits, on a machine that is busy.
const (
	endWithin     = 60 * time.Second // for the end of a brunt, after its load
	restoreWithin = 30 * time.Second // for the state before, after the end of a brunt
	overPatience  = 12 * time.Second // how long a brunt is stopped; its watchdog waits ten seconds
)

// A play is a program that is played on a machine.
type play struct {
	*machine
	program
	before view
	cmd    *exec.Cmd
	out    bytes.Buffer // of brunt
	events *events
	ended  chan struct{} // closed once brunt has ended
	runs   []string      // the names of the runs that were seen

	mu       sync.Mutex
	problems []string
	log      []string // what the play did, with times
	began    time.Time
	orphaned bool // the watchdog was killed
	killed   bool // brunt was killed by the program
}

// A verdict is what came of a play.
type verdict struct {
	problems []string
	refused  bool   // brunt refused the scenario
	exit     int    // brunt's exit code, -1 if it was killed
	log      string // what was done, and brunt's output
}

// play plays a program on the machine. After a verdict with problems the machine is to be thrown away.
func (m *machine) play(p program) verdict {
	y := &play{machine: m, program: p, events: newEvents(), ended: make(chan struct{})}
	if err := y.start(); err != nil {
		return verdict{problems: []string{err.Error()}}
	}
	var kills sync.WaitGroup
	for _, k := range p.Kills {
		kills.Go(func() { y.kill(k) })
	}
	y.wait()
	kills.Wait()
	exit := y.cmd.ProcessState.ExitCode()
	if y.finish(exit); exit == 2 && len(y.problems) == 0 {
		return verdict{refused: true, exit: exit, log: y.text(), problems: y.problems}
	}
	return verdict{problems: y.problems, exit: exit, log: y.text()}
}

func (y *play) problem(format string, args ...any) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.problems = append(y.problems, fmt.Sprintf(format, args...))
}

func (y *play) note(format string, args ...any) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.log = append(y.log, fmt.Sprintf("%6dms ", time.Since(y.began).Milliseconds())+fmt.Sprintf(format, args...))
}

func (y *play) text() string {
	y.mu.Lock()
	defer y.mu.Unlock()
	return strings.Join(y.log, "\n") + "\n" + y.events.text() + y.out.String()
}

// start reads the state before, and starts brunt.
func (y *play) start() error {
	y.before = y.view()
	scenario := filepath.Join(y.root, "scenario.yaml")
	if err := os.WriteFile(scenario, []byte(y.scenario(os.Args[0], y.names())), 0o600); err != nil {
		return err
	}
	y.cmd = y.brunt("run", scenario, "-o", filepath.Join(y.root, "out"), "--force", "--log-format", "json", "--log-level",
		"info")
	y.cmd.Stdout = &y.out
	lines, err := y.cmd.StderrPipe()
	if err != nil {
		return err
	}
	y.began = time.Now()
	if y.engine != nil {
		y.engine.begin(y.Gaps)
	}
	if err := y.cmd.Start(); err != nil {
		return err
	}
	y.events.happened("start")
	go func() {
		y.events.read(lines)
		_ = y.cmd.Wait()
		close(y.ended)
	}()
	return nil
}

// brunt is a command of brunt's on the machine.
func (y *play) brunt(args ...string) *exec.Cmd {
	cmd := exec.Command(bruntProgram, args...)
	cmd.Env = append(os.Environ(), "BRUNT_STATE="+y.state(), "TMPDIR="+y.tmp(), markVariable+"="+y.mark)
	if y.engine != nil {
		cmd.Env = append(cmd.Env, "DOCKER_HOST="+y.engine.address())
	}
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// wait waits until brunt has ended, and ends it if it does not.
func (y *play) wait() {
	most := y.length() + endWithin
	for _, k := range y.Kills {
		if k.What == stopBrunt {
			most += overPatience + restoreWithin
		}
	}
	select {
	case <-y.ended:
	case <-time.After(most):
		y.problem("brunt does not end within %s; it is in state %v", most, stat(y.cmd.Process.Pid))
		_ = y.cmd.Process.Signal(syscall.SIGQUIT) // its stacks are in the output
		select {
		case <-y.ended:
		case <-time.After(5 * time.Second):
			_ = y.cmd.Process.Kill()
			<-y.ended
		}
	}
	y.note("brunt has ended: %v", y.cmd.ProcessState)
}

// watchdogs returns the processes of watchdogs: those that carry the machine's mark and the command's name.
func (y *play) watchdogs() (pids []int) {
	for _, pid := range y.marked() {
		if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); bytes.Contains(b, []byte("\x00watchdog\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// kill does a kill of the program.
func (y *play) kill(k kill) {
	if !y.events.await(k.Event, k.Nth, y.ended) {
		return // it did not happen
	}
	select {
	case <-y.ended:
		return
	case <-time.After(time.Duration(k.Delay) * time.Millisecond):
	}
	y.note("%s", k.What)
	brunt := y.cmd.Process
	switch k.What {
	case killBrunt:
		y.killed = brunt.Kill() == nil
	case killWatchdog:
		y.killWatchdogs(syscall.SIGKILL)
	case killBoth:
		y.killWatchdogs(syscall.SIGKILL)
		y.killed = brunt.Kill() == nil
	case killChild:
		y.killChild()
	case interrupt:
		_ = brunt.Signal(syscall.SIGINT)
	case terminate:
		_ = brunt.Signal(syscall.SIGTERM)
		_ = brunt.Signal(syscall.SIGTERM)
	case pauseBrunt:
		_ = brunt.Signal(syscall.SIGSTOP)
		time.Sleep(time.Second) // simulates a machine that stands still
		_ = brunt.Signal(syscall.SIGCONT)
	case pauseWatchdog:
		y.killWatchdogs(syscall.SIGSTOP)
		time.Sleep(time.Second) // simulates a machine that stands still
		y.killWatchdogs(syscall.SIGCONT)
	case stopBrunt:
		y.stop()
	case killProcess:
		_ = y.procs[0].cmd.Process.Kill()
	default:
		y.killContainer(k.What)
	}
}

func (y *play) killWatchdogs(sig syscall.Signal) {
	for _, pid := range y.watchdogs() {
		_ = syscall.Kill(pid, sig)
		if sig == syscall.SIGKILL {
			y.mu.Lock()
			y.orphaned = true
			y.mu.Unlock()
		}
	}
}

func (y *play) killChild() {
	children := slices.DeleteFunc(childrenOf(y.cmd.Process.Pid),
		func(pid int) bool { return slices.Contains(y.watchdogs(), pid) })
	if len(children) > 0 {
		_ = syscall.Kill(children[rand.New(rand.NewPCG(y.Seed, 2)).IntN(len(children))], syscall.SIGKILL)
	}
}

func (y *play) killContainer(what string) {
	b := y.boxes[0]
	if b == nil {
		return
	}
	var err error
	now := 0 // seconds
	ctx := y.yard.context()
	switch what {
	case killBox:
		_, err = y.yard.api.ContainerKill(ctx, b.id, client.ContainerKillOptions{Signal: "KILL"})
	case restartBox:
		_, err = y.yard.api.ContainerRestart(ctx, b.id, client.ContainerRestartOptions{Timeout: &now})
	case removeBox:
		_, err = y.yard.api.ContainerRemove(ctx, b.id, client.ContainerRemoveOptions{Force: true})
	case killUnit:
		is, err := y.yard.api.ContainerInspect(ctx, b.id, client.ContainerInspectOptions{})
		if err == nil && is.Container.State.Pid > 0 {
			_ = syscall.Kill(is.Container.State.Pid, syscall.SIGKILL)
		}
	}
	if err != nil {
		y.note("%s: %v", what, err) // it was stopped, or paused
	}
}

// stop stops brunt past its watchdog's patience. The watchdog restores the machine before brunt goes on.
func (y *play) stop() {
	brunt := y.cmd.Process
	_ = brunt.Signal(syscall.SIGSTOP)
	select {
	case <-y.ended:
		return
	case <-time.After(overPatience):
	}
	alone := !slices.ContainsFunc(y.Kills, func(k kill) bool { return k.What != stopBrunt }) && len(y.Gaps) == 0
	if alone && len(y.watchdogs()) > 0 {
		var left []string
		if !within(restoreWithin, func() bool { left = y.view().difference(y.before, y.changed()); return len(left) == 0 }) {
			y.problem("brunt stands still, and its watchdog has not restored:\n%s", strings.Join(left, "\n"))
		}
	}
	y.note("goes on")
	_ = brunt.Signal(syscall.SIGCONT)
}

// changed lists the keys of a view that a program may change for good: which life a container or a process lives.
func (y *play) changed() (keys []string) {
	lives := func(what string) {
		if !slices.Contains(keys, what+"life") {
			keys = append(keys, what+"life")
		}
	}
	for _, f := range y.Faults {
		for i := range y.boxes {
			ends := strings.HasPrefix(f.Kind, "container.") && f.Kind != "container.pause" || f.Kind == "process.crash"
			if ends && strings.Contains(f.Settings, fmt.Sprint("BOX", i)) {
				lives(fmt.Sprintf("container %d: ", i))
			}
		}
	}
	for _, k := range y.Kills {
		switch k.What {
		case killBox, restartBox, removeBox, killUnit:
			lives("container 0: ")
		case killProcess:
			lives("process 0: ")
		}
	}
	return keys
}

// revives brings back what the program itself has ended.
func (y *play) revive() {
	for _, k := range y.Kills {
		var err error
		switch k.What {
		case killBox, restartBox, removeBox, killUnit:
			err = y.yard.again(y.boxes[0])
		case killProcess:
			if f := stat(y.procs[0].pid); len(f) == 0 || f[0] == "Z" {
				y.procs[0].end()
				err = y.procs[0].start()
			}
		}
		if err != nil {
			y.note("after %s: %v", k.What, err)
		}
	}
}

// finish checks what must hold once brunt has ended.
func (y *play) finish(exit int) {
	y.runs = journals(y.state())
	untouched := len(y.Kills) == 0 && len(y.Gaps) == 0
	if untouched && (exit == 1 || exit == 7 || exit == -1) {
		y.problem("brunt ends with exit code %d", exit)
	}
	// What the engine did not answer, and what a container that was removed has lost, are left to brunt revert.
	manual := y.orphaned && exit == -1 || len(y.Gaps) > 0
	if manual {
		within(restoreWithin, func() bool { return len(y.marked()) == 0 }) // a watchdog may be at work
		y.revert()
	}
	var left []string
	if !within(restoreWithin, func() bool { left = y.processes(); return len(left) == 0 }) {
		y.problem("left:\n%s", strings.Join(left, "\n"))
	}
	y.revive()
	within(restoreWithin, func() bool {
		left = append(y.view().difference(y.before, y.changed()), y.left(exit)...)
		return len(left) == 0
	})
	if len(left) > 0 {
		y.problem("%s", strings.Join(left, "\n"))
		return
	}
	if out, err := y.brunt("status").CombinedOutput(); err != nil {
		y.problem("brunt status: %v: %s", err, out)
	}
	_ = os.RemoveAll(y.state())
	_ = os.RemoveAll(filepath.Join(y.root, "out"))
}

// revert runs `brunt revert`, as a user does after both were killed.
func (y *play) revert() {
	out, err := y.brunt("revert").CombinedOutput()
	y.note("brunt revert: %v %s", err, out)
	if err != nil {
		y.problem("brunt revert: %v: %s", err, out)
	}
}

// processes lists the processes of brunt's that are left.
func (y *play) processes() (left []string) {
	for _, pid := range y.marked() {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		left = append(left, fmt.Sprintf("process %d %s (%s)", pid, bytes.ReplaceAll(b, []byte{0}, []byte(" ")),
			strings.Join(stat(pid)[:min(1, len(stat(pid)))], "")))
	}
	return left
}

// left lists what a dead brunt has left beside the machine's own state.
func (y *play) left(exit int) (left []string) {
	_ = filepath.WalkDir(y.state(), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil
		}
		dead := exit == -1 // files of a run that had not begun, and its notes: a later start removes them
		if dead && (strings.HasSuffix(path, ".new") || strings.Contains(path, "/notes/") || unguarded(path) || closed(path)) {
			return nil
		}
		b, _ := os.ReadFile(path)
		left = append(left, fmt.Sprintf("%s\n%s", path, b))
		return nil
	})
	if y.yard != nil {
		left = append(left, y.yard.labelled(y.runs)...)
	}
	return left
}

// unguarded reports whether a journal contains only the begin of its run: its watchdog is started next, and nothing
// is done before.
func unguarded(path string) bool {
	b, err := os.ReadFile(path)
	return err == nil && bytes.Count(b, []byte("\n")) == 1 && bytes.Contains(b, []byte(`"op":"begin"`))
}

// closed reports whether all entries of a journal are done: its run was about to remove it, and a later start does.
func closed(path string) bool {
	b, err := os.ReadFile(path)
	open := map[int]bool{}
	for line := range bytes.Lines(b) {
		var r struct {
			Op string
			ID int
		}
		if json.Unmarshal(line, &r) != nil {
			return false
		}
		open[r.ID] = open[r.ID] && r.Op != "done" || r.Op == "intent"
	}
	return err == nil && strings.HasSuffix(path, ".journal") && !slices.Contains(slices.Collect(maps.Values(open)), true)
}

// journals returns the names of the runs that have a journal.
func journals(state string) (runs []string) {
	files, _ := filepath.Glob(state + "/*.journal")
	for _, f := range files {
		runs = append(runs, strings.TrimSuffix(filepath.Base(f), ".journal"))
	}
	return runs
}

// within waits until a condition holds, and reports whether it does.
func within(d time.Duration, holds func() bool) bool {
	pause := 20 * time.Millisecond
	for end := time.Now().Add(d); ; {
		if holds() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
		time.Sleep(pause) // backs off
		pause = min(2*pause, 500*time.Millisecond)
	}
}

// events are those of brunt's log.
type events struct {
	mu    sync.Mutex
	count map[string]int
	lines []string
	wake  chan struct{} // closed with each event
}

func newEvents() *events { return &events{count: map[string]int{}, wake: make(chan struct{})} }

func (e *events) happened(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.count[what]++
	close(e.wake)
	e.wake = make(chan struct{})
}

// read reads brunt's log to its end.
func (e *events) read(r io.Reader) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		e.mu.Lock()
		e.lines = append(e.lines, s.Text())
		e.mu.Unlock()
		var line struct{ Msg string }
		if json.Unmarshal(s.Bytes(), &line) == nil {
			e.happened(line.Msg)
		}
	}
	if err := s.Err(); err != nil && !errors.Is(err, os.ErrClosed) {
		e.happened("error")
	}
}

// await waits for the nth event of a name, and reports whether it came before the end.
func (e *events) await(name string, nth int, ended <-chan struct{}) bool {
	for {
		e.mu.Lock()
		n, wake := e.count[name], e.wake
		e.mu.Unlock()
		if n >= nth {
			return true
		}
		select {
		case <-wake:
		case <-ended:
			return false
		}
	}
}

func (e *events) text() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.lines, "\n") + "\n"
}
