package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTutorial does what the tutorial says, in an empty folder: the files that it shows are written, and its commands
// end with the exit codes that stand behind them, 0 where none does. A run for which the machine was too busy is made
// again, as step 5 says.
func TestTutorial(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute")
	}
	command := built(t, "brunt/cmd/brunt")
	dir := t.TempDir()
	if err := os.Symlink(command, filepath.Join(dir, "brunt")); err != nil {
		t.Skip(err)
	}
	n := 0
	for _, f := range fences.FindAllStringSubmatch(read(t, filepath.Join(top, "examples", "00-tutorial", "README.md")),
		-1) {
		switch f[1] {
		case "yaml":
			if err := os.WriteFile(filepath.Join(dir, "scenario.yaml"), []byte(f[2]), 0o600); err != nil {
				t.Fatal(err)
			}
			if beside := read(t, example("00-tutorial")); !strings.HasSuffix(beside, f[2]) {
				t.Error("the scenario beside the tutorial is not that in it")
			}
		case "sh":
			for line := range strings.Lines(f[2]) {
				n++
				tutorialStep(t, dir, strings.TrimSpace(line))
			}
		}
	}
	if n != 9 {
		t.Errorf("%d commands, want 9", n)
	}
}

// tutorialStep runs a command of the tutorial.
func tutorialStep(t *testing.T, dir, line string) {
	t.Helper()
	words, comment, _ := strings.Cut(line, "#")
	want := 0
	if strings.Contains(comment, "exit code 3") {
		want = 3
	}
	for try := range exampleTries {
		cmd := exec.Command(filepath.Join(dir, "brunt"), strings.Fields(words)[1:]...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "BRUNT_STATE="+filepath.Join(dir, "state"))
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		switch code := cmd.ProcessState.ExitCode(); {
		case code == want:
			return
		case code == 5 && strings.Contains(string(out), "brunt itself") && try < exampleTries-1:
			t.Logf("again: %s", line)
			for _, made := range []string{"first", "second"} {
				if strings.Contains(words, "-o "+made) {
					_ = os.RemoveAll(filepath.Join(dir, made))
				}
			}
		default:
			t.Fatalf("%s: exit code %d, want %d\n%s", line, code, want, out)
		}
	}
}
