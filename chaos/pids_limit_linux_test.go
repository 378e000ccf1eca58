package chaos_test

import (
	"os/exec"
	"strings"
	"testing"

	"brunt/chaos/cgroup"
	"brunt/chaos/chaostest"
)

// TestPIDsLimit_Forks: a shell in the place of the unit starts no process while the limit is there, and does before,
// after, and where the limit leaves some.
func TestPIDsLimit_Forks(t *testing.T) {
	v := newVictim(t, true)
	w := v.world(nil)
	forks := func() bool {
		cmd := exec.Command("sh", "-c", "read go; (exit 0); echo started")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		cmd.Stdout = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if err := v.now(cgroup.PIDs).Add(cmd.Process.Pid); err != nil {
			t.Fatal(err)
		}
		if _, err := in.Write([]byte("go\n")); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // a shell that can't fork says so and ends
		return strings.Contains(out.String(), "started")
	}
	if !forks() {
		t.Fatal("it can't start a process before the fault")
	}
	for yaml, want := range map[string]bool{
		"pids.limit: {service: web}": false, "pids.limit: {service: web, leave: 20}": true,
	} {
		h, err := chaostest.Plan(t, yaml, w)[0].Inject(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if said, err := h.Verify(t.Context()); err != nil {
			t.Errorf("%s: %s: %v", yaml, said, err)
		}
		if forks() != want {
			t.Errorf("%s: it starts a process: %v", yaml, !want)
		}
		later := h.Traits().Later(t.Context())
		if strings.Contains(later, "refused") == want {
			t.Errorf("%s: %q", yaml, later)
		}
		if _, err := h.Revert(t.Context()); err != nil {
			t.Error(err)
		}
		if said, err := h.Gone(t.Context()); err != nil || !strings.Contains(said, "pids.max is max again") {
			t.Errorf("%s: %s: %v", yaml, said, err)
		}
		if !forks() {
			t.Errorf("%s: it can't start a process after the fault", yaml)
		}
	}
}
