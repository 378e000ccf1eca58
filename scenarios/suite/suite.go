// Package suite runs the tests of packages that put load on this machine.
//
// Such a test measures time, and many of these packages at once would disturb each other. So each waits for its turn
// before it begins. The time of -timeout begins after the wait. But go test kills a process that is a minute older
// than -timeout. So a package waits for at most seven tenths of -timeout, and then runs beside others. Tests that
// take minutes (the matrices that kill brunt, the examples, long loads) run only with BRUNT_FULL=1 or -run; otherwise
// the tests of the package see testing.Short.
//
// In all packages, BRUNT_FULL=1 enables everything that takes more than 10 s: [Long] tests, all cells of a matrix
// ([OneIn]) and all [Trials] of a simulation. .ci/full sets it, except for the suites race, fuzz, k6, vm and kube.
// .ci/run sets BRUNT_TURN to a number, so that each commit runs other tests and cells. A measurement that needs an
// idle machine has a variable of its own.
//
// A test declares its needs by [Needs]: root, Docker, a program, minutes, a suite to run in. If this machine lacks
// something, the test is skipped with the remedy, and fails in CI. scenarios/suite/ci chooses tests by these
// declarations. [Program] and [Lack] are for needs that a test finds out later.
//
//	func TestMain(m *testing.M) { os.Exit(suite.Loading(m).Run()) }
//
// [Until] waits in a test for a condition; no test waits by a sleep.
package suite

import (
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"brunt/targets/platform/procgroup"
)

// fullVariable is the environment variable that enables the suites which take minutes.
const fullVariable = "BRUNT_FULL"

// Tests are the tests of a package: a *testing.M.
type Tests interface{ Run() int }

// Loading wraps the tests of a package so that they wait for their turn.
func Loading(m Tests) Tests { return loading{m} }

type loading struct{ tests Tests }

// Run waits until it is this package's turn, and runs the tests.
func (l loading) Run() int {
	if !flag.Parsed() {
		flag.Parse()
	}
	if !Full() && flag.Lookup("test.run").Value.String() == "" {
		if err := flag.Set("test.short", "true"); err != nil {
			panic(err) // every test binary has this flag
		}
	}
	if flag.Lookup("test.list").Value.String() != "" {
		return l.tests.Run()
	}
	// Tests that play a run spend most of their time waiting.
	beside := 4
	if Race {
		beside = 2
	}
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		if err := flag.Set("test.parallel", strconv.Itoa(beside*runtime.GOMAXPROCS(0))); err != nil {
			panic(err) // every test binary has this flag
		}
	}
	turn, err := takeTurn()
	if err != nil {
		fmt.Fprintf(os.Stderr, "tests run beside others: %v\n", err)
		return l.tests.Run()
	}
	var late <-chan time.Time
	if limit, ok := flag.Lookup("test.timeout").Value.(flag.Getter).Get().(time.Duration); ok && limit > 0 {
		late = time.After(limit * 7 / 10)
	}
	select {
	case end := <-turn:
		defer end()
	case <-late:
		go func() { (<-turn)() }() // gives back a turn that comes later
		fmt.Fprintln(os.Stderr, "tests run beside others: their turn did not come in time")
	}
	return l.tests.Run()
}

// takeTurn waits until fewer than the allowed number of these packages run. The channel delivers the function that
// ends the turn.
func takeTurn() (turn <-chan func(), err error) {
	got := make(chan func())
	var files []*os.File
	for i := range places() {
		f, err := os.OpenFile(lockFile(i), os.O_CREATE|os.O_RDWR, 0o666)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	first := make(chan *os.File, len(files))
	for _, f := range files {
		go func() {
			if err := procgroup.LockFile(f); err != nil {
				fmt.Fprintf(os.Stderr, "tests run beside others: %v\n", err)
			}
			first <- f
		}()
	}
	go func() {
		f := <-first
		go func() { // gives up the other places
			for range len(files) - 1 {
				_ = (<-first).Close()
			}
		}()
		got <- func() { _ = f.Close() }
	}()
	return got, nil
}

// places returns how many of these packages run at once: one in CI, and two elsewhere. go test starts two at once on
// two processors, and a waiting package would keep others from running.
func places() int {
	if os.Getenv("CI") == "true" {
		return 1
	}
	return 2
}

// Full reports whether the tests that take minutes run.
func Full() bool { return os.Getenv(fullVariable) == "1" }

// lockFile returns the lock file of a place. Each checkout of the module and each user has its own, because tests in
// other checkouts need not wait, and a user can't open the file of another user.
func lockFile(place int) string {
	root, err := os.Getwd()
	for dir := root; err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			root = dir
			break
		}
	}
	sum := fnv.New64a()
	sum.Write([]byte(root))
	return filepath.Join(os.TempDir(), fmt.Sprintf("brunt-tests-%x-%d-%d.lock", sum.Sum64(), os.Getuid(), place))
}
