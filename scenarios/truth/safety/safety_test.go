//go:build linux

package safety

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

// TestPrograms_Kept plays the programs that have found a mistake.
func TestPrograms_Kept(t *testing.T) {
	suite.Needs(t, suite.In("safety"))
	y := ground(t)
	files, err := filepath.Glob("testdata/programs/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if file := os.Getenv("BRUNT_PROGRAM"); file != "" {
		files = []string{file}
	}
	var programs []program
	for _, file := range files {
		p := readProgram(t, file)
		switch {
		case p.Known != "":
			t.Logf("%s is not played: %s", file, p.Known)
		case y == nil && strings.Contains(p.String(), "BOX"):
			t.Logf("%s is not played: it needs a Docker engine", file)
		default:
			programs = append(programs, p)
		}
	}
	playAll(t, y, programs)
}

func readProgram(t *testing.T, file string) (p program) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return p
}

// TestPrograms plays the programs of seeds: 1 to 20, or to 8 outside CI, or those that BRUNT_PROGRAMS names.
func TestPrograms(t *testing.T) {
	suite.Needs(t, suite.In("safety"), suite.EveryPart)
	if os.Getenv("BRUNT_PROGRAM") != "" {
		t.Skip("BRUNT_PROGRAM names the one that is played")
	}
	from, to := seeds(t)
	y := ground(t)
	var programs []program
	for seed := from; seed <= to; seed++ {
		programs = append(programs, draw(seed, y != nil))
	}
	playAll(t, y, programs)
}

// seeds returns the first and the last seed.
func seeds(t *testing.T) (from, to uint64) {
	t.Helper()
	text := os.Getenv("BRUNT_PROGRAMS")
	switch {
	case text != "":
	case os.Getenv("CI") == "true":
		text = "20"
	default:
		text = "8"
	}
	first, last, both := strings.Cut(text, "-")
	if !both {
		first, last = "1", first
	}
	from, err := strconv.ParseUint(first, 10, 64)
	if err == nil {
		to, err = strconv.ParseUint(last, 10, 64)
	}
	if err != nil {
		t.Fatalf("BRUNT_PROGRAMS=%s: want a number, or two such as 1-100: %v", text, err)
	}
	return from, to
}

// ground returns the yard, or nil without an engine. It skips the test where it can't run, and fails it there in CI.
func ground(t *testing.T) *yard {
	t.Helper()
	if suite.Race {
		t.Skip("brunt is a process of its own: the race detector has nothing to say of it")
	}
	suite.Needs(t, suite.Root, suite.ControlGroups)
	y, err := newYard(t.Context())
	if err == nil {
		t.Cleanup(y.close)
		return y
	}
	t.Run("containers", func(t *testing.T) { suite.Lack(t, "no faults on containers: %v", err) })
	return nil
}

// workers is how many programs are played at once: they wait most of their time.
func workers(t *testing.T) int {
	t.Helper()
	text := os.Getenv("BRUNT_WORKERS")
	if text == "" {
		return 2 * runtime.NumCPU()
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("BRUNT_WORKERS=%s: %v", text, err)
	}
	return n
}

// playAll plays programs, some at once, and reports those that fail in their least form.
func playAll(t *testing.T, y *yard, programs []program) {
	t.Helper()
	queue := make(chan program)
	var all sync.WaitGroup
	var mu sync.Mutex
	var refused, failed int
	began := time.Now()
	for range min(workers(t), len(programs)) {
		all.Go(func() {
			w := worker{yard: y}
			defer w.close()
			for p := range queue {
				v := w.play(p)
				mu.Lock()
				if v.refused {
					refused++
					t.Logf("seed %d is refused: %s", p.Seed, v.log)
				}
				if len(v.problems) > 0 {
					failed++
				}
				shrinks := failed <= mostShrunk
				mu.Unlock()
				if len(v.problems) > 0 {
					w.report(t, p, v, shrinks)
				}
			}
		})
	}
	for _, p := range programs {
		queue <- p
	}
	close(queue)
	all.Wait()
	took := time.Since(began)
	each := took / time.Duration(max(1, len(programs)))
	t.Logf("%d programs in %s, one each %s; %d refused, %d failed", len(programs), took.Round(time.Second),
		each.Round(time.Millisecond), refused, failed)
	if refused*10 > len(programs)+10 {
		t.Errorf("brunt refuses %d of %d programs: they test nothing", refused, len(programs))
	}
}

// A worker plays one program after the other on a machine of its own.
type worker struct {
	yard    *yard
	machine *machine
}

// play plays a program. After one that failed, the next has a machine of its own.
func (w *worker) play(p program) verdict {
	if w.machine == nil {
		m, err := newMachine(w.yard)
		if err != nil {
			return verdict{problems: []string{fmt.Sprintf("no machine: %v", err)}}
		}
		w.machine = m
	}
	v := w.machine.play(p)
	if len(v.problems) > 0 {
		w.close()
	}
	return v
}

func (w *worker) close() {
	if w.machine != nil {
		w.machine.close()
		w.machine = nil
	}
}

// report reports a program that failed, and what of it still fails.
func (w *worker) report(t *testing.T, p program, v verdict, shrinks bool) {
	t.Helper()
	t.Errorf("seed %d:\n%s\n%s\n%s", p.Seed, strings.Join(v.problems, "\n"), p, v.log)
	if !shrinks {
		return
	}
	least, last, plays := w.shrink(p)
	if len(last.problems) == 0 {
		t.Logf("seed %d: nothing less than that has failed, in %d plays", p.Seed, plays)
		return
	}
	t.Errorf("seed %d, the least that fails, after %d plays:\n%s\n%s\n%s", p.Seed, plays, least,
		strings.Join(last.problems, "\n"), last.log)
}

// context is that of the engine's calls: they end before a test's patience does.
func (y *yard) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	time.AfterFunc(20*time.Second, cancel)
	return ctx
}
