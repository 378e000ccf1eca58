package leaks

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"brunt/scenarios/suite"

	"github.com/creack/pty"
)

// places are texts that brunt gave away, by what gave them.
type places struct {
	mu      sync.Mutex
	texts   map[string][]string
	known   map[string]bool
	written string              // the folder that the run writes to
	may     map[string][]string // names of secrets that a place may hold, by its beginning
}

func (p *places) add(place, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if key := place + "\x00" + text; text != "" && !p.known[key] {
		p.known[key] = true
		p.texts[place] = append(p.texts[place], text)
	}
}

// folder adds the files of a folder, each as a place.
func (p *places) folder(name, dir string) {
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return nil // it went meanwhile
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		rel, _ := filepath.Rel(dir, path)
		p.add(name+"/"+number.ReplaceAllString(rel, "N"), string(b))
		return nil
	})
}

// number is the part of a file's name that differs from run to run.
var number = regexp.MustCompile(`[0-9a-z]*[0-9]{3}[0-9a-z]*`)

// processes adds the command lines, the environments and the open files of brunt's own processes, as long as ctx lasts.
func (p *places) processes(ctx context.Context, pid int) {
	each(ctx, 100*time.Millisecond, func() {
		for _, child := range descendants(pid) {
			p.process(child, pid)
		}
	})
}

// each does something as long as ctx lasts, with a pause after each time.
func each(ctx context.Context, pause time.Duration, do func()) {
	for ctx.Err() == nil {
		do()
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// process adds those of one process, which brunt is or has started.
func (p *places) process(pid, brunts int) {
	of := fmt.Sprintf("/proc/%d/", pid)
	exe, err := os.Readlink(of + "exe")
	if err == nil && filepath.Base(exe) == "brunt-k6" {
		cmdline, _ := os.ReadFile(of + "cmdline")
		p.add("command line of brunt-k6", strings.ReplaceAll(string(cmdline), "\x00", "\n"))
	}
	if err != nil || exe != brunt {
		return // the user's: a unit, or a command
	}
	cmdline, _ := os.ReadFile(of + "cmdline")
	if own, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", brunts)); pid != brunts && bytes.Equal(cmdline, own) {
		return // it was forked and has not begun its program yet, so that it still shows what its parent was started with
	}
	args := strings.Split(string(cmdline), "\x00")
	role := "brunt"
	if pid != brunts && len(args) > 1 {
		role = "brunt " + args[1]
		p.add("command line of "+role, strings.Join(args, "\n"))
		environ, _ := os.ReadFile(of + "environ")
		p.add("environment of "+role, strings.ReplaceAll(string(environ), "\x00", "\n"))
	}
	list, _ := os.ReadDir(of + "fd")
	for _, fd := range list {
		if to, err := os.Readlink(of + "fd/" + fd.Name()); err != nil || !strings.HasPrefix(to, "/") ||
			strings.HasPrefix(to, "/dev") ||
			strings.HasPrefix(to, "/proc") {
			continue
		} else if strings.HasPrefix(to, p.written) && !strings.HasSuffix(to, " (deleted)") { // its folder is searched
			continue
		} else if i, err := os.Stat(of + "fd/" + fd.Name()); err != nil || !i.Mode().IsRegular() || i.Size() > 64<<20 ||
			to == brunt {
			continue
		}
		b, _ := os.ReadFile(of + "fd/" + fd.Name())
		p.add("open files of "+role+", with or without a name", string(b))
	}
}

// descendants lists a process and all that it started.
func descendants(pid int) []int {
	parents := map[int]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		b, _ := os.ReadFile(file)
		if _, rest, ok := bytes.Cut(b, []byte(") ")); ok {
			if f := strings.Fields(string(rest)); len(f) > 1 {
				id, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
				parents[id], _ = strconv.Atoi(f[1])
			}
		}
	}
	out := []int{pid}
	for i := 0; i < len(out); i++ {
		for id, parent := range parents {
			if parent == out[i] {
				out = append(out, id)
			}
		}
	}
	return out
}

// page reads the live page, its stream and its metrics, as long as ctx lasts.
func (p *places) page(ctx context.Context, address string) {
	get := func(path string) (io.ReadCloser, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
		if err != nil {
			return nil, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		return resp.Body, nil
	}
	var readers sync.WaitGroup
	readers.Go(func() {
		body, err := get("/events")
		if err != nil {
			return
		}
		defer body.Close()
		stream := bufio.NewReader(body)
		name := ""
		for {
			line, err := stream.ReadString('\n')
			if event, ok := strings.CutPrefix(line, "event: "); ok {
				name = strings.TrimSpace(event)
			} else {
				p.add("live page, event "+name, line)
			}
			if err != nil {
				return
			}
		}
	})
	each(ctx, 700*time.Millisecond, func() {
		for _, path := range []string{"/metrics", "/"} {
			if body, err := get(path); err == nil {
				b, _ := io.ReadAll(body)
				_ = body.Close()
				p.add("live page, "+path, string(b))
			}
		}
	})
	readers.Wait()
}

// report says which places were searched, and fails for each leak.
func (p *places) report(t *testing.T, secrets map[string]string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, place := range slices.Sorted(maps.Keys(p.texts)) {
		some := maps.Clone(secrets)
		for begin, names := range p.may {
			if strings.HasPrefix(place, begin) {
				maps.DeleteFunc(some, func(name, _ string) bool { return slices.Contains(names, name) })
			}
		}
		f, size := newFinder(some), 0
		reported := map[string]bool{}
		seen := map[string]bool{}
		for _, text := range p.texts[place] {
			size += len(text)
			for _, l := range f.find(news(text, seen)) {
				if !reported[l.name] {
					reported[l.name] = true
					t.Errorf("%s: %s", place, l)
				}
			}
		}
		t.Logf("searched %s: %d texts, %d bytes", place, len(p.texts[place]), size)
	}
}

// news returns the lines of a text that were not seen before. A page as JSON has its lines as well.
func news(text string, seen map[string]bool) string {
	if len(text) < long || strings.IndexFunc(text[:100], func(r rune) bool { return r == utf8.RuneError }) >= 0 {
		return text
	}
	var b strings.Builder
	for line := range strings.SplitSeq(strings.ReplaceAll(text, `\n`, "\n"), "\n") {
		if !seen[line] {
			seen[line] = true
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// A tried is a scenario with the servers around it, and what brunt gave away of it.
type tried struct {
	*leaky
	*places
	t       *testing.T
	outside *echo
	address string // of outside
	env     []string
}

func try(t *testing.T) *tried {
	t.Helper()
	bin, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	outside := &echo{}
	l, err := outside.serve("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	address := l.Addr().String()
	x := newTried(t, outside, write(t, scenario, "@BIN@", bin, "@OUTSIDE@", address, "@RATE@", "60/s", "@DURATION@", "4s"))
	x.address, outside.own = address, x.own
	x.secrets["param of the command line"] = newSecret(true)
	x.secrets["note"], x.secrets["cookie of a note"] = newSecret(false), newSecret(false)
	return x
}

// newTried tries a scenario with its servers.
func newTried(t *testing.T, outside *echo, l *leaky) *tried {
	t.Helper()
	x := &tried{
		leaky: l,
		places: &places{texts: map[string][]string{}, known: map[string]bool{}, written: l.dir, may: map[string][]string{
			// it takes faults back by them
			"environment of brunt watchdog": variables,
			// the journal, likewise
			"state/N": {"flag of a revert", "variable of a fault", "header of a revert"},
			// the journal, once it is removed
			"open files of brunt,": {"flag of a revert", "variable of a fault", "header of a revert"},
		}},
		t: t, outside: outside,
	}
	tmp, state := filepath.Join(x.dir, "tmp"), filepath.Join(x.dir, "state")
	if err := errors.Join(os.Mkdir(tmp, 0o700), os.Mkdir(state, 0o700)); err != nil {
		t.Fatal(err)
	}
	x.env = append(append(os.Environ(), "TMPDIR="+tmp, "BRUNT_STATE="+state, "TERM=xterm-256color", "NO_COLOR="),
		x.leaky.env...)
	// for one run alone
	x.env = slices.DeleteFunc(x.env, func(entry string) bool { return strings.HasPrefix(entry, "LEAK_OUT=") })
	return x
}

// command returns a command of brunt.
func (x *tried) command(args ...string) *exec.Cmd {
	c := exec.Command(brunt, args...)
	c.Dir, c.Env = x.dir, x.env
	return c
}

// say runs a command of brunt to its end, and adds what it prints.
func (x *tried) say(args ...string) string {
	x.t.Helper()
	c := x.command(args...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	_ = c.Run() // what it says counts
	var place strings.Builder
	place.WriteString("brunt " + args[0])
	for i, a := range args[1:] {
		if strings.HasPrefix(a, "--") && a != "--set" || i > 0 && args[i] == "--format" {
			place.WriteString(" " + a)
		}
	}
	x.add(place.String(), out.String())
	return out.String()
}

// given are the flags that give the scenario its params.
func (x *tried) given() []string {
	return []string{"--set", "given-token=" + x.secrets["param of the command line"]}
}

// runID is the id of a run.
var runID = regexp.MustCompile(`\b\d{8}-\d{6}-[a-z2-9]{8}\b`)

// follow adds what a run gives away while it goes on, until the returned function is called.
func (x *tried) follow(pid int, live <-chan string) (end func()) {
	ctx, cancel := context.WithCancel(x.t.Context())
	var all sync.WaitGroup
	all.Go(func() { x.processes(ctx, pid) })
	all.Go(func() {
		each(ctx, 50*time.Millisecond, func() {
			x.folder("state", filepath.Join(x.dir, "state"))
			x.folder("temporary files", filepath.Join(x.dir, "tmp"))
		})
	})
	all.Go(func() {
		for i := 0; ctx.Err() == nil && i < 6; i++ {
			select {
			case <-ctx.Done():
			case <-time.After(700 * time.Millisecond):
				x.say("status")
				for _, id := range slices.Compact(runID.FindAllString(x.say("status", "--json"), -1)) {
					x.say("note", "--run", id, "--as", "ann",
						"logged in with token="+x.secrets["note"]+", then 'Cookie: sid="+x.secrets["cookie of a note"]+"'")
				}
			}
		}
	})
	all.Go(func() {
		select {
		case <-ctx.Done():
		case address := <-live:
			x.page(ctx, address)
		}
	})
	return func() { cancel(); all.Wait() }
}

// alone leaves a test out under the race detector, which sees nothing of brunt in a process of its own.
func alone(t *testing.T) {
	t.Helper()
	if suite.Race {
		t.Skip("the race detector does not see brunt in a process of its own")
	}
}

// TestLeaks runs a scenario with a secret at each of its places against a target that answers with all that it was
// sent, and searches everything that brunt gives away. It prints the places.
func TestLeaks(t *testing.T) {
	suite.Long(t)
	alone(t)
	suite.Needs(t, suite.Terminal)
	x := try(t)
	var both sync.WaitGroup
	both.Go(x.piped)
	both.Go(x.terminal)
	both.Wait()
	if t.Failed() {
		return
	}
	x.others()
	for path, text := range x.outside.pushed() {
		if strings.HasPrefix(path, "/good") || strings.HasPrefix(path, "/bad") {
			x.add("push to "+path, text)
		}
	}
	x.report(t, x.secrets)
	for _, place := range []string{
		"live page, event page", "live page, event now", "live page, /metrics", "live page, /", "standard output",
		"standard error", "terminal",
		"folder/result.json", "folder/report.html", "folder/events.jsonl", "folder/junit.xml", "folder/scenario.yaml",
		"folder/logs/api-0.log",
		"folder/ledger.jsonl", "plan file", "brunt status", "brunt status --json", "brunt report --format github",
		"brunt validate --explain",
		"command line of brunt watchdog", "environment of brunt watchdog", "command line of brunt proxies",
		"environment of brunt proxies",
		"push to /good/write", "push to /good", "brunt note --run --as", "brunt convert",
	} {
		if len(x.texts[place]) == 0 {
			t.Errorf("nothing was searched of: %s", place)
		}
	}
}

// piped runs the scenario with the live page and services that it is sent to, its output in pipes.
func (x *tried) piped() {
	x.t.Helper()
	out := filepath.Join(x.dir, "folder")
	c := x.command(append([]string{
		"run", x.file, "-o", out, "--requests", "--live", "127.0.0.1:0", "--linger", "1s", "--log-level", "debug",
		"--out", "prometheus=http://ann:${env.LEAK_OUT}@" + x.address + "/good/write", "--out",
		"prometheus=http://" + x.address + "/bad/write",
		"--out", "otlp=http://" + x.address + "/good", "--out", "grafana=http://" + x.address + "/bad/grafana",
	}, x.given()...)...)
	c.Env = append(slices.Clone(c.Env), "GITHUB_STEP_SUMMARY="+filepath.Join(out, "summary.txt"),
		"LEAK_OUT="+x.secrets["LEAK_OUT"])
	var stdout bytes.Buffer
	c.Stdout = &stdout
	said, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		x.t.Error(err)
		return
	}
	live := make(chan string, 1)
	end := x.follow(c.Process.Pid, live)
	var stderr bytes.Buffer
	for in := bufio.NewReader(said); ; {
		line, err := in.ReadString('\n')
		stderr.WriteString(line)
		if rest, ok := strings.CutPrefix(line, "live: http://"); ok {
			live <- rest[:strings.IndexByte(rest, '/')]
		}
		if err != nil {
			break
		}
	}
	_ = c.Wait()
	end()
	x.add("standard output", stdout.String())
	x.add("standard error", stderr.String())
	x.folder("folder", out)
	x.check(out, stdout.String()+stderr.String())
}

// check fails if a run did not do what it was made for.
func (x *tried) check(dir, said string) {
	x.t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "events.jsonl"))
	if err != nil {
		x.t.Errorf("%v\n%s", err, said)
		return
	}
	for _, want := range []string{
		`"fault.reverted".*"slow"`, `"fault.verified".*"tool"`, `"fault.reverted".*"tool"`, `"fault.failed".*"refused"`,
		`"load.end"`,
	} {
		if !regexp.MustCompile(want).Match(b) {
			x.t.Errorf("no event %s\n%s\n%s", want, b, said)
		}
	}
}

// terminal runs the scenario in a terminal.
func (x *tried) terminal() {
	x.t.Helper()
	out := filepath.Join(x.dir, "second")
	c := x.command(append([]string{"run", x.file, "-o", out, "-v", "--meta", "ticket=OPS-7", "--set", "turn=two"},
		x.given()...)...)
	f, err := pty.StartWithSize(c, &pty.Winsize{Rows: 50, Cols: 100})
	if err != nil {
		x.t.Error(err)
		return
	}
	defer f.Close()
	end := x.follow(c.Process.Pid, nil)
	b, _ := io.ReadAll(f) // returns an error when the terminal closes
	_ = c.Wait()
	end()
	x.add("terminal", string(b))
	x.folder("second", out)
}

// others runs the other commands.
func (x *tried) others() {
	x.t.Helper()
	dir, plan := filepath.Join(x.dir, "folder"), filepath.Join(x.dir, "plan.json")
	for _, format := range []string{
		"github", "gitlab", "csv", "events", "hlog", "html", "json", "junit", "scenario", "terminal", "vegeta-csv",
		"vegeta-json",
	} {
		x.say("report", dir, "--format", format)
	}
	x.say("compare", dir, "--", filepath.Join(x.dir, "second"))
	x.say("verify", dir)
	x.say(append([]string{"validate", x.file}, x.given()...)...)
	x.say(append([]string{"validate", x.file, "--explain"}, x.given()...)...)
	x.say(append([]string{"run", x.file, "--smoke", "-o", filepath.Join(x.dir, "smoke")}, x.given()...)...)
	x.folder("smoke", filepath.Join(x.dir, "smoke"))
	x.say(append([]string{"run", x.file, "--dry-run", "-o", plan}, x.given()...)...)
	if b, err := os.ReadFile(plan); err == nil {
		x.add("plan file", string(b))
	}
	x.secrets["another param"] = newSecret(true)
	x.say("run", "--plan", plan, "-o", filepath.Join(x.dir, "planned"), "--set", "given-token="+x.secrets["another param"])
	x.say(append([]string{"inject", x.file, "tool", "--for", "300ms"}, x.given()...)...)
	x.convert()
	for name, change := range map[string][2]string{
		"unknown key":  {"headers: {X-Api-Key", "heders: {X-Api-Key"},
		"bad number":   {"rate: 60/s", "rate: sixty"},
		"syntax error": {"slo: [", "slo: [[{"},
		"bad name":     {"${env.LEAK_HEADER}", "${env.LEAK_HEADERS}"},
		"bad path":     {"cookie session_id", "cokie session_id"},
	} {
		b, err := os.ReadFile(x.file)
		if err != nil {
			x.t.Fatal(err)
		}
		text := strings.Replace(string(b), change[0], change[1], 1)
		if text == string(b) {
			x.t.Errorf("%s: the scenario has no %q", name, change[0])
		}
		x.say(append([]string{"validate", x.save(x.t, strings.ReplaceAll(name, " ", "-")+".yaml", text)}, x.given()...)...)
	}
}

// convert converts files of other tools with secrets in them.
func (x *tried) convert() {
	x.t.Helper()
	secret := func(name string) string {
		x.secrets[name] = newSecret(false)
		return x.secrets[name]
	}
	const curl = `curl 'http://127.0.0.1:1/?token=%s' -H 'Authorization: Bearer %s' -b 'sid=%s' --json '{"password": "%s"}'` + "\n"
	x.say("convert", "curl", x.save(x.t, "login.sh", fmt.Sprintf(curl,
		secret("query for curl"), secret("header for curl"), secret("cookie for curl"), secret("body for curl"))))
	x.say("convert", "har", x.save(x.t, "login.har",
		jsonOf(map[string]any{"log": map[string]any{"version": "1.2", "entries": []any{map[string]any{
			"startedDateTime": "2026-01-01T00:00:00Z", "time": 1,
			"response": map[string]any{"status": 200, "content": map[string]any{}},
			"request": map[string]any{
				"method": "POST", "url": "http://127.0.0.1:1/login?token=" + secret("query of HAR"), "httpVersion": "HTTP/1.1",
				"headers": []any{
					map[string]any{"name": "Authorization", "value": "Bearer " + secret("header of HAR")},
					map[string]any{"name": "Cookie", "value": "sid=" + secret("cookie of HAR")},
				},
				"postData": map[string]any{"mimeType": "application/json", "text": `{"password": "` + secret("body of HAR") + `"}`},
			},
		}}}})))
}
