package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"brunt/targets/platform/procgroup"
)

// A runner runs parts of suites on a machine that .ci/prepare has prepared.
type runner struct {
	module []pkg
	work   string        // a folder that .ci/prepare created and will remove
	limit  time.Duration // of a part
}

func newRunner(m []pkg) *runner {
	limit := 60
	if n, err := strconv.Atoi(os.Getenv("MINUTES")); err == nil {
		limit = n
	}
	return &runner{m, os.Getenv("work"), time.Duration(limit) * time.Minute}
}

// began is the time at which .ci/run or .ci/full began.
var began = sync.OnceValue(func() time.Time {
	if n, err := strconv.ParseInt(os.Getenv("BRUNT_CI_BEGAN"), 10, 64); err == nil {
		return time.Unix(n, 0)
	}
	return time.Now()
})

// step prints a title and the seconds so far.
func step(format string, args ...any) {
	fmt.Printf("\n== %s (%ds)\n", fmt.Sprintf(format, args...), int(time.Since(began()).Seconds()))
}

// full runs suites, each within the limit. Of returns the part of a suite.
func (r *runner) full(ctx context.Context, chosen []suite, of func(suite) part) error {
	for _, s := range chosen {
		if err := r.within(ctx, r.limit, s, of(s)); err != nil {
			return err
		}
	}
	step("nothing is left behind")
	if err := leftBehind(ctx); err != nil {
		return err
	}
	step("done")
	return nil
}

// within runs a part until the time is up.
func (r *runner) within(ctx context.Context, limit time.Duration, s suite, p part) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := r.part(ctx, s, p)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ended{codeLate, fmt.Sprintf("%s %s: the time is up, after %s", s.name, p, limit.Round(time.Second))}
	}
	return err
}

// part runs a part of a suite.
func (r *runner) part(ctx context.Context, s suite, p part) error {
	step("%s: %s, part %d of %d", s.name, s.about(), p.k, p.n)
	switch {
	case s.single && !p.first():
		return nil
	case s.run != nil:
		return s.run(r, ctx, s, p)
	}
	return r.tests(ctx, s, p)
}

// tests runs the tests of a part, package by package, until one fails. The long scripts of drills are left to the
// suite drill-library.
func (r *runner) tests(ctx context.Context, s suite, p part) error {
	for _, x := range s.byPackage(r.module, p) {
		err := r.again(ctx, []string{"BRUNT_FULL=1", "BRUNT_DRILL_SCRIPTS=no"}, []string{x.pkg.path},
			"-count=1", r.timeout(), "-run", names(x.tests))
		if err != nil {
			return err
		}
	}
	return nil
}

// timeout returns the -timeout flag of go test for the limit of a part.
func (r *runner) timeout() string { return fmt.Sprintf("-timeout=%dm", int(r.limit.Minutes())) }

// race runs packages with the race detector. -short leaves out tests that it can't help: brunt in processes of its
// own, computations of one goroutine, pages in a browser. A program that is built with the detector sleeps for a
// second before it ends, so that other threads can report races. GORACE shortens this to 20 ms, because the hundreds
// of programs that the tests start have ended their threads by then.
func (r *runner) race(ctx context.Context, s suite, p part) error {
	return r.raced(ctx, r.everyNth(p))
}

func (r *runner) raced(ctx context.Context, packages []string) error {
	// The packages are compiled first, so that no compiler slows a test.
	if err := raceCompile(ctx, packages); err != nil {
		return err
	}
	return r.again(ctx, raceEnv, packages, "-race", "-short", "-vet=off", "-timeout=20m")
}

var raceEnv = []string{"CGO_ENABLED=1", "GORACE=atexit_sleep_ms=20"}

// raceCompile compiles packages and their tests with the race detector.
func raceCompile(ctx context.Context, packages []string) error {
	return silent(ctx, raceEnv, append([]string{"go", "list", "-race", "-test", "-deps", "-export"}, packages...)...)
}

// everyNth returns the packages of a part.
func (r *runner) everyNth(p part) (packages []string) {
	for i, x := range r.module {
		if p.has(i) {
			packages = append(packages, x.path)
		}
	}
	return packages
}

// fuzz runs the fuzzers of packages, two packages at a time, on some inputs in addition to the seeds, which every
// test run plays. The number of inputs is limited instead of the time, because a fuzzer that time stops may report
// its own deadline as a failure (golang/go#75804). The random seed is fixed, so that a change is refused only for its
// own fault. Each package is linked once for all of its fuzzers, and its output is printed as a whole. Only the
// coverage of brunt's own packages guides the fuzzing; -fuzz would compile all other packages again for theirs.
func (r *runner) fuzz(ctx context.Context, s suite, p part) error {
	return r.fuzzFor(ctx, s, p, inputs()+"x", "GODEBUG=fuzzseed=1")
}

// codecs runs the fuzzers of a part by time, each with the same share of it and with other inputs each time.
func (r *runner) codecs(ctx context.Context, s suite, p part) error {
	share := fuzzShare(r.limit, len(s.part(r.module, p)))
	step("each fuzzer runs for %s", share)
	return r.fuzzFor(ctx, s, p, share.String())
}

// fuzzShare returns how long each of n fuzzers may run, two at a time. Five sixths of the limit are theirs, without the
// time in which one of the two has no more to run.
func fuzzShare(limit time.Duration, n int) time.Duration {
	return max(time.Second, (limit * 5 / 6 * 2 / time.Duration(n+2)).Round(time.Second))
}

// fuzzFor runs the fuzzers of a part, each for a time or for a number of inputs.
func (r *runner) fuzzFor(ctx context.Context, s suite, p part, each string, env ...string) error {
	var mu sync.Mutex
	var failed []string
	var all sync.WaitGroup
	free := make(chan bool, 2)
	for _, x := range s.byPackage(r.module, p) {
		free <- true
		all.Go(func() {
			defer func() { <-free }()
			var out bytes.Buffer
			err := r.fuzzPackage(ctx, x, &out, each, env)
			mu.Lock()
			defer mu.Unlock()
			_, _ = os.Stdout.Write(out.Bytes())
			if err != nil {
				failed = append(failed, fmt.Sprintf("%s: %v", x.pkg.path, err))
			}
		})
	}
	all.Wait()
	if len(failed) > 0 {
		return errors.New(strings.Join(failed, "\n"))
	}
	return nil
}

// inputs returns how many inputs each fuzzer gets.
func inputs() string { return cmp.Or(os.Getenv("INPUTS"), "500") }

func (r *runner) fuzzPackage(ctx context.Context, x packageTests, out *bytes.Buffer, each string, env []string) error {
	dir, err := os.MkdirTemp(r.work, "fuzz")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "fuzz.test")
	build := exec.Command("go", "test", "-c", "-vet=off", "-gcflags=brunt/...=-d=libfuzzer", "-o", program, x.pkg.path)
	build.Stdout, build.Stderr = out, out
	if err := wait(ctx, build); err != nil {
		return err
	}
	for _, t := range x.tests {
		// By default, Go spends up to a minute on each input of interest to make it shorter, with a call that waits for
		// its deadline each time.
		c := exec.Command(program, "-test.parallel", "1", "-test.run", "^$", "-test.fuzz", "^"+t.name+"$",
			"-test.fuzztime", each, "-test.fuzzminimizetime", "10x", "-test.fuzzcachedir", filepath.Join(dir, "cache"))
		from := out.Len()
		c.Dir, c.Env, c.Stdout, c.Stderr = x.pkg.dir, append(os.Environ(), env...), out, out
		err := wait(ctx, c)
		said := string(out.Bytes()[from:])
		if c.ProcessState != nil {
			fmt.Fprintf(out, "%s %s: %s inputs, %d MiB at most\n", x.pkg.path, t.name, fuzzed(said),
				procgroup.Peak(c.ProcessState)>>20)
		}
		if err != nil && !(context.Cause(ctx) == nil && timedOut(said)) {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

var execs = regexp.MustCompile(`execs: ([0-9]+)`)

// fuzzed returns how many inputs a fuzzer had, by what it said.
func fuzzed(said string) string {
	found := execs.FindAllStringSubmatch(said, -1)
	if len(found) == 0 {
		return "0"
	}
	return found[len(found)-1][1]
}

// timedOut reports whether a fuzzer that was stopped by its time reports its own deadline as a failure, without an
// input that fails (golang/go#75804).
func timedOut(said string) bool {
	return strings.Contains(said, "context deadline exceeded") && !strings.Contains(said, "Failing input written to") &&
		!strings.Contains(said, "panic:")
}

// safety plays the part's share of the seeds. The stored programs are played only in part 1. 2000 programs took 1.4
// to 2.8 hours with two workers, so a quarter, as `--part 1/4`, fits into an hour.
func (r *runner) safety(ctx context.Context, s suite, p part) error {
	from, to := share(p, programs())
	for _, x := range s.byPackage(r.module, p) {
		err := loud(ctx, []string{"BRUNT_FULL=1", fmt.Sprintf("BRUNT_PROGRAMS=%d-%d", from, to)},
			"go", "test", "-count=1", r.timeout(), "-v", "-run", names(x.tests), x.pkg.path)
		if err != nil {
			return err
		}
	}
	return nil
}

// library proves each drill on every system of its proof. Part 1 also proves it 20 times in virtual time, which takes
// ten minutes, and the last part also runs the commands that a user types.
func (r *runner) library(ctx context.Context, s suite, p part) error {
	full := []string{"BRUNT_FULL=1"}
	for _, x := range s.byPackage(r.module, p) {
		if err := loud(ctx, full, "go", "test", "-count=1", r.timeout(), "-run", names(x.tests), x.pkg.path); err != nil {
			return err
		}
	}
	if p.last() {
		err := loud(ctx, full, "go", "test", "-count=1", r.timeout(), "-run", "^TestScripts$/^drill", "./cmd/brunt")
		if err != nil {
			return err
		}
	}
	program := filepath.Join(r.work, "brunt")
	if err := loud(ctx, nil, "go", "build", "-o", program, "./cmd/brunt"); err != nil {
		return err
	}
	listed, err := exec.CommandContext(ctx, program, "drill", "list", "--names").Output()
	if err != nil {
		return fmt.Errorf("brunt drill list: %w", err)
	}
	args := []string{"drill", "prove"}
	for i, name := range strings.Fields(string(listed)) {
		if p.has(i) {
			args = append(args, name)
		}
	}
	c := exec.Command(program, append(args, "--times", times())...)
	c.Dir, c.Stdout, c.Stderr = r.work, os.Stdout, os.Stderr
	return wait(ctx, c)
}

// rounds runs the examples of a part repeatedly, for a table of their verdicts. On the quiet machine each is alone.
// Beside spinning processes three run at once: most take 0.2 to 0.3 of a core, and the machine of CI has two.
func (r *runner) rounds(ctx context.Context, s suite, p part) error {
	var failed []error
	for _, machine := range []struct {
		atOnce string
		env    []string
	}{
		{"1", []string{"BRUNT_EXAMPLES=10"}},
		{"3", []string{"BRUNT_EXAMPLES=5", "BRUNT_SPINNING=2"}},
	} {
		env := append(machine.env, "BRUNT_FULL=1", "BRUNT_PART="+p.String())
		err := loud(ctx, env, "go", "test", "-count=1", r.timeout(), "-parallel="+machine.atOnce, "-v", "-run",
			"^TestExample$", "./cmd/brunt")
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

func (r *runner) k6(ctx context.Context, s suite, p part) error {
	commands := [][]string{
		{"go", "vet", "-C", "cmd/brunt-k6", "./..."},
		{"go", "test", "-C", "cmd/brunt-k6", "./..."},
		{"go", "test", "./scenarios/k6"},
	}
	return inOrder(ctx, nil, commands...)
}

func (r *runner) vm(ctx context.Context, s suite, p part) error {
	dir := filepath.Join(r.work, "vm")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return inOrder(ctx, nil, []string{".ci/vm", "fetch", dir}, []string{".ci/vm", "run", dir})
}

func (r *runner) kube(ctx context.Context, s suite, p part) error {
	return loud(ctx, nil, ".ci/kube", "test", "-v")
}

func (r *runner) figures(ctx context.Context, s suite, p part) error {
	return loud(ctx, nil, ".ci/kube", "figures")
}

// release builds the release a second time in a clone, with a Go installation that has compiled nothing yet.
func (r *runner) release(ctx context.Context, s suite, p part) error {
	made, clone, again, published := filepath.Join(r.work, "release"), filepath.Join(r.work, "clone"),
		filepath.Join(r.work, "again"), filepath.Join(r.work, "published")
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	return inOrder(ctx, nil,
		[]string{".ci/release", made}, []string{"git", "clone", "-q", ".", clone},
		[]string{"env", "GOCACHE=" + filepath.Join(r.work, "gocache"), filepath.Join(clone, ".ci/release"), again},
		[]string{".ci/release", "--module", "example.org/team/brunt", published},
		[]string{
			"go", "test", "-C", ".ci/pack", "-count=1", r.timeout(), "-v", "-run", "TestRelease", ".", "-made", made,
			"-again", again, "-published", filepath.Join(published, "proxy"),
			"-scenario", filepath.Join(here, "examples/01-quickstart"),
		})
}

func (r *runner) bench(ctx context.Context, s suite, p part) error {
	return loud(ctx, nil, ".ci/bench")
}

// mutate plays mutants, others for each commit.
func (r *runner) mutate(ctx context.Context, s suite, p part) error {
	return loud(ctx, nil, ".ci/mutate", "--part", p.String(), "--seed", strconv.Itoa(turnOf(ctx)))
}

// simulation plays the cells of the simulations whose turn it is, with few trials.
func (r *runner) simulation(ctx context.Context, s suite, p part) error {
	for _, x := range s.byPackage(r.module, p) {
		if err := r.again(ctx, nil, []string{x.pkg.path}, "-vet=off", "-timeout=20m", "-run", names(x.tests)); err != nil {
			return err
		}
	}
	return nil
}

// inOrder runs commands one after the other until one fails.
func inOrder(ctx context.Context, env []string, commands ...[]string) error {
	for _, c := range commands {
		if err := loud(ctx, env, c...); err != nil {
			return err
		}
	}
	return nil
}

// loud runs a command with more environment variables. Its output goes to the output of ci.
func loud(ctx context.Context, env []string, argv ...string) error {
	c := exec.Command(argv[0], argv[1:]...)
	c.Env, c.Stdout, c.Stderr = append(os.Environ(), env...), os.Stdout, os.Stderr
	return wait(ctx, c)
}

// silent is loud without the command's stdout.
func silent(ctx context.Context, env []string, argv ...string) error {
	c := exec.Command(argv[0], argv[1:]...)
	c.Env, c.Stderr = append(os.Environ(), env...), os.Stderr
	return wait(ctx, c)
}

// grace is how long a command may take to end after it was asked to.
var grace = time.Minute

// wait runs a command in a process group of its own. When ctx ends, it asks the group to end, and kills it a minute
// later. The error has the exit code of the command.
func wait(ctx context.Context, c *exec.Cmd) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	done := make(chan error, 1)
	if err := procgroup.Start(c, func() { done <- c.Wait() }); err != nil {
		return err
	}
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		procgroup.Terminate(c.Process.Pid)
		select {
		case <-done:
		case <-time.After(grace):
			procgroup.Kill(c.Process.Pid)
			<-done
		}
		return context.Cause(ctx)
	}
	if e := (*exec.ExitError)(nil); errors.As(err, &e) {
		return ended{max(e.ExitCode(), codeFailed), fmt.Sprintf("%s: %v", filepath.Base(c.Path), err)}
	}
	return err
}
