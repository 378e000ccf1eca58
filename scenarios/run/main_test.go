package run_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos/journal"
	"brunt/chaos/proxy/child"
	"brunt/chaos/stress"
	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/run/guard"
	"brunt/scenarios/suite"
	"brunt/targets/demo"
	"brunt/targets/targetstest"
)

// TestMain lets the test binary play the roles of brunt's own binary, and those of the systems under
// test.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "role" {
		if err := role(os.Args[2], os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) > 2 && os.Args[1] == "watchdog" { // as brunt's own watchdog is run
		if err := role("guard", os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if how := os.Getenv(targetstest.PluginVar); how != "" {
		serve := targetstest.ServePlugin
		if how == "notebook" {
			serve = notebook
		}
		if err := serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	parallel := "5" // they wait most of their time, and measure it
	if suite.Race {
		parallel = "4"
	}
	if err := flag.Set("test.parallel", parallel); err != nil {
		panic(err)
	}
	os.Exit(suite.Loading(m).Run())
}

// self is the command line of a role.
func self(part string, args ...string) []string {
	return append([]string{os.Args[0], "role", part}, args...)
}

func role(part string, args []string) error {
	switch part {
	case "demo-service":
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		return demo.Serve(ctx, args[0], os.Getenv, os.Stdout)
	case "guard":
		return journal.RunWatchdog(guard.Operations(), os.Stdin, args[0])
	case "worker":
		return run.ServeWorker(context.Background(), os.Stdin, os.Stdout, compileSource)
	case "liar":
		return liar(args[0], args[1])
	case "split":
		return splitRole(args)
	case "proxies":
		return child.Serve(context.Background(), os.Stdin, os.Stdout)
	case "burn":
		return stress.Run(os.Stdin, os.Stdout)
	case "echo":
		return echo(args)
	case "keep":
		return keep()
	case "keep-redis":
		return keepRedis(strings.Join(args, ""))
	case "retries":
		return retries()
	case "caller":
		return caller()
	case "called":
		return called()
	case "elect":
		return elect(args)
	case "get": // prints the answer of a URL
		resp, err := http.Get(args[0]) //nolint:noctx // the caller ends the process
		if err == nil {
			_, err = io.Copy(os.Stdout, resp.Body)
		}
		return err
	case "serve":
		return serve()
	case "serve2":
		return serve2(args)
	case "frames":
		return frames(args[0])
	case "once":
		return startOnce(args)
	case "few-ports":
		return fewPorts(args)
	case "sleep":
		time.Sleep(time.Hour) // simulates a program that does not end
	case "spawns":
		for {
			_ = exec.Command("true").Run() // a process that a signal ended has no exit code of its own
		}
	case "brunt":
		return bruntRole(args)
	case "break":
		return breakRole(args)
	case "single":
		return singleRole(args)
	case "inject":
		plan, err := plan.CompileBare(plan.Bare{Kind: "process.freeze", Settings: []string{"pid=" + args[0], "for=1h"}})
		if err == nil {
			_, err = run.Inject(context.Background(), plan,
				run.Options{State: args[1], Watchdog: []string{os.Args[0], "watchdog"}})
		}
		return err
	}
	return fmt.Errorf("no part %q", part)
}

// echo is a small server. With "child" it starts a child process that only a watchdog can find.
//
//	/          at once        /slow  after 100 ms        /big  8 KiB
//	/fail      a 500          /linked  a 500 where the path to store is not a link
//	/far/X     the answer of store to /X, over connections that are kept open
//	/fresh/X   the same, over a connection of its own
//	/back      the answer of web to /
func echo(args []string) error {
	if len(args) > 0 && args[0] == "child" {
		if err := exec.Command(os.Args[0], "role", "sleep").Start(); err != nil {
			return err
		}
	}
	if says, ok := os.LookupEnv("SAYS"); ok {
		fmt.Println("it says", says)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"ok":true}`) })
	mux.HandleFunc("/slow", func(http.ResponseWriter, *http.Request) {
		time.Sleep(100 * time.Millisecond) // simulates work
	})
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", 8<<10)) })
	mux.HandleFunc("/fail", func(w http.ResponseWriter,
		_ *http.Request,
	) {
		http.Error(w, "no", http.StatusInternalServerError)
	})
	mux.HandleFunc("/linked", func(w http.ResponseWriter, _ *http.Request) {
		if os.Getenv("LINK_STORE") == os.Getenv("STORE") {
			http.Error(w, "straight to store", http.StatusInternalServerError)
		}
	})
	kept := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	remote := http.StripPrefix("/far", pass(kept, "LINK_STORE"))
	mux.Handle("/far", remote)
	mux.Handle("/far/", remote)
	mux.Handle("/fresh/", http.StripPrefix("/fresh", pass(fresh, "LINK_STORE")))
	mux.Handle("/back", http.StripPrefix("/back", pass(kept, "LINK_WEB")))
	return http.ListenAndServe(os.Getenv("BRUNT_ADDR"), mux)
}

// pass passes requests on to the service whose address an environment variable holds. They are
// POSTs, which no client retries by itself.
func pass(client *http.Client, to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		req, _ := http.NewRequestWithContext(r.Context(), http.MethodPost, "http://"+os.Getenv(to)+r.URL.Path, nil)
		resp, err := client.Do(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}
}

// serve is a minimal server: it answers every request with 200. It prints its address. It records
// when it answered /N, for each N, and reports the times under /answers.
func serve() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	a := answers{at: map[int]int64{}}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go a.serve(c)
	}
}

// answers are the times, in nanoseconds since 1970, at which requests were answered.
type answers struct {
	mu sync.Mutex
	at map[int]int64
}

func (a *answers) serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		path, err := readHead(in)
		if err != nil {
			return
		}
		body := "ok"
		if path == "/answers" {
			a.mu.Lock()
			b, _ := json.Marshal(a.at)
			a.mu.Unlock()
			body = string(b)
		}
		if _, err := fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body); err != nil {
			return
		}
		if n, err := strconv.Atoi(strings.TrimPrefix(path, "/")); err == nil {
			now := time.Now().UnixNano()
			a.mu.Lock()
			a.at[n] = now
			a.mu.Unlock()
		}
	}
}

// readHead reads a request without a body and returns its path.
func readHead(in *bufio.Reader) (path string, err error) {
	line, err := in.ReadString('\n')
	for err == nil && len(line) > len("\r\n") {
		if path == "" {
			_, rest, _ := strings.Cut(line, " ")
			path, _, _ = strings.Cut(rest, " ")
		}
		line, err = in.ReadString('\n')
	}
	return path, err
}

// startOnce is a server that can be started only once: it fails if FILE exists.
func startOnce(args []string) error {
	f, err := os.OpenFile(args[0], os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_ = f.Close()
	return echo(nil)
}

// bruntRole runs a scenario as brunt would: FILE STATE GUARD POINT. It kills itself at point number
// POINT; 0 is never, and then it prints the points, its verdict, and the number of bad requests.
// GUARD is "guard", "none", or "both", which kills the watchdog together with brunt, or "eats": with a watchdog, brunt
// takes memory after the injection until the kernel kills it.
func bruntRole(args []string) error {
	file, state, point := args[0], args[1], args[3]
	die, err := strconv.Atoi(point)
	if err != nil {
		return err
	}
	plan, err := compileFile(file)
	if err != nil {
		return err
	}
	d := &dying{guard: args[2], at: die}
	o := d.options(state)
	res, err := run.Run(context.Background(), plan, o)
	if err != nil {
		return err
	}
	run := cellOf(res, "run", "*")
	for _, f := range res.Faults {
		fmt.Printf("verified %v: %s %s\n", f.Verified.Known(), f.Evidence, f.Note)
	}
	d.tell(res.Verdict, res.Reason)
	fmt.Printf("%d of %d bad\n", run.Count-cellOf(res, "run", "ok").Count, run.Count)
	return nil
}

// dying is a brunt that kills itself at a point.
type dying struct {
	guard string // guard, none, both or eats
	at    int    // the point; 0 is never

	mu       sync.Mutex
	passed   []string // the points, by name
	injected int      // the last point with an injection
	eaten    [][]byte // what it holds until the kernel ends it
}

// options returns the options of the run.
func (d *dying) options(state string) run.Options {
	o := run.Options{
		ID: os.Getenv("BRUNT_TEST_RUN"), AgentsAlways: os.Getenv("BRUNT_TEST_AGENTS") != "", State: state,
		Stress:  self("burn"),
		Proxies: self("proxies"), At: d.point,
	}
	if mark := os.Getenv("BRUNT_TEST_MARK"); mark != "" {
		o.Event = func(e result.Event) {
			// on a busy machine its effect may not be proven in time
			if e.Event == "fault.verified" || e.Event == "fault.unverified" {
				_ = os.WriteFile(mark, nil, 0o600)
			}
		}
	}
	if waits := os.Getenv("BRUNT_TEST_WAITS"); waits != "" {
		o.Event = func(e result.Event) {
			if e.Event == "operator.waiting" {
				_ = os.WriteFile(waits, nil, 0o600)
			}
		}
	}
	if d.guard != "none" {
		o.Watchdog = self("guard")
	}
	return o
}

func (d *dying) point(point string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.passed = append(d.passed, point)
	if point == "after inject" {
		d.injected = len(d.passed)
		if d.guard == "eats" {
			for {
				d.eaten = append(d.eaten, bytes.Repeat([]byte{1}, 1<<20))
			}
		}
	}
	if len(d.passed) == d.at {
		if d.guard == "both" {
			killChild("guard")
		}
		kill(os.Getpid())
		select {}
	}
}

func (d *dying) tell(v scenarios.Verdict, reason string) {
	fmt.Printf("passed %s\n", strings.Join(d.passed, ", "))
	fmt.Printf("injected %d points %d verdict %s %s\n", d.injected, len(d.passed), v, reason)
}

// singleRole injects the fault `it` of a scenario without its load: FILE STATE GUARD POINT.
func singleRole(args []string) error {
	die, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	all, err := compileFile(args[0])
	if err != nil {
		return err
	}
	plan, err := all.Single("it", 0)
	if err != nil {
		return err
	}
	d := &dying{guard: args[2], at: die}
	return d.inject(plan, args[1])
}

// breakRole injects one fault without load, as brunt would: STATE GUARD POINT KIND SETTING…, of
// which the first three are bruntRole's.
func breakRole(args []string) error {
	die, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	plan, err := plan.CompileBare(plan.Bare{Kind: args[3], Settings: args[4:]})
	if err != nil {
		return err
	}
	d := &dying{guard: args[1], at: die}
	return d.inject(plan, args[0])
}

// inject injects the only fault of a plan without load.
func (d *dying) inject(plan *plan.Plan, state string) error {
	in, err := run.Inject(context.Background(), plan, d.options(state))
	if err != nil {
		return err
	}
	fmt.Printf("verified %v: %s\n", in.Verified.Known(), in.Evidence)
	d.tell(in.Verdict, in.Reason)
	return nil
}

// killChild kills the child of this process that plays a role.
func killChild(part string) {
	procs, _ := os.ReadDir("/proc")
	for _, p := range procs {
		cmd, _ := os.ReadFile("/proc/" + p.Name() + "/cmdline")
		stat, _ := os.ReadFile("/proc/" + p.Name() + "/stat")
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		if strings.Contains(string(cmd), "\x00role\x00"+part+"\x00") && len(fields) > 1 &&
			fields[1] == strconv.Itoa(os.Getpid()) {
			pid, _ := strconv.Atoi(p.Name())
			kill(pid)
		}
	}
}

func compileFile(file string) (*plan.Plan, error) {
	sc, err := scenarios.Parse(file, scenarios.Options{})
	if err != nil {
		return nil, err
	}
	if text := os.Getenv("BRUNT_TEST_CONDITIONS_AT"); text != "" {
		at, err := time.ParseDuration(text)
		if err != nil {
			return nil, err
		}
		injectAt(sc, at)
	}
	return plan.Compile(sc, plan.CompileOptions{Self: []string{os.Args[0], "role"}})
}

// injectAt lets the conditions of a scenario be injected at a time, from t0, as a search does.
func injectAt(sc *scenarios.Scenario, at time.Duration) {
	begin := quantity.Duration(at)
	for i := range sc.Conditions {
		sc.Conditions[i].At = &begin
	}
}

// scenario writes a scenario to a file; ECHO in it is the command of the small server, SLEEP of a
// process that does not listen.
func scenario(t *testing.T, text string) string {
	t.Helper()
	file := t.TempDir() + "/scenario.yaml"
	for word, part := range map[string]string{"ECHO": "echo", "SLEEP": "sleep"} {
		text = strings.ReplaceAll(text, word, fmt.Sprintf("%q, role, %s", os.Args[0], part))
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// kill kills a process.
func kill(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}

// notebook is a plug-in that notes ids in the file NOTES, and lists them. With LOSE it forgets each 20th. It writes its
// process id to the file PID.
func notebook(in io.Reader, out io.Writer) error {
	pid := os.Getenv("PID")
	own := fmt.Sprintf("%s.%d", pid, os.Getpid()) // each worker has a plug-in
	if err := os.WriteFile(own, strconv.AppendInt(nil, int64(os.Getpid()), 10), 0o600); err != nil {
		return err
	}
	if err := os.Rename(own, pid); err != nil {
		return err
	}
	notes, err := os.OpenFile(os.Getenv("NOTES"), os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer notes.Close()
	lines := bufio.NewScanner(in)
	lines.Scan() // brunt's hello
	fmt.Fprintln(out, `{"hello":1,"name":"notebook","calls":["note","list"]}`)
	for n := 1; lines.Scan(); n++ {
		var call struct {
			ID   uint64
			Call string
			With struct{ ID string }
		}
		if err := json.Unmarshal(lines.Bytes(), &call); err != nil {
			return err
		}
		body := []map[string]string{}
		switch {
		case call.Call == "list":
			text, err := os.ReadFile(notes.Name())
			if err != nil {
				return err
			}
			for id := range strings.FieldsSeq(string(text)) {
				body = append(body, map[string]string{"id": id})
			}
		case os.Getenv("LOSE") == "" || n%20 != 7:
			if _, err := notes.WriteString(call.With.ID + "\n"); err != nil {
				return err
			}
		}
		if err := json.NewEncoder(out).Encode(map[string]any{"id": call.ID, "body": body}); err != nil {
			return err
		}
	}
	return lines.Err()
}
