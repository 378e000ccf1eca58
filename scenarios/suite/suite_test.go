package suite_test

import (
	"flag"
	"os"
	"testing"
	"time"

	"brunt/scenarios/suite"
	"brunt/targets/platform/procgroup"
)

type tests func() int

func (f tests) Run() int { return f() }

// TestLoading_OneAtATime: tests wait while another process holds the lock, and see testing.Short.
func TestLoading_OneAtATime(t *testing.T) {
	short, run := flag.Lookup("test.short").Value, flag.Lookup("test.run").Value
	was := [2]string{short.String(), run.String()}
	t.Cleanup(func() { short.Set(was[0]); run.Set(was[1]) })
	run.Set("")
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.TempDir())
	t.Setenv(suite.FullVariable, "")
	t.Setenv("CI", "true")
	f, err := os.Create(suite.LockFile(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := procgroup.LockFile(f); err != nil {
		t.Fatal(err)
	}
	began, ended := make(chan bool, 1), make(chan int)
	go func() {
		ended <- suite.Loading(tests(func() int { began <- testing.Short(); return 7 })).Run()
	}()
	select {
	case <-began:
		t.Error("tests ran while others had the lock")
	case <-time.After(50 * time.Millisecond): // longer than tests take that do not wait
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if short := <-began; !short {
		t.Error("tests don't see testing.Short")
	}
	if code := <-ended; code != 7 {
		t.Errorf("exit code %d", code)
	}
}

// TestLoading_Late: tests that never get their turn run before go test would kill them.
func TestLoading_Late(t *testing.T) {
	limit := flag.Lookup("test.timeout").Value
	was := limit.String()
	t.Cleanup(func() { limit.Set(was) })
	limit.Set("20ms")
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.TempDir())
	t.Setenv(suite.FullVariable, "1")
	t.Setenv("CI", "true")
	f, err := os.Create(suite.LockFile(0))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := procgroup.LockFile(f); err != nil {
		t.Fatal(err)
	}
	if code := suite.Loading(tests(func() int { return 7 })).Run(); code != 7 {
		t.Errorf("exit code %d", code)
	}
}

// TestLoading_TwoAtATime: outside of CI, tests run while others have one of the two places.
func TestLoading_TwoAtATime(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("TMP", os.TempDir())
	t.Setenv("CI", "")
	for place := range 2 {
		f, err := os.Create(suite.LockFile(place))
		if err != nil {
			t.Fatal(err)
		}
		if err := procgroup.LockFile(f); err != nil {
			t.Fatal(err)
		}
		if code := suite.Loading(tests(func() int { return 7 })).Run(); code != 7 {
			t.Errorf("exit code %d", code)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
