//go:build unix

package plugin_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/plugin"
	"brunt/targets/targetstest"
)

const greeting = `{"hello":1,"name":"hostile","calls":["say"]}`

// hostile is a plug-in that misbehaves at a call whose verb is bad, and answers all others.
func hostile(how string) {
	how, file, _ := strings.Cut(how, " ")
	if how == "stays-after" || how == "ends-after" {
		saysFile(file, how == "ends-after")
		return
	}
	how, always := strings.CutPrefix(how, "always-")
	lines := bufio.NewReader(os.Stdin)
	if file != "" {
		_ = os.WriteFile(file, strconv.AppendInt(nil, int64(os.Getpid()), 10), 0o600)
	}
	switch how {
	case "dies":
		fmt.Fprintln(os.Stderr, "no license")
		os.Exit(3)
	case "version":
		fmt.Println(`{"hello":9}`)
	case "env":
		_ = os.WriteFile(file, []byte(strings.Join(os.Environ(), "\n")), 0o600)
		os.Exit(0)
	default:
		fmt.Println(greeting)
	}
	_, _ = lines.ReadBytes('\n')
	if how == "deaf" {
		time.Sleep(time.Hour) // simulates a program that reads nothing
	}
	last := uint64(0)
	for {
		text, err := lines.ReadBytes('\n')
		if err != nil {
			if how == "stays" {
				time.Sleep(time.Hour) // simulates a program that does not end
			}
			return
		}
		var call struct {
			ID   uint64
			Call string
			With struct{ Verb string }
		}
		_ = json.Unmarshal(text, &call)
		if call.Call == "no-such-call" && how != "takes" {
			fmt.Printf(`{"id":%d,"status":400}`+"\n", call.ID)
			continue
		}
		answer := fmt.Sprintf(`{"id":%d,"body":%d}`, call.ID, os.Getpid())
		if call.With.Verb != "bad" && !always {
			fmt.Println(answer)
			last = call.ID
			continue
		}
		switch how {
		case "garbage":
			fmt.Println("Traceback (most recent call last):")
		case "status":
			fmt.Printf(`{"id":%d,"status":70000}`+"\n", call.ID)
		case "word":
			fmt.Printf(`{"id":%d,"failed":"broke"}`+"\n", call.ID)
		case "long":
			fmt.Print(strings.Repeat("x", 3<<20))
		case "unknown":
			fmt.Printf(`{"id":%d}`+"\n", call.ID+7)
		case "twice":
			fmt.Printf(`{"id":%d}`+"\n", last)
		case "hello":
			fmt.Println(greeting)
		case "closes":
			_ = os.Stdout.Close()
			time.Sleep(time.Hour) // simulates a program that does not end
		case "exits":
			fmt.Fprintln(os.Stderr, "out of tea")
			os.Exit(7)
		}
	}
}

// saysFile is a plug-in that answers the first call by a file, and then ends or stays.
func saysFile(file string, ends bool) {
	lines := bufio.NewReader(os.Stdin)
	fmt.Println(greeting)
	for range 2 { // the greeting and the call
		_, _ = lines.ReadBytes('\n')
	}
	says, _ := os.ReadFile(file)
	_, _ = os.Stdout.Write(says)
	if !ends {
		_, _ = lines.WriteTo(io.Discard)
	}
}

// FuzzHostile: whatever a plug-in answers, and whether it ends then or not, a call returns by its deadline, and brunt
// lives on.
func FuzzHostile(f *testing.F) {
	for _, says := range []string{
		`{"id":1,"body":{"a":[1]}}`, `{"id":1,"failed":"refused"}` + "\n" + `{"id":1}`, `{"id":2}`,
		`{"id":1,"status":99999}`, "no", "",
	} {
		f.Add([]byte(says+"\n"), true)
		f.Add([]byte(says+"\n"), false)
		f.Add([]byte(says), true)
	}
	f.Fuzz(func(t *testing.T, says []byte, ends bool) {
		file := filepath.Join(t.TempDir(), "says")
		if err := os.WriteFile(file, says, 0o600); err != nil {
			t.Fatal(err)
		}
		how := "stays-after "
		if ends {
			how = "ends-after "
		}
		w := open(t, how+file, say("good"))
		const within = 200 * time.Millisecond
		out := w.user.Do(0, within)
		if late := time.Since(w.t0) - w.user.It.Deadline; late > long || out.End > w.user.It.Deadline {
			t.Fatalf("it came back %v after its deadline: %+v", late, out)
		}
		if out.Cause == scenarios.Panicked {
			t.Fatal(w.last())
		}
	})
}

// messages keeps the message of each failed request.
type messages struct {
	mu   sync.Mutex
	said []string
}

func (*messages) Want(o *scenarios.Outcome) bool { return o.Kind == scenarios.Error }

func (m *messages) Keep(_ *scenarios.Outcome, s result.Sample) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said = append(m.said, s.Message)
}

func (m *messages) last() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.said) == 0 {
		return ""
	}
	return m.said[len(m.said)-1]
}

// world is a client whose plug-in is this test binary.
type world struct {
	targets.Client
	user *targetstest.User
	flow *targetstest.Flow
	t0   time.Time
	messages
}

func open(t *testing.T, how string, steps ...string) *world {
	t.Helper()
	w := &world{t0: time.Now()}
	d := descriptor(how)
	w.flow = targetstest.Compile(t, d, "", steps...)
	o := targets.Options{Base: "plugin://127.0.0.1:9", Timeout: time.Second, T0: w.t0, Sampler: &w.messages}
	var err error
	if o.Network, err = network(&o); err != nil {
		t.Fatal(err)
	}
	if w.Client, err = d.Client(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	w.user = w.flow.Open(t, w.Client, w.t0, 0)
	return w
}

const long = 30 * time.Second

// TestPlugin_Hostile: whatever a plug-in does is an error of its call, which says what it did, and the next call finds
// a plug-in that works.
func TestPlugin_Hostile(t *testing.T) {
	for _, c := range []struct {
		how   string
		cause scenarios.Cause
		says  string
	}{
		{"garbage", scenarios.Protocol, `"Traceback (most recent call last):", which is no answer`},
		{"status", scenarios.Protocol, "its status is 70000"},
		{"word", scenarios.Protocol, `failed is "broke"`},
		{"long", scenarios.Protocol, "a line of more than 1048576 bytes"},
		{"unknown", scenarios.Protocol, "answered a call that it did not get"},
		{"twice", scenarios.Protocol, "answered a call twice"},
		{"hello", scenarios.Protocol, "hello twice"},
		{"closes", scenarios.Closed, "closed its standard output"},
		{"exits", scenarios.Closed, `exit status 7, and its last words are "out of tea"`},
	} {
		t.Run(c.how, func(t *testing.T) {
			t.Parallel()
			w := open(t, c.how, say("good"), say("bad"))
			if out := w.user.Do(0, long); out.Kind != scenarios.OK {
				t.Fatalf("%+v: %s", out, w.last())
			}
			out := w.user.Do(1, long)
			if out.Kind != scenarios.Error || out.Cause != c.cause || !out.WasSent || out.Answered {
				t.Errorf("%+v", out)
			}
			if !strings.Contains(w.last(), c.says) {
				t.Errorf("it says %q", w.last())
			}
			if out := w.user.Do(0, long); out.Kind != scenarios.OK || w.Opened() != 2 {
				t.Errorf("opened %d: %+v: %s", w.Opened(), out, w.last())
			}
		})
	}
}

// TestPlugin_Backoff: a plug-in that dies at its start is started again later and later, and its calls fail at once.
func TestPlugin_Backoff(t *testing.T) {
	w := open(t, "dies", say("good"))
	began := time.Now()
	calls := 0
	for time.Since(began) < 1500*time.Millisecond {
		out := w.user.Do(0, long)
		if out.Kind != scenarios.Error || out.WasSent || out.Cause != scenarios.Closed && out.Cause != scenarios.Refused {
			t.Fatalf("%+v", out)
		}
		calls++
	}
	// at once, again at once, and then after 0.1, 0.3, 0.7 s, and perhaps 1.5 s
	if n := w.Opened(); n < 3 || n > 6 || calls < 50 {
		t.Errorf("%d starts, %d calls", n, calls)
	}
	if !strings.Contains(w.last(), `its last words are "no license"`) {
		t.Errorf("%q", w.last())
	}
}

// TestPlugin_Bind: what is wrong with a plug-in is known before the load.
func TestPlugin_Bind(t *testing.T) {
	for how, want := range map[string]string{
		"version": "it speaks version 9", "dies": "no license",
		"say": `the plug-in knows no call "get"; it knows say`,
	} {
		w := open(t, how, "plugin: get")
		err := plugin.Descriptor().Bind(t.Context(), w.flow.Calls[0], w.Client)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", how, err)
		}
	}
}

// TestPlugin_Environment: a plug-in gets of brunt's environment what programs need, and no secret.
func TestPlugin_Environment(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hunter2hunter2")
	file := filepath.Join(t.TempDir(), "env")
	w := open(t, "env "+file, say("good"))
	w.user.Do(0, long)
	b, err := os.ReadFile(file)
	if said := string(b); err != nil || strings.Contains(said, "hunter2") || !strings.Contains(said, "PATH=") ||
		!strings.Contains(said, targetstest.PluginVar+"=env") {
		t.Errorf("%v; its environment is %s", err, said)
	}
}

// TestPlugin_Stopped: the calls of a plug-in that stands still time out, those that it has not read are given up, and
// when it goes on, late answers are dropped.
func TestPlugin_Stopped(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	w := open(t, "good "+file, say("good"), `{plugin: say, with: {verb: good, pad: "`+strings.Repeat("x", 40<<10)+`"}}`)
	if out := w.user.Do(0, long); out.Kind != scenarios.OK {
		t.Fatalf("%+v", out)
	}
	pid := pidIn(t, file)
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if !suite.Within(long, func() bool { return w.user.Do(0, 100*time.Millisecond).Cause == scenarios.Timeout }) {
		t.Fatal("it does not stop")
	}
	var all sync.WaitGroup
	outs := make([]scenarios.Outcome, 20) // more than a pipe holds
	for i := range outs {
		u := w.flow.Open(t, w.Client, w.t0, i)
		all.Go(func() { outs[i] = u.Do(1, 300*time.Millisecond) })
	}
	all.Wait()
	for _, out := range outs {
		if out.Cause != scenarios.Timeout || out.Answered || out.End != out.Intended+300*time.Millisecond {
			t.Errorf("%+v", out)
		}
	}
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if out := w.user.Do(0, long); out.Kind != scenarios.OK || w.Opened() != 1 {
			t.Fatalf("opened %d: %+v: %s", w.Opened(), out, w.last())
		}
	}
}

// TestPlugin_Ends: no program outlives its client, not even one that stands still or ignores the end of its input.
func TestPlugin_Ends(t *testing.T) {
	for _, how := range []string{"good", "stays", "stopped"} {
		file := filepath.Join(t.TempDir(), "pid")
		w := open(t, how+" "+file, say("good"))
		if out := w.user.Do(0, long); out.Kind != scenarios.OK {
			t.Fatalf("%+v", out)
		}
		pid := pidIn(t, file)
		if how == "stopped" {
			_ = syscall.Kill(pid, syscall.SIGSTOP)
		}
		began := time.Now()
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("%s: %d lives", how, pid)
		}
		limit := time.Second
		if suite.Race { // whose runtime sleeps for a second as a program ends
			limit = 1900 * time.Millisecond
		}
		if took := time.Since(began); how == "good" && took > limit {
			t.Errorf("it took %v", took)
		}
	}
}

func pidIn(t *testing.T, file string) (pid int) {
	t.Helper()
	if !suite.Within(long, func() bool {
		b, _ := os.ReadFile(file)
		pid, _ = strconv.Atoi(string(b))
		return pid > 0
	}) {
		t.Fatal("no process id was written")
	}
	return pid
}

// TestPlugin_Processes: connections.max is the number of processes, and a user stays with one.
func TestPlugin_Processes(t *testing.T) {
	d := descriptor("good")
	flow := targetstest.Compile(t, d, "", `{plugin: say, with: {verb: good}, extract: {pid: $}}`)
	o := targets.Options{Base: "plugin://127.0.0.1:9", T0: time.Now()}
	o.Connections.Max = 3
	var err error
	if o.Network, err = network(&o); err != nil {
		t.Fatal(err)
	}
	client, err := d.Client(o)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	pids := map[string]bool{}
	for vu := range 6 {
		u := flow.Open(t, client, o.T0, vu)
		first := ""
		for range 3 {
			if out := u.Do(0, long); out.Kind != scenarios.OK {
				t.Fatalf("%+v", out)
			}
			if pid := u.Var("pid"); first != "" && pid != first {
				t.Errorf("user %d changes from %s to %s", vu, first, pid)
			} else {
				first = pid
			}
		}
		pids[first] = true
	}
	if len(pids) != 3 || client.Opened() != 3 {
		t.Errorf("%d processes, opened %d", len(pids), client.Opened())
	}
}

// TestConform: the suite passes a plug-in that keeps the rules, and says of each other one what it breaks, and how to
// mend it.
func TestConform(t *testing.T) {
	server := targetstest.StartPlugin(t)
	to, err := url.Parse(server.Base())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ how, check, wrong, mend string }{
		{"say", "", "", ""},
		{"dies", "it starts and says hello", `exit status 3, and its last words are "no license"`, "catch the error"},
		{"version", "it starts and says hello", "version 9", "answer the first line"},
		{"always-garbage", "it answers a call", `the line "Traceback`, "log to standard error"},
		{"always-unknown", "it answers a call", "there is no such call", "answer each call once"},
		{"always-twice", "it answers a call", "it has no id", "print nothing but answers"},
		{"always-hello", "it answers a call", "said hello again", "say hello once"},
		{"always-exits", "it answers a call", `exit status 7, and its last words are "out of tea"`, "catch the error"},
		{"always-none", "it answers a call", "no line came within 5s", "flush"},
		{"takes", "it answers a call that it does not know with an error, and goes on", "for good", `"status":400`},
		{"stays", "it ends when its standard input ends", "it lives 2s after", "end when standard input ends"},
	} {
		t.Run(c.how, func(t *testing.T) {
			t.Parallel()
			for _, f := range plugin.Conform([]string{os.Args[0]}, []string{targetstest.PluginVar + "=" + c.how}, to) {
				if f.Check != c.check {
					if f.Wrong != "" && c.how == "say" {
						t.Errorf("%+v", f)
					}
					continue
				}
				if !strings.Contains(f.Wrong, c.wrong) || !strings.Contains(f.Mend, c.mend) {
					t.Errorf("%+v", f)
				}
				return
			}
			if c.check != "" {
				t.Error("nothing was found")
			}
		})
	}
	if f := plugin.Conform([]string{"./no-such-program"}, nil, to); len(f) != 1 || f[0].Wrong == "" {
		t.Errorf("%+v", f)
	}
}
