package policy

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/k6"
	"brunt/scenarios/plan"
	"brunt/scenarios/run"
	"brunt/scenarios/run/workers"
	"brunt/scenarios/run/workers/pods"
	"brunt/scenarios/suite"
	"brunt/targets/catalog"
)

// strictest is a policy under which nothing of a scenario leaves this machine, no program of its author is started, and
// no file outside its folder is read.
const strictest = "allow: {load: [], chaos: [], secrets: []}\nforbid: [commands]\nfiles: []"

// TestPolicy plays each row in a namespace that is watched from outside. Under the strictest policy, under the only
// rule of it that is of the row's kind, and under the row's own policy nothing is seen. Without a policy the same is
// seen.
func TestPolicy(t *testing.T) {
	suite.Needs(t, suite.Root)
	suite.Program(t, "ip", "iproute2")
	if inNamespace(t) {
		playAll(t, func(r row) bool { return r.script == "" })
	}
}

// TestPolicy_Scripts is TestPolicy for scripts of k6.
func TestPolicy_Scripts(t *testing.T) {
	suite.Needs(t, suite.Root)
	suite.Program(t, "ip", "iproute2")
	if _, err := k6.Find(os.Args[0], os.LookupEnv); err != nil {
		suite.Lack(t, "%v; then say BRUNT_K6=$PWD/%s", err, k6.Binary)
	}
	if inNamespace(t) {
		playAll(t, func(r row) bool { return r.script != "" })
	}
}

// TestPolicy_Protocols: the endpoints of each protocol have a row.
func TestPolicy_Protocols(t *testing.T) {
	for _, d := range catalog.Protocols() {
		if d.Name != "http" && d.Name != "plugin" && !slices.ContainsFunc(rows, func(r row) bool { // rows of their own
			return r.field == "scenarios.Target.endpoints" && r.name == d.Name
		}) {
			t.Errorf("no row for the endpoints of %s", d.Name)
		}
	}
}

// A play is a row with what it reaches for.
type play struct {
	row
	n      int
	named  bool   // FAR is a name
	dir    string // of the scenario
	beside string // of READ and MADE
	canary *canary
}

// playAll plays the rows: all under policies first, when nothing at all may be seen, then all without.
func playAll(t *testing.T, takes func(row) bool) {
	t.Helper()
	w := enter(t)
	var plays []*play
	for _, r := range rows {
		if !takes(r) {
			continue
		}
		for _, named := range []bool{false, true} {
			text := r.parts + r.holds + r.script
			if named && (!strings.Contains(text, "FAR") || strings.Contains(text, "HOST")) {
				continue
			}
			plays = append(plays, &play{row: r, n: len(plays), named: named})
		}
	}
	each := func(do func(p *play)) {
		turns, all := make(chan struct{}, 8), sync.WaitGroup{}
		for _, p := range plays {
			turns <- struct{}{}
			all.Go(func() { defer func() { <-turns }(); do(p) })
		}
		all.Wait()
	}
	for _, p := range plays {
		p.write(t, w)
	}
	writeKubeconfig(t, len(plays))
	each(func(p *play) {
		for _, limit := range p.policies() {
			why := p.run(t, w, limit)
			if p.seen(w) {
				t.Errorf("%s: it is seen under %q: %s", p, limit, why)
			}
		}
	})
	if sent, _ := w.left(func(string) bool { return true }); len(sent) > 0 {
		t.Errorf("this left under policies: %q", sent)
	}
	each(func(p *play) {
		if why := p.run(t, w, ""); !p.seen(w) {
			t.Errorf("%s: it is not seen without a policy either, so that its row proves nothing: %s", p, why)
		}
	})
	fields := map[string]bool{}
	for _, p := range plays {
		fields[p.field] = true
	}
	t.Logf("%d keys, %d plays; %d keys of the language have none", len(fields), len(plays), len(unplayed))
}

func (p *play) String() string {
	of := p.field
	if p.name != "" {
		of += " (" + p.name + ")"
	}
	if p.named {
		of += ", by a name"
	}
	return of
}

// policies returns the policies under which the row is played.
func (p *play) policies() []string {
	if p.policy != "" {
		return []string{p.fill(p.policy)}
	}
	text := p.parts + p.script
	switch {
	case p.script != "":
		return []string{strictest, "allow: {load: [], chaos: []}"}
	case strings.Contains(text, "CLUSTER"): // the API server may be asked, and the namespace is not named
		return []string{strictest, "allow: {load: [10.64.0.0/10], chaos: [10.64.0.0/10]}"}
	case strings.Contains(text, "compose:"):
		return []string{strictest, "forbid: [commands]"}
	case strings.Contains(text, "FAR"), strings.Contains(text, "HOST"):
		return []string{strictest, "allow: {load: [], chaos: []}"}
	case p.holds != "":
		return []string{strictest, "files: []"}
	}
	return []string{strictest, "forbid: [commands]"}
}

// fill replaces the words of a row's text.
func (p *play) fill(text string) string {
	host := addressOf(written, p.n)
	if p.named {
		host = nameOf(p.n)
	}
	return strings.NewReplacer(
		"FAR", net.JoinHostPort(host, "9"), "HOST", host, "GIVEN", nameOf(p.n), "OTHERDNS", otherDNS,
		"CLUSTER", fmt.Sprint("far", p.n), "READ", filepath.Join(p.beside, "other.txt"),
		"MADE", filepath.Join(p.beside, "made"),
		"DIR", p.beside, "NAME", p.fileName(), "PORT", fmt.Sprint(20000+p.n),
		"UNIT", fmt.Sprintf("[%q, unit]", os.Args[0]),
	).Replace(text)
}

// fileName is the name of the file that the row reads or makes.
func (p *play) fileName() string {
	if p.holds != "" {
		return "other.txt"
	}
	return "made"
}

// write writes the scenario, without a guard, and its files.
func (p *play) write(t *testing.T, w *world) {
	t.Helper()
	p.dir, p.beside = t.TempDir(), t.TempDir()
	text := "version: 1\nname: hostile\n" + p.parts + "\n"
	for key, part := range map[string]string{
		"target": `{url: "http://NEAR"}`, "load": "{a: {" + shape + ", flow: [{get: /}]}}",
	} {
		switch {
		case strings.Contains(text, "\n"+key+":"):
		case key == "load" && p.script != "":
			text += "load: {a: {k6: script.js}}\n"
		case key == "target" && (strings.Contains(text, "of: web") || strings.Contains(text, "service: web")):
			text += "target: {processes: {web: {command: UNIT, replicas: 2, ready: {get: /}}}}\n"
		default:
			text += key + ": " + part + "\n"
		}
	}
	files := map[string]string{
		"scenario.yaml": text, "own.txt": "x", "s.proto": service, "script.js": p.script,
	}
	for name, holds := range files {
		holds = strings.ReplaceAll(p.fill(holds), "NEAR", w.near)
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(holds), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if p.holds == "" {
		return
	}
	file := filepath.Join(p.beside, "other.txt")
	if err := os.WriteFile(file, []byte(p.fill(p.holds)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, filepath.Join(p.dir, "link.txt")); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(p.holds, "FAR") {
		p.canary = watchFile(t, file)
	}
}

// writeKubeconfig writes a kubeconfig with a cluster for each play, whose API server is at its address.
func writeKubeconfig(t *testing.T, n int) {
	t.Helper()
	var contexts, clusters []string
	for i := range n {
		contexts = append(contexts, fmt.Sprintf("{name: far%d, context: {cluster: far%d, user: far}}", i, i))
		clusters = append(clusters, fmt.Sprintf(`{name: far%d, cluster: {server: "https://%s:9"}}`, i, addressOf(written, i)))
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	text := "apiVersion: v1\nkind: Config\ncontexts: [" + strings.Join(contexts, ", ") + "]\nclusters: [" +
		strings.Join(clusters, ", ") + "]\nusers: [{name: far, user: {token: a}}]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", file)
}

// guard is a guard that allows everything that the rows reach for.
const guard = "\nguard: {allow: {load: [10.64.0.0/10, GIVEN, a.test, kubernetes/CLUSTER/load], " +
	"chaos: [10.64.0.0/10, GIVEN, kubernetes/CLUSTER/load]}}\n"

// run compiles the scenario under a policy, and plays it if it may be, until it is seen. Without a policy the scenario
// has a guard that allows everything; under one the policy alone decides. It returns what became of it.
func (p *play) run(t *testing.T, w *world, limit string) (why string) {
	file, state := filepath.Join(p.dir, "scenario.yaml"), t.TempDir()
	var files []string
	if limit != "" {
		policy := filepath.Join(state, "policy.yaml")
		if err := os.WriteFile(policy, []byte("version: 1\n"+limit+"\n"), 0o600); err != nil {
			t.Error(err)
			return ""
		}
		files = []string{policy}
	} else {
		text, err := os.ReadFile(file)
		file = filepath.Join(p.dir, "guarded.yaml")
		if err == nil {
			err = os.WriteFile(file, append(text, p.fill(guard)...), 0o600)
		}
		if err != nil {
			t.Error(err)
			return ""
		}
	}
	limits, err := plan.ReadPolicies(files, nil)
	if err != nil {
		t.Error(err)
		return ""
	}
	sc, err := scenarios.Parse(file, scenarios.Options{CheckFile: plan.CheckFile(limits)})
	if sc == nil {
		return err.Error()
	}
	compiled, err := plan.Compile(sc, plan.CompileOptions{Self: []string{os.Args[0]}, Policies: limits})
	if err != nil {
		return err.Error()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if p.seen(w) { // its file was read by the compiler
		return ""
	}
	done, hurry := make(chan struct{}), make(chan struct{}) // it is over once it is seen
	defer close(done)
	go func() {
		for {
			_, more := w.left(func(string) bool { return false })
			if p.seen(w) {
				cancel()
				close(hurry)
				return
			}
			select {
			case <-more:
			case <-time.After(50 * time.Millisecond): // a file is looked at
			case <-done:
				return
			}
		}
	}()
	o := run.Options{State: state, Hurry: hurry}
	if sc.Workers.Elsewhere() {
		o.Workers = run.Workers{N: sc.Workers.Count, Hirer: hirer{compiled}}
	}
	res, err := run.Run(ctx, compiled, o)
	if err != nil {
		return err.Error()
	}
	why = fmt.Sprint(res.Verdict, " ", res.Reason)
	for _, e := range res.Errors {
		why += "; " + e.Kind
	}
	return why
}

// A hirer asks the cluster of the workers, as the command does first.
type hirer struct{ plan *plan.Plan }

func (hirer) Dismiss() error { return nil }

func (h hirer) Hire(ctx context.Context, _ int) ([]workers.Post, error) {
	c, err := pods.Open(&h.plan.Scenario.Workers, h.plan)
	if err != nil {
		return nil, err
	}
	_, err = c.Identity(ctx)
	return nil, err
}

// seen reports whether what the row reaches for was seen.
func (p *play) seen(w *world) bool {
	if p.canary != nil {
		return p.canary.isOpened()
	}
	if _, err := os.Stat(filepath.Join(p.beside, "made")); err == nil {
		return true
	}
	of := []string{addressOf(written, p.n), addressOf(ofSystem, p.n), addressOf(ofOther, p.n)}
	sent, _ := w.left(func(what string) bool {
		return slices.Contains(of, what) || what == nameOf(p.n) && !strings.Contains(p.policy, "GIVEN")
	})
	return len(sent) > 0
}
