package sockets_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios/run/casefile"
	"brunt/scenarios/suite"
	"brunt/scenarios/truth"
)

// brunt is the program under test, built once.
var brunt string

func TestMain(m *testing.M) {
	for os.Getenv("TRUTH_SPIN") != "" { // this process takes processor time from a run
	}
	if address := os.Getenv("BRUNT_ADDR"); address != "" { // brunt has started this program as a unit
		if err := serve(address, os.Getenv("TRUTH_ARRIVED")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(run(m))
}

// serve answers at an address until it is told to end, and then writes to a file how many requests arrived, without
// requests that asked whether it is ready. TRUTH_FAILS makes all counted requests fail, TRUTH_SLEEPS makes 150 of them
// take 500 ms, and TRUTH_SPINS is the number of its own processes that spin. TRUTH_GROUP is the folder of the control
// group that it moves into.
func serve(address, file string) error {
	if group := os.Getenv("TRUTH_GROUP"); group != "" {
		if err := os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0); err != nil {
			return err
		}
	}
	script := truth.Healthy(0)
	if os.Getenv("TRUTH_FAILS") != "" {
		script = script.Between(1, 1<<30, fail)
	}
	if os.Getenv("TRUTH_SLEEPS") != "" {
		script = script.Between(200, 350, truth.Act{Delay: 500 * ms})
	}
	s, err := truth.StartAt(script, address)
	if err != nil {
		return err
	}
	defer s.Close()
	own, _ := strconv.Atoi(os.Getenv("TRUTH_SPINS"))
	for range own {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), "TRUTH_SPIN=1")
		if err := c.Start(); err != nil {
			return err
		}
		defer c.Wait()
		defer c.Process.Kill()
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, os.Interrupt, syscall.SIGTERM)
	<-end
	n := 0
	for _, e := range s.Log.Entries() {
		if e.Step != "/ready" {
			n++
		}
	}
	return os.WriteFile(file, []byte(strconv.Itoa(n)), 0o600)
}

func run(m *testing.M) int {
	files, remove, err := truth.Programs("brunt/cmd/brunt")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer remove()
	brunt = files[0]
	return suite.Loading(m).Run()
}

// A report is what these tests read of result.json.
type report struct {
	Run      string    `json:"run"`
	Version  int       `json:"version"`
	Verdict  string    `json:"verdict"`
	ExitCode int       `json:"exit_code"`
	Reason   string    `json:"reason"`
	T0       time.Time `json:"t0"`
	Cells    []struct {
		Phase, Load, Step, Outcome string
		Count                      int
	} `json:"cells"`
	Faults []struct {
		Name        string
		Injected    *float64
		Cleared     *float64
		Onset       *float64
		Recover     *float64
		Heal        *float64
		Failover    *float64
		Degraded    *float64
		Impact      string
		Failed      int      `json:"failed_requests"`
		RecoveredAt *float64 `json:"recovered_at"`
		Parts       struct {
			Slowed     bool
			Untold     string `json:"slower_untold"`
			Lost       int
			LostShared int `json:"lost_shared"`
		}
	} `json:"faults"`
	Objectives []struct {
		Text, Verdict, Note string
		Measured            *float64
		Low, High           *float64
		Count               int
	} `json:"objectives"`
	Incidents []struct {
		Begin, End *float64
		Over       bool
		Bad        int
		Kinds      map[string]int
		Faults     []string
		By         string
		Planned    bool
	} `json:"incidents"`
	Ledger *struct {
		Acknowledged, Lost, Duplicated, Late, Stale int
		Read                                        bool
		Note                                        string
		LostSpans                                   []struct {
			Fault  string
			Faults []string
			Lost   int
		} `json:"lost_spans"`
		ReadBacks []struct{ Asked, Found, Absent int } `json:"read_backs"`
	} `json:"ledger"`
	Deliveries []struct {
		Acknowledged, Lost, Duplicated, Late, Reordered int
		Unknown, Unnamed, Sightings, Foreign, Present   int
		Unreadable                                      int
		Ordered                                         bool
		Keys                                            []struct{ ID, State string }
	} `json:"deliveries"`
	Generator struct {
		Pressure    *float64
		Connections int
		Peers       []struct {
			Address string
			Opened  int
		}
	} `json:"generator"`
	Notes  []string `json:"notes"`
	exit   int
	stdout string
}

// count is the number of requests of a phase with an outcome.
func (r *report) count(phase, outcome string) int {
	for _, c := range r.Cells {
		if c.Phase == phase && c.Load == "*" && c.Step == "*" && c.Outcome == outcome {
			return c.Count
		}
	}
	return 0
}

// objective is the verdict on an objective, by its text.
func (r *report) objective(text string) string {
	for _, o := range r.Objectives {
		if o.Text == text {
			return o.Verdict
		}
	}
	return "missing"
}

// play runs a scenario and returns its result and exit code.
// during is called with the process while it runs.
func play(t *testing.T, scenario string, during func(*os.Process)) *report {
	t.Helper()
	return playWith(t, []string{brunt}, scenario, during)
}

// withoutPressure is the command of a brunt on a machine whose kernel does not report pressure (psi=0).
var withoutPressure = []string{
	"unshare", "--mount", "sh", "-c", `mount -t tmpfs none /proc/pressure && exec "$0" "$@"`,
}

// playWith is play for a brunt that a command starts.
func playWith(t *testing.T, command []string, scenario string, during func(*os.Process)) *report {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "scenario.yaml")
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	c := exec.Command(command[0], append(slices.Clone(command[1:]), "run", file, "-o", out, "-v")...)
	c.Env = append(os.Environ(), "NO_COLOR=1", "XDG_STATE_HOME="+dir)
	var text bytes.Buffer
	c.Stdout, c.Stderr = &text, &text
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if during != nil {
		during(c.Process)
	}
	err := c.Wait()
	r := &report{}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		r.exit = exit.ExitCode()
	case err != nil:
		t.Fatal(err)
	}
	r.stdout = text.String()
	raw, err := os.ReadFile(filepath.Join(out, "result.json"))
	if err != nil {
		t.Fatalf("exit %d, no result: %v\n%s\n%s", r.exit, err, text.String(), scenario)
	}
	if err := json.Unmarshal(raw, r); err != nil {
		t.Fatal(err)
	}
	return r
}

// keepLog adds the log of a server to the case file of a run, if runs keep case files.
func keepLog(t *testing.T, s *truth.Server, r *report) {
	t.Helper()
	if !casefile.Wanted() {
		return
	}
	var log []casefile.Request
	path := ""
	for _, e := range s.Log.Entries() {
		one := casefile.Request{
			N: e.N, At: e.Arrived.Sub(r.T0), Took: e.Ended.Sub(e.Arrived), Status: e.Act.Status, Hang: e.Act.Hang,
			Reset: e.Act.Reset, Delayed: e.Act.Delay,
		}
		if e.Step != path {
			one.Path, path = e.Step, e.Step
		}
		log = append(log, one)
	}
	if err := casefile.AddLog(r.Run, log); err != nil {
		t.Error(err)
	}
}

func at(s *truth.Server, r *report) time.Duration {
	if on := s.Log.Injected(); len(on) > 0 {
		return on[0].Sub(r.T0)
	}
	return -1
}

// indent indents the lines of a text.
func indent(text, by string) string {
	return by + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+by)
}
