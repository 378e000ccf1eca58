package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/cgroup"
	"brunt/chaos/chaostest"
	"brunt/chaos/proc"
	"brunt/chaos/vdso"
	"brunt/scenarios/suite"
	"brunt/targets/platform/procgroup"

	"golang.org/x/sys/unix"
)

// leaderless starts a unit of two processes: the main one sleeps, and a daemon that left its tree serves, as a database
// does that an agent has started. It returns the unit and the pid of the daemon.
func leaderless(t *testing.T) (u *unit, daemon int) {
	t.Helper()
	marks := []string{"BRUNT_RUN=" + strings.ReplaceAll(t.Name(), "/", "-"), "BRUNT_UNIT=web[0]"}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u = &unit{name: "web", addr: l.Addr().String()}
	_ = l.Close()
	u.wrap = slices.Concat([]string{"env"}, marks, []string{"sh", "-c", `("$@" &); exec sleep 1000`, "sh"})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if _, err := procgroup.KillMarked(ctx, nil, marks...); err != nil {
			t.Error(err)
		}
	})
	u.begin(t)
	var pids []int
	suite.Until(t, "the unit to have two processes, of which the second has left its tree", func() bool {
		pids, _ = procgroup.FindMarked(marks...)
		pids = proc.Without(pids, proc.Family(u.PID()))
		return len(pids) == 1
	})
	return u, pids[0]
}

// TestProcesses_Ending kills a process that the kernel can't end, as it is frozen: it runs no more, which is proved
// in the second that the fault stays. With SIGTERM alone it is to run on.
func TestProcesses_Ending(t *testing.T) {
	suite.Needs(t, suite.Root)
	dir := filepath.Join("/sys/fs/cgroup/freezer", "brunt-"+strings.ToLower(t.Name())+"-"+fmt.Sprint(os.Getpid()))
	state := func(to string) error { return os.WriteFile(filepath.Join(dir, "freezer.state"), []byte(to), 0) }
	for _, c := range []struct{ yaml, want, fails string }{
		{"process.stop: {pid: PID, irreversible: true, grace: 0s}", "after SIGKILL, and nothing answers", ""},
		{"process.crash: {pid: PID, irreversible: true}", "after SIGKILL", ""},
		{"process.crash: {pid: PID, irreversible: true, signal: TERM}", "", "survived SIGTERM"},
	} {
		t.Run(c.yaml, func(t *testing.T) {
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Skipf("version 1 of control groups freezes so that SIGKILL waits: %v", err)
			}
			// It catches SIGTERM: the kernel may turn one that is not caught into SIGKILL.
			cmd := exec.Command("sh", "-c", "trap : TERM; echo caught; read line")
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				_ = in.Close()
				_ = state("THAWED")
				_ = cmd.Process.Kill()
				_ = cmd.Wait() // killed
				if !suite.Within(10*time.Second, func() bool { return os.Remove(dir) == nil }) {
					t.Errorf("%s is left", dir)
				}
			})
			if _, err := io.ReadFull(out, make([]byte, len("caught"))); err != nil {
				t.Fatal(err)
			}
			pid := fmt.Sprint(cmd.Process.Pid)
			if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(pid), 0); err != nil {
				t.Fatal(err)
			}
			if err := state("FROZEN"); err != nil {
				t.Fatal(err)
			}
			w := chaostest.World{Env: chaos.Env{Occurrence: chaos.Occurrence{Now: clock()}}}
			held, err := chaostest.Plan(t, strings.ReplaceAll(c.yaml, "PID", pid), w)[0].Inject(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			seen, err := held.Verify(ctx)
			switch ending := "pid " + pid + " ending in the kernel"; {
			case c.fails != "":
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("%q, %v", seen, err)
				}
			case err != nil || !strings.Contains(seen, ending) || !strings.Contains(seen, c.want):
				t.Errorf("%q, %v", seen, err)
			}
		})
	}
}

// TestProcesses checks which processes of a unit each choice hits, that the evidence names all of them, and that what
// is not hit goes on.
func TestProcesses(t *testing.T) {
	stopped := func(_ *testing.T, pid int) bool { return proc.AllStopped(pid) }
	ended := func(_ *testing.T, pid int) bool { id, err := proc.Identify(pid); return err != nil || id.Ended() }
	skewed := func(t *testing.T, pid int) bool {
		given, err := vdso.Image(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		patch, err := vdso.Of(given, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		state, err := vdso.StateOf(pid, patch)
		return err == nil && state == vdso.Patched
	}
	for _, c := range []struct {
		yaml   string
		hit    func(t *testing.T, pid int) bool
		both   bool
		effect string
	}{
		{"process.freeze: {service: web}", stopped, true, "has no answer"},
		{"process.freeze: {service: web, processes: main}", stopped, false, "its readiness check holds"},
		{"process.freeze: {service: web, processes: tree}", stopped, true, "has no answer"},
		{"process.crash: {service: web, processes: main}", ended, false, ""},
		{"process.crash: {service: web, processes: tree}", ended, true, "its readiness check fails"},
		{"process.crash: {service: web}", ended, true, "its readiness check fails"},
		{"time.skew: {service: web, offset: 1h}", skewed, true, ""},
		{"time.skew: {service: web, offset: 1h, processes: tree}", skewed, true, ""},
		{"time.skew: {service: web, offset: 1h, processes: main}", skewed, false, ""},
	} {
		t.Run(c.yaml, func(t *testing.T) {
			t.Parallel()
			if strings.HasPrefix(c.yaml, "time") {
				needsRoot(t)
			}
			u, daemon := leaderless(t)
			pid := u.PID()
			u.mu.Lock()
			u.wanted = !strings.HasPrefix(c.yaml, "process.crash") // it is not started again
			u.mu.Unlock()
			w := processWorld(u)
			w.Env.Host = chaos.Host{Stress: []string{os.Args[0], "burn"}}
			steps := chaostest.Plan(t, c.yaml, w)
			held, err := steps[0].Inject(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			seen, err := held.Verify(t.Context())
			if err != nil {
				t.Fatalf("%q, %v", seen, err)
			}
			if !c.hit(t, pid) || c.hit(t, daemon) != c.both {
				t.Errorf("hit: main %v, daemon %v", c.hit(t, pid), c.hit(t, daemon))
			}
			share := map[bool]string{true: "2 of 2 processes: ", false: "1 of 2 processes: "}[c.both]
			if !strings.Contains(seen, share) || !strings.Contains(seen, c.effect) {
				t.Errorf("it says %q, without %q or %q", seen, share, c.effect)
			}
			for _, p := range []int{pid, daemon} {
				if !strings.Contains(seen, fmt.Sprint(p)) {
					t.Errorf("it does not name %d: %s", p, seen)
				}
			}
			if not := fmt.Sprintf("not: pid %d", daemon); strings.Contains(seen, not) == c.both {
				t.Errorf("it says %q", seen)
			}
			if _, err := held.Revert(t.Context()); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(c.yaml, "process.crash") {
				return
			}
			if _, err := held.Gone(t.Context()); err != nil {
				t.Error(err)
			}
			suite.Until(t, "both to be as before", func() bool { return !c.hit(t, pid) && !c.hit(t, daemon) })
		})
	}
}

// TestTimeSkew_Part shifts the clock of a unit that then starts another process, which has the machine's clock: the
// proof is partial, counts the processes and names the one that is not hit, and so does the question before the revert.
func TestTimeSkew_Part(t *testing.T) {
	needsRoot(t)
	t.Parallel()
	start := filepath.Join(t.TempDir(), "start")
	if err := unix.Mkfifo(start, 0o600); err != nil {
		t.Fatal(err)
	}
	v := newVictim(t, false, "sh", "-c", `(read go < "$0"; sleep 1000; :) & exec "$@"`, start)
	t.Cleanup(func() {
		for _, pid := range proc.Family(v.PID())[1:] {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
	})
	held := hold(t, "time.skew: {service: web, offset: 1h}", v.world(nil))
	if lacks := held.Traits().Lacks(t.Context()); lacks != "" {
		t.Errorf("before it starts the other process, it says %q", lacks)
	}
	if err := os.WriteFile(start, []byte("go\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "the unit to start another program", func() bool {
		return slices.ContainsFunc(proc.Family(v.PID()), func(pid int) bool {
			b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			return string(b) == "sleep\x001000\x00"
		})
	})
	seen, not := partOf(t, held)
	if !strings.Contains(seen, "2 of 3 processes: ") || !strings.Contains(seen, "not: ") ||
		!strings.Contains(not, "(sleep)") {
		t.Errorf("it says %q, and not %q", seen, not)
	}
	if lacks := held.Traits().Lacks(t.Context()); lacks != not {
		t.Errorf("before the revert it says %q, and not %q", lacks, not)
	}
	t.Log(seen, "/", not)
}

// partOf returns what a proof has shown, and what it has not.
func partOf(t *testing.T, h chaos.Held) (seen, not string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	seen, err := h.Verify(ctx)
	part, isPart := errors.AsType[chaos.NotShownError](err)
	if err != nil && !isPart {
		t.Fatal(err)
	}
	return seen, part.What
}

// TestThrottle_Proof checks that the proof of a throttle is what the unit suffers, that the quota of an idle unit is
// left to it, and that a unit which wants more only later is seen then.
func TestThrottle_Proof(t *testing.T) {
	for _, c := range []struct {
		name      string
		wrap      []string
		seen, not string
		later     bool
	}{
		{"busy", []string{"sh", "-c", `while :; do :; done & exec "$@"`, "sh"}, "2 of 2 processes", "", false},
		{"idle", nil, "made to wait in 0 of", "never wanted more", false},
		{"busy later", nil, "made to wait in 0 of", "never wanted more", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := newVictim(t, c.wrap == nil, c.wrap...) // a unit of two processes shares the test's group
			t.Cleanup(func() {
				for _, pid := range proc.Family(v.PID())[1:] {
					_ = unix.Kill(pid, unix.SIGKILL)
				}
			})
			held := hold(t, "cpu.throttle: {service: web, share: 5%}", v.world(nil))
			used := proc.RanOf(v.PID())
			seen, not := partOf(t, held)
			t.Log(seen, "/", not)
			if !strings.Contains(seen, c.seen) || !strings.Contains(not, c.not) || (not == "") != (c.not == "") {
				t.Errorf("it says %q, and not %q", seen, not)
			}
			group := v.now(cgroup.CPU)
			noStressor(t, group)
			if c.name == "idle" {
				if throttled, err := group.Count("cpu.stat", "nr_throttled"); err != nil || throttled > 2 {
					t.Errorf("the idle unit, which has run for %s, was made to wait %d times, %v", proc.RanOf(v.PID())-used, throttled, err)
				}
			}
			if c.later {
				cmd := exec.Command("sh", "-c", "while :; do :; done")
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					_ = cmd.Process.Kill()
					_ = cmd.Wait()
				})
				if err := group.Add(cmd.Process.Pid); err != nil {
					t.Fatal(err)
				}
				suite.Until(t, "the kernel to make it wait", func() bool { return held.Traits().Later(t.Context()) != "" })
			} else if said := held.Traits().Later(t.Context()); c.not != "" && said != "" {
				t.Errorf("later: %q", said)
			}
			if _, err := held.Revert(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := held.Gone(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// noStressor checks that no process of brunt's uses up the limit of a group.
func noStressor(t *testing.T, g cgroup.Group) {
	t.Helper()
	inside, err := g.Processes()
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range inside {
		if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); strings.Contains(string(b), "\x00burn\x00") {
			t.Errorf("process %d of brunt's is in %s", pid, g.Path)
		}
	}
}

// hold plans and injects a fault on one unit, and reverts it at the end of the test.
func hold(t *testing.T, yaml string, w chaostest.World) chaos.Held {
	t.Helper()
	held, err := chaostest.Plan(t, yaml, w)[0].Inject(t.Context())
	if held != nil {
		t.Cleanup(func() {
			if _, err := held.Revert(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return held
}

// TestDiskThrottle_Proof checks that the proof of a slow disk is the unit's own traffic: it holds where the kernel
// slows the unit, and names what it does not slow.
func TestDiskThrottle_Proof(t *testing.T) {
	const direct = `while :; do dd if=/dev/zero of="$0/x" bs=64k count=64 conv=notrunc oflag=direct 2>/dev/null; done & exec "$@"`
	const cached = `while :; do for n in 0 1 2 3 4 5 6 7 8 9; do printf %262144s x >> "$0/x"; done; rm "$0/x"; done & exec "$@"`
	for _, c := range []struct {
		name, script string
		not          string // in version 1 of control groups
	}{
		{"past the page cache", direct, ""},
		{"into the page cache", cached, "version 1 of control groups does not slow writes into the page cache"},
		{"idle", `exec "$@"`, "never wanted more than the limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			v := newVictim(t, false, "sh", "-c", c.script, dir)
			v.dir = dir
			t.Cleanup(func() { // the loop, and then its dd
				for _, pid := range proc.Family(v.PID())[1:] {
					_ = unix.Kill(pid, unix.SIGKILL)
				}
			})
			if c.name == "into the page cache" && v.now(cgroup.Disk).Unified {
				t.Skip("version 2 of control groups slows these writes too")
			}
			held := hold(t, fmt.Sprintf("disk.throttle: {service: web, path: %q, rate: 1MiB/s, direction: write}", dir), v.world(nil))
			seen, not := partOf(t, held)
			noStressor(t, v.now(cgroup.Disk))
			t.Log(seen, "/", not)
			if !strings.Contains(not, c.not) || (not == "") != (c.not == "") {
				t.Errorf("it says %q, and not %q", seen, not)
			}
		})
	}
}

// TestDiskFill_Proof checks what the proof of a full disk needs: a write of the unit's own user that fails, and a use
// of the directory by the unit. A path that names another unit's directory does not count, and ${self.index} names the
// own one.
func TestDiskFill_Proof(t *testing.T) {
	suite.Needs(t, suite.Mounts)
	const users = `head -c 1048576 /dev/zero > "$0/log" && chmod 0777 "$0" && mkdir "$0/data-0" "$0/data-1" && chown 12345 "$0"/data-*; `
	for _, c := range []struct {
		name, script string // after the mount
		path         string // below the mount
		settings     string
		seen, not    string
	}{
		{"open for writing", `exec 9> "$0/data-0/x"; exec "$@"`, "data-${self.index}", "keep_free: 0", "data-0/x open for writing", ""},
		{"works there", `cd "$0/data-0"; exec "$@"`, "data-0", "percent: 100%", "works in ", ""},
		{"the directory of another", `exec 9> "$0/data-0/x"; exec "$@"`, "data-1", "keep_free: 0", "nothing can be written", "uses"},
		{"no use", `exec "$@"`, "data-0", "keep_free: 0", "nothing can be written", "uses"},
		{"open to read", `: > "$0/data-0/x"; exec 9< "$0/data-0/x"; exec "$@"`, "data-0", "keep_free: 0", "nothing can be written", "uses"},
		{"a part", `exec 9> "$0/data-0/x"; exec "$@"`, "data-0", "bytes: 4MiB", "are taken in", ""},
		{"as another user", `exec 9> "$0/data-0/x"; exec setpriv --reuid 12345 --clear-groups "$@"`, "data-0", "keep_free: 0", "open for writing", ""},
		{
			"as a user without rights", `exec 9> "$0/data-0/x"; exec setpriv --reuid 54321 --clear-groups "$@"`, "data-0",
			"keep_free: 0", "open for writing", "a write of its own user fails",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for at := dir; len(at) > len(os.TempDir()); at = filepath.Dir(at) { // the user of the unit walks here
				if err := os.Chmod(at, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			wrap := tmpfs(dir)
			wrap[4] = `mount -t tmpfs -o size=16m tmpfs "$0" && ` + users + c.script
			v := newVictim(t, false, wrap...)
			yaml := fmt.Sprintf("disk.fill: {service: web, path: %q, %s}", filepath.Join(dir, c.path), c.settings)
			held := hold(t, yaml, v.world(nil))
			root := fmt.Sprintf("/proc/%d/root%s", v.PID(), dir)
			if err := os.Remove(filepath.Join(root, "log")); err != nil { // as a rotation of logs does
				t.Fatal(err)
			}
			seen, not := partOf(t, held)
			t.Log(seen, "/", not)
			if !strings.Contains(seen, c.seen) || !strings.Contains(not, c.not) || (not == "") != (c.not == "") {
				t.Errorf("it says %q, and not %q", seen, not)
			}
			if said := held.Traits().Later(t.Context()); (said == "") != (c.not != "") {
				t.Errorf("later: %q", said)
			}
			// Others free and take space meanwhile: the removal is proved by brunt's own file.
			if _, err := held.Revert(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, "others"), make([]byte, 12<<20), 0o600); err != nil {
				t.Fatal(err)
			}
			if said, err := held.Gone(t.Context()); err != nil {
				t.Errorf("%q, %v", said, err)
			}
		})
	}
}
