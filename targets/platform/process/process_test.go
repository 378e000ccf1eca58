//go:build unix

package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios/suite"
	"brunt/targets/platform"
	"brunt/targets/targetstest"
)

// TestMain lets the test binary be the services of a group.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "service" {
		service(os.Args[2])
		return
	}
	os.Exit(m.Run())
}

func service(how string) {
	switch how {
	case "fails":
		fmt.Println("no database, no service")
		os.Exit(3)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	case "graceful": // it exits normally on SIGTERM
		term := make(chan os.Signal, 1)
		signal.Notify(term, syscall.SIGTERM)
		go func() {
			<-term
			os.Exit(0)
		}()
	case "mute": // it accepts connections and never answers
		l, err := net.Listen("tcp", os.Getenv("BRUNT_ADDR"))
		for err == nil {
			_, err = l.Accept()
		}
		os.Exit(1)
	case "parent":
		child := exec.Command(os.Args[0], "service", "sleeper")
		if err := child.Start(); err != nil {
			os.Exit(1)
		}
		fmt.Println("child", child.Process.Pid)
	case "daemon": // its child leaves the process group and the session
		child := exec.Command(os.Args[0], "service", "sleeper")
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := child.Start(); err != nil {
			os.Exit(1)
		}
		fmt.Println("child", child.Process.Pid)
	case "agent": // its child prints as long as it has a reader
		child := exec.Command(os.Args[0], "service", "talker")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			os.Exit(1)
		}
	case "talker":
		for n := 1; ; n++ {
			if _, err := fmt.Printf("talker %d says %d\n", os.Getpid(), n); err != nil {
				os.Exit(1)
			}
			time.Sleep(10 * time.Millisecond) // simulates work
		}
	case "done":
		os.Exit(0)
	case "chatty":
		line := strings.Repeat("x", 1<<20)
		for range 32 {
			fmt.Print(line)
		}
	case "sleeper":
		time.Sleep(time.Hour) // simulates a service that does not end
	}
	http.HandleFunc("/env", func(w http.ResponseWriter,
		_ *http.Request,
	) {
		fmt.Fprint(w, strings.Join(os.Environ(), "\n"))
	})
	http.HandleFunc("/args", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Join(os.Args, "\n")) })
	http.HandleFunc("/exit", func(http.ResponseWriter, *http.Request) { os.Exit(0) })
	l, err := net.Listen("tcp", os.Getenv("BRUNT_ADDR"))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	_ = http.Serve(l, nil)
}

// spec returns the stack that the YAML under `processes:` describes. SVC stands for the command of
// a service.
func spec(t *testing.T, yaml, entry string) (platform.Spec, error) {
	t.Helper()
	return targetstest.Processes(t, strings.ReplaceAll(yaml, "SVC", fmt.Sprintf("%q, service", os.Args[0])), entry)
}

type events struct {
	mu   sync.Mutex
	list []string
}

func (e *events) add(event, unit, _ string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, event+" "+unit)
}

func (e *events) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.list)
}

// up starts a group and stops it at the end of the test.
func up(t *testing.T, yaml, entry string, o Options) *Group {
	t.Helper()
	sp, err := spec(t, yaml, entry)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(sp, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := s.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// find finds a unit by its name.
func find(s *Group, name string) *Process {
	i := slices.IndexFunc(s.Processes(), func(u *Process) bool { return u.Name() == name })
	return s.Processes()[i]
}

func get(t *testing.T, addr, path string) string {
	t.Helper()
	c := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Get("http://" + addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func runs(pid int) bool { return pid != 0 && syscall.Kill(pid, 0) == nil }

func TestUpAndDown(t *testing.T) {
	var ev events
	run := fmt.Sprintf("test-%d", os.Getpid())
	s := up(t, `
web: {command: [SVC, plain, --at, "${self.port}"], replicas: 2, env: {DB: "${link.store.url}", WHO: "${self.name}"}, ready: {get: /env}}
store: {command: [SVC, plain], ready: {tcp: true}}`, "web", Options{
		Run: run, LogDir: t.TempDir(), Event: ev.add,
		Link: func(e platform.Edge) (string, bool) { return "127.0.0.1:1" + e.From[4:5], true },
	})
	if got := ev.all(); got[0] != "unit.start store[0]" || got[1] != "unit.ready store[0]" {
		t.Errorf("a service that is called does not start first: %q", got)
	}
	u := find(s, "web[1]")
	env := get(t, u.Addr(), "/env")
	for _, want := range []string{
		"BRUNT_RUN=" + run, "BRUNT_UNIT=web[1]", "BRUNT_ADDR=" + u.Addr(), "DB=http://127.0.0.1:11", "WHO=web[1]",
		"LINK_STORE=127.0.0.1:11",
		"PORT=" + u.Addr()[len("127.0.0.1:"):],
	} {
		if !slices.Contains(strings.Split(env, "\n"), want) {
			t.Errorf("the environment of web[1] lacks %s", want)
		}
	}
	if args := get(t, u.Addr(), "/args"); !strings.HasSuffix(args, "plain\n--at\n"+u.Addr()[len("127.0.0.1:"):]) {
		t.Errorf("arguments %q", args)
	}
	if got := s.Addresses()["unit.store.url"]; got != "http://"+find(s, "store[0]").Addr() {
		t.Errorf("unit.store.url is %q", got)
	}
	var pids []int
	for _, u := range s.Processes() {
		pids = append(pids, u.PID())
	}
	if err := s.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		if runs(pid) {
			t.Errorf("process %d still runs", pid)
		}
	}
}

func TestCrashedUnitComesBackOnItsPort(t *testing.T) {
	var ev events
	s := up(t, `web: {command: [SVC, plain], restart_delay: 20ms, ready: {get: /env}}`, "web", Options{Event: ev.add})
	u := s.Processes()[0]
	addr, pid := u.Addr(), u.PID()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "another process", func() bool { return u.PID() != 0 && u.PID() != pid })
	if err := u.AwaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	if u.Addr() != addr || u.Starts() != 2 {
		t.Errorf("at %s after %d starts, want %s after 2", u.Addr(), u.Starts(), addr)
	}
	if got := ev.all(); !slices.Contains(got, "unit.exit web[0]") {
		t.Errorf("no event reports the end: %q", got)
	}
}

func TestRestartPolicy(t *testing.T) {
	for _, c := range []struct {
		policy string
		signal syscall.Signal // 0 ends it normally
		again  bool
	}{
		{"always", 0, true},
		{"always", syscall.SIGKILL, true},
		{"on-failure", 0, false},
		{"on-failure", syscall.SIGKILL, true},
		{"never", syscall.SIGKILL, false},
	} {
		t.Run(fmt.Sprintf("%s after %v", c.policy, c.signal), func(t *testing.T) {
			var ev events
			s := up(t, `web: {command: [SVC, plain], restart_delay: 1ms, restart: `+c.policy+`}`, "web", Options{Event: ev.add})
			u := s.Processes()[0]
			pid := u.PID()
			if c.signal != 0 {
				_ = syscall.Kill(pid, c.signal)
			} else if resp, err := http.Get("http://" + u.Addr() + "/exit"); err == nil {
				_ = resp.Body.Close()
			}
			suite.Until(t, "the end", func() bool { return slices.Contains(ev.all(), "unit.exit web[0]") })
			if c.again {
				suite.Until(t, "a new start", func() bool { return u.Starts() == 2 })
				return
			}
			<-u.ended // its supervisor has ended
			if u.Starts() != 1 || u.PID() != 0 {
				t.Errorf("started %d times", u.Starts())
			}
		})
	}
}

// A crash by a fault counts as a failure, whatever the exit code. For other exits the exit code
// decides.
func TestCrashIsAFailure(t *testing.T) {
	for _, c := range []struct {
		name, policy string
		fails        bool // the signal could not be sent
		announced    func(pid int) int
		again        bool
	}{
		{"a crash", "on-failure", false, func(pid int) int { return pid }, true},
		{"a crash without a restart policy", "never", false, func(pid int) int { return pid }, false},
		{"a crash of another process", "on-failure", false, func(int) int { return 1 << 22 }, false},
		{"a crash that did not come about", "on-failure", true, func(pid int) int { return pid }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var ev events
			s := up(t, `web: {command: [SVC, graceful], restart_delay: 1ms, restart: `+c.policy+`}`, "web",
				Options{Event: ev.add})
			u := s.Processes()[0]
			pid := u.PID()
			term := func() error { return syscall.Kill(pid, syscall.SIGTERM) }
			send := term
			if c.fails {
				send = func() error { return errors.New("not allowed") }
			}
			if err := u.Crash(c.announced(pid), false, send); (err != nil) != c.fails {
				t.Fatal(err)
			}
			if c.fails {
				_ = term()
			}
			suite.Until(t, "the end", func() bool { return slices.Contains(ev.all(), "unit.exit web[0]") })
			if !c.again {
				suite.Until(t, "the supervisor's end", func() bool { return isClosed(u.ended) })
				if u.Starts() != 1 {
					t.Errorf("started %d times", u.Starts())
				}
				return
			}
			suite.Until(t, "a new start", func() bool { return u.Starts() == 2 && u.PID() != 0 })
			if err := u.AwaitReady(t.Context()); err != nil {
				t.Fatal(err)
			}
			_ = syscall.Kill(u.PID(), syscall.SIGTERM) // the crash was announced for the previous process
			suite.Until(t, "the supervisor's end", func() bool { return isClosed(u.ended) })
			if u.Starts() != 2 {
				t.Errorf("started %d times after an end in good order", u.Starts())
			}
		})
	}
}

// A stopped process accepts connections, because the kernel does that, but does not answer.
func TestAsk(t *testing.T) {
	s := up(t, `
bare: {command: [SVC, plain]}
checked: {command: [SVC, plain], ready: {get: /env}}
ill: {command: [SVC, plain]}
mute: {command: [SVC, mute]}`, "bare", Options{})
	find(s, "ill[0]").spec.Ready.Get = "/nowhere"
	asked := func(name string) error {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		return find(s, name).Ask(ctx)
	}
	for _, c := range []struct{ name, means string }{
		{"bare[0]", "a request"}, {"checked[0]", "its check"}, {"ill[0]", "a check that is not good"},
	} {
		u := find(s, c.name)
		if err := asked(c.name); err != nil {
			t.Errorf("%s of a running unit: %v", c.means, err)
		}
		_ = syscall.Kill(u.PID(), syscall.SIGSTOP)
		suite.Until(t, "the stop to come into force", func() bool { return asked(c.name) != nil })
		if err := asked(c.name); err == nil {
			t.Errorf("%s is answered by a stopped unit", c.means)
		}
		if ready := u.Ready(t.Context()); c.name == "bare[0]" && ready != nil {
			t.Errorf("its port does not accept, so nothing is shown: %v", ready)
		}
		_ = syscall.Kill(u.PID(), syscall.SIGCONT)
		suite.Until(t, "an answer", func() bool { return asked(c.name) == nil })
	}
	if asked("mute[0]") == nil {
		t.Error("a silent unit has answered")
	}
}

func TestStopKeepsDownUntilStart(t *testing.T) {
	s := up(t, `web: {command: [SVC, plain], restart: always, restart_delay: 0s}`, "web", Options{})
	u := s.Processes()[0]
	pid := u.PID()
	if err := u.Stop(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	if runs(pid) || u.PID() != 0 || u.Ready(t.Context()) == nil {
		t.Error("it still runs")
	}
	if err := u.Stop(t.Context(), time.Second); err != nil {
		t.Errorf("stopping twice: %v", err)
	}
	if err := u.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := u.AwaitReady(t.Context()); err != nil || u.PID() == pid {
		t.Errorf("pid %d, %v", u.PID(), err)
	}
}

// TestStop_WithoutGrace checks that a stop without grace kills a unit, and keeps it down as any other does.
func TestStop_WithoutGrace(t *testing.T) {
	var mu sync.Mutex
	var ends []string
	s := up(t, `web: {command: [SVC, stubborn], restart: always, restart_delay: 0s}`, "web", Options{
		Event: func(event, _, text string) {
			mu.Lock()
			defer mu.Unlock()
			if event == "unit.exit" {
				ends = append(ends, text)
			}
		},
	})
	u := s.Processes()[0]
	pid := u.PID()
	if err := u.Stop(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if runs(pid) || u.PID() != 0 || u.Starts() != 1 {
		t.Errorf("it still runs, after %d starts", u.Starts())
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"signal: killed"}; !slices.Equal(ends, want) {
		t.Errorf("it ended with %q, want %q", ends, want)
	}
}

func TestStubbornAndStoppedAreEnded(t *testing.T) {
	s := up(t, `
a: {command: [SVC, stubborn], grace: 20ms}
b: {command: [SVC, plain], grace: 10s}`, "a", Options{})
	stubborn, frozen := find(s, "a[0]").PID(), find(s, "b[0]").PID()
	_ = syscall.Kill(frozen, syscall.SIGSTOP)
	began := time.Now()
	if err := s.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if runs(stubborn) || runs(frozen) {
		t.Error("one still runs")
	}
	if time.Since(began) > 9*time.Second {
		t.Error("the frozen one was not woken to end")
	}
}

func TestGrandchildrenEndWithTheirUnit(t *testing.T) {
	logs := t.TempDir()
	s := up(t, `web: {command: [SVC, parent]}`, "web", Options{LogDir: logs})
	var child int
	suite.Until(t, "the child", func() bool {
		b, _ := os.ReadFile(filepath.Join(logs, "web-0.log"))
		_, err := fmt.Sscanf(string(b), "child %d", &child)
		return err == nil
	})
	if !runs(child) {
		t.Fatal("there is no child")
	}
	if err := s.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "the child's end", func() bool { return !runs(child) })
}

func TestNotReadySaysWhy(t *testing.T) {
	for _, c := range []struct {
		name, yaml, want string
	}{
		{"it ends", `web: {command: [SVC, fails], restart: never}`, "no database, no service"},
		{
			"it is done at once", `web: {command: [SVC, done], ready: {within: 1h}}`,
			"it has ended, and restart: on-failure leaves it so",
		},
		{"it keeps ending", `web: {command: [SVC, fails], restart: always, restart_delay: 1ms}`, "it keeps ending"},
		{"it never answers", `web: {command: [SVC, sleeper], ready: {get: /, within: 100ms}}`, "not within 100ms"},
		{"no such command", `web: {command: [/no/such/command]}`, "no such file"},
		{"it answers with errors", `web: {command: [SVC, plain], ready: {get: /nowhere, within: 1s}}`, "404"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sp, err := spec(t, c.yaml, "web")
			if err != nil {
				t.Fatal(err)
			}
			s, err := New(sp, Options{})
			if err != nil {
				t.Fatal(err)
			}
			err = s.Up(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "web[0]") {
				t.Errorf("%v, want %q of web[0]", err, c.want)
			}
			for _, u := range s.Processes() {
				if runs(u.PID()) {
					t.Error("it was left running")
				}
			}
		})
	}
}

func TestCancelledUp(t *testing.T) {
	sp, err := spec(t, `web: {command: [SVC, sleeper], ready: {within: 1h}}`, "web")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(sp, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if err := s.Up(ctx); err == nil {
		t.Error("a target that never was ready came up")
	}
	if runs(s.Processes()[0].PID()) {
		t.Error("it was left running")
	}
}
