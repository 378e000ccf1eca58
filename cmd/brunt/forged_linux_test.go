package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/chaos/proc"
	"brunt/scenarios"
	"brunt/scenarios/suite"

	"github.com/spf13/cobra"
)

// stranger is a user without rights.
const stranger = 65534

const forgedRun = "20260101-000000-forgedjr"

// forgedJournal is the journal of a dead run whose undo makes a file.
func forgedJournal(marker string) []byte {
	host, _ := os.Hostname()
	word := func(s string) []map[string]string { return []map[string]string{{"text": s}} }
	args, _ := json.Marshal(map[string]any{
		"shows": "harmless", "args": []any{word("/usr/bin/touch"), word(marker)}, "dir": "/", "timeout": 5 * time.Second,
	})
	dead := map[string]any{"pid": 1 << 22, "start": 1, "boot": proc.BootID()}
	var out bytes.Buffer
	for _, line := range []map[string]any{
		{"v": 2, "t": time.Now(), "op": "begin", "n": 1, "run": forgedRun, "process": dead, "host": host},
		{
			"v": 2, "t": time.Now(), "op": "intent", "n": 2, "id": 1, "fault": "f", "what": "nothing of note",
			"undo": []any{map[string]any{"op": "exec", "args": json.RawMessage(args)}},
		},
	} {
		b, _ := json.Marshal(line)
		out.Write(append(b, '\n'))
	}
	return out.Bytes()
}

// A forgery puts a journal into a state folder below dir, and returns the folder.
type forgery struct {
	name string
	put  func(t *testing.T, dir string, text []byte) (state string)
	why  string // what status says of it; empty: it is proven
}

func forgeries() []forgery {
	return []forgery{
		{"of this user", func(t *testing.T, dir string, text []byte) string {
			return stateWith(t, dir, text, 0o600, 0, 0o700, 0)
		}, ""},
		{"in a folder of this user's group", func(t *testing.T, dir string, text []byte) string {
			return stateWith(t, dir, text, 0o660, 0, 0o770, 0)
		}, ""},
		{"file of another", func(t *testing.T, dir string, text []byte) string {
			return stateWith(t, dir, text, 0o600, stranger, 0o700, 0)
		}, "belongs to nobody, and this brunt runs as root"},
		{"file that others can write", func(t *testing.T, dir string, text []byte) string {
			return stateWith(t, dir, text, 0o602, 0, 0o700, 0)
		}, "can be written by others"},
		{"folder of another", func(t *testing.T, dir string, text []byte) string {
			return stateWith(t, dir, text, 0o600, stranger, 0o700, stranger)
		}, "belongs to nobody"},
		{"file of this user in a folder of another", func(t *testing.T, dir string, text []byte) string {
			return stateWith(t, dir, text, 0o600, 0, 0o700, stranger)
		}, "belongs to nobody"},
		{"folder that others can write", func(t *testing.T, dir string, text []byte) string {
			return stateWith(t, dir, text, 0o600, 0, 0o777, 0)
		}, "can be written by others"},
		{"folder with the sticky bit", func(t *testing.T, dir string, text []byte) string {
			return stateWith(t, dir, text, 0o600, 0, 0o777|os.ModeSticky, 0)
		}, "can be written by others"},
		{"below a folder of another", func(t *testing.T, dir string, text []byte) string {
			state := stateWith(t, dir, text, 0o600, 0, 0o700, 0)
			own(t, dir, 0o755, stranger)
			return state
		}, "belongs to nobody"},
		{"below a folder that all can write", func(t *testing.T, dir string, text []byte) string {
			state := stateWith(t, dir, text, 0o600, 0, 0o700, 0)
			own(t, dir, 0o777, 0)
			return state
		}, "can be written by others"},
		{"by a link of another", func(t *testing.T, dir string, text []byte) string {
			state := stateWith(t, dir, text, 0o600, 0, 0o700, 0)
			link := filepath.Join(dir, "link")
			if err := errors.Join(os.Symlink(state, link), os.Lchown(link, stranger, stranger)); err != nil {
				t.Fatal(err)
			}
			return link
		}, "belongs to nobody"},
		{"by a link of this user", func(t *testing.T, dir string, text []byte) string {
			state := stateWith(t, dir, text, 0o600, 0, 0o700, 0)
			link := filepath.Join(dir, "link")
			if err := os.Symlink("."+strings.TrimPrefix(state, dir), link); err != nil {
				t.Fatal(err)
			}
			return link
		}, ""},
	}
}

// stateWith makes a state folder with the journal.
func stateWith(
	t *testing.T, dir string, text []byte, file os.FileMode, fileOf int, folder os.FileMode, folderOf int,
) string {
	t.Helper()
	state := filepath.Join(dir, "state")
	journal := filepath.Join(state, forgedRun+".journal")
	if err := errors.Join(os.Mkdir(state, 0o700), os.WriteFile(journal, text, 0o600)); err != nil {
		t.Fatal(err)
	}
	own(t, journal, file, fileOf)
	own(t, state, folder, folderOf)
	return state
}

func own(t *testing.T, path string, mode os.FileMode, uid int) {
	t.Helper()
	if err := errors.Join(os.Chown(path, uid, uid), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
}

// printed runs a command, and returns what it prints and its code.
func printed(t *testing.T, c *cobra.Command, args ...string) (string, int) {
	t.Helper()
	var out bytes.Buffer
	c.SetOut(&out)
	c.SetErr(&out)
	c.SetArgs(args)
	err := c.ExecuteContext(t.Context())
	code, ok := errors.AsType[exit](err)
	if err != nil && !ok {
		t.Fatalf("%s: %v", out.String(), err)
	}
	return out.String(), int(code)
}

// TestForged_Replay forges the journal of a dead run in every way that a user without rights has. Root's brunt names it
// and what it would do, and never does that.
func TestForged_Replay(t *testing.T) {
	suite.Needs(t, suite.Root)
	for _, f := range forgeries() {
		ways := []string{"revert", "run"}
		if strings.Contains(f.name, "of another") || f.why == "" { // a search takes a second
			ways = append(ways, "discover")
		}
		for _, by := range ways {
			t.Run(f.name+"/"+by, func(t *testing.T) {
				dir := t.TempDir()
				marker := filepath.Join(t.TempDir(), "made")
				t.Setenv("BRUNT_STATE", f.put(t, dir, forgedJournal(marker)))
				status, code := printed(t, statusCommand())
				if code != scenarios.ExitNotReverted || !strings.Contains(status, forgedRun) {
					t.Errorf("status ended with %d: %s", code, status)
				}
				if (f.why != "") != strings.Contains(status, "not proven to be this user's") ||
					!strings.Contains(status, f.why) || f.why != "" && !strings.Contains(status, "would do: exec") {
					t.Errorf("status does not say %q: %s", f.why, status)
				}
				var out string
				switch by {
				case "revert":
					out, code = printed(t, revertCommand(), forgedRun)
				case "discover":
					out, code = printed(t, revertCommand(), "--discover", "--yes", "--all", forgedRun)
				case "run":
					c := &cobra.Command{Use: "run", RunE: func(c *cobra.Command, _ []string) error { return recoverOthers(c) }}
					out, code = printed(t, c)
				}
				_, err := os.Stat(marker)
				if replayed := err == nil; replayed != (f.why == "") {
					t.Errorf("replayed: %t: %s", replayed, out)
				}
				if want := f.why != "" && by == "revert"; want != (code == scenarios.ExitNotReverted) {
					t.Errorf("it ended with %d: %s", code, out)
				}
				if f.why != "" && !strings.Contains(out, forgedRun) {
					t.Errorf("it does not name the journal: %s", out)
				}
				if f.why != "" && by == "discover" && !strings.Contains(out, "not proven to be brunt's") {
					t.Errorf("it does not say that nothing proves it: %s", out)
				}
			})
		}
	}
}

// TestForged_Process has a process of a user without rights name its state folder by its environment. The folder has a
// pipe with the name of a journal too, which must not be waited for.
func TestForged_Process(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Programs("sleep"))
	dir, marker := t.TempDir(), filepath.Join(t.TempDir(), "made")
	state := stateWith(t, dir, forgedJournal(marker), 0o600, stranger, 0o755, stranger)
	const pipes = "20260101-000000-pipepipe"
	if err := syscall.Mkfifo(filepath.Join(state, pipes+".journal"), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BRUNT_STATE", filepath.Join(dir, "own"))
	for _, run := range []string{forgedRun, pipes} {
		c := exec.Command("sleep", "100")
		c.Env = []string{"BRUNT_RUN=" + run, "BRUNT_UNIT=web[0]", "BRUNT_STATE=" + state}
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger}}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = c.Process.Kill(), c.Wait() })
		suite.Until(t, "the process has its environment", func() bool {
			b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", c.Process.Pid))
			return err == nil && bytes.Contains(b, []byte(run))
		})
		out, code := printed(t, revertCommand(), "--discover", "--yes", run)
		if code != 0 || !strings.Contains(out, "nothing has the mark of a dead run") ||
			!strings.Contains(out, fmt.Sprintf("process %d (sleep), web[0], runs", c.Process.Pid)) ||
			!strings.Contains(out, "is of nobody, who can give any process that mark") {
			t.Errorf("it ended with %d: %s", code, out)
		}
		if _, err := os.Stat(marker); err == nil {
			t.Fatalf("the journal was replayed: %s", out)
		}
		if proc.ProcessOf(c.Process.Pid).Name != "sleep" {
			t.Errorf("a process of another was ended without being asked for: %s", out)
		}
	}
}

// TestForged_Pipe: a pipe with the name of a journal in the folder of another does not stop a run, and one in the own
// folder is named.
func TestForged_Pipe(t *testing.T) {
	suite.Needs(t, suite.Root)
	for _, uid := range []int{0, stranger} {
		state := filepath.Join(t.TempDir(), "state")
		if err := os.Mkdir(state, 0o700); err != nil {
			t.Fatal(err)
		}
		pipe := filepath.Join(state, forgedRun+".journal")
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		own(t, state, 0o700, uid)
		t.Setenv("BRUNT_STATE", state)
		out, code := printed(t, revertCommand())
		if code != scenarios.ExitNotReverted || !strings.Contains(out, pipe+" is not a journal") {
			t.Errorf("of %d: revert ended with %d: %s", uid, code, out)
		}
		c := &cobra.Command{Use: "run", RunE: func(c *cobra.Command, _ []string) error { return recoverOthers(c) }}
		if out, code := printed(t, c); (code == 0) != (uid == stranger) || !strings.Contains(out, pipe) {
			t.Errorf("of %d: a run ended with %d: %s", uid, code, out)
		}
	}
}
