//go:build linux

package drills

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	library "brunt/scenarios/drills"
	"brunt/scenarios/suite"
)

// What the load and the prober have in common.
const (
	timeout = time.Second
	slow    = 500 * time.Millisecond
	hold    = 2 * time.Second
	warmup  = 2 * time.Second
)

// slack is how far recovery times may be apart besides the distance between two requests.
const slack = 20 * time.Millisecond

// shows is an outage that is long enough to show at the rate of every drill; brunt says in its notes how long
// the shortest one is.
const shows = 350 * time.Millisecond

// A report is what these tests read of result.json.
type report struct {
	Verdict, Reason string
	T0              time.Time
	Faults          []struct {
		Name, Impact, Note string
		Led                string
		Units              []string
		Revert             string
		Gone               bool
		Injected, Recover  *float64
		Low                *float64 `json:"recovered_low"`
		High               *float64 `json:"recovered_high"`
		At                 *float64 `json:"recovered_at"`
	}
	Objectives []struct{ Text, Verdict, Note string }
	Incidents  []struct {
		Begin, End *float64
		Earliest   *float64 `json:"begin_low"`
		Latest     *float64 `json:"begin_high"`
		By         string
	}
	Generator struct {
		Freezes []struct{ T, D float64 }
	}
	Ledger  *struct{ Acknowledged, Lost, Duplicated, Unknown int }
	Watches []watched
}

// scenario is the drill's file in the folder dir. Entry is the address of the entry where brunt does not start the
// target.
func (d drill) scenario(dir, self, entry string, ports, base int) string {
	var b strings.Builder
	words := strings.NewReplacer("BIN", self, "DIR", dir, "ID", drillID(), "PORTS", strconv.Itoa(ports), "BASE",
		strconv.Itoa(base))
	b.WriteString("version: 1\nname: drill\n")
	flow, slo := `{get: "/?", name: page, check: {status: 200}}`, fmt.Sprintf(`"recover < %v after lose"`, d.recover)
	if d.ids != nil {
		flow = `{post: "/put?id=${ledger.id}", name: write, check: {status: 200}}`
		slo += ", lost = 0"
	}
	if d.library != "" {
		fmt.Fprintf(&b, "roles: {%s}\n", cmp.Or(d.parts, "store: "+d.store))
		if d.question != "" {
			fmt.Fprintf(&b, "leaders: {%s: %s}\n", d.store, words.Replace(d.question))
		}
	}
	read := `{get: "/get?id=${id}"}, count: "$.count"`
	if d.direct != nil {
		flow, read = d.direct.write, d.direct.read+", at: ["+d.direct.at+"]"
	}
	if d.cluster != nil {
		fmt.Fprintf(&b, "target: {url: \"http://%s\"}\n", entry)
	} else {
		fmt.Fprintf(&b, "target:\n  entry: %s\n  processes:%s\n", d.entry, words.Replace(d.processes))
	}
	if d.direct != nil {
		fmt.Fprintf(&b, "  endpoints: {system: %q}\n", d.direct.endpoint)
	}
	fmt.Fprintf(&b, "warmup: {for: %v}\njudge: {hold: %v, slow: %v}\n", warmup, hold, slow)
	fmt.Fprintf(&b, "load: {l: {executor: constant-arrival-rate, rate: %d/s, duration: %ds, timeout: %v, flow: [%s]}}\n",
		d.rate, d.seconds, timeout, flow)
	if d.ids != nil {
		fmt.Fprintf(&b, "ledger: {write: write, id: \"${ledger.id}\", read: %s, settle: 3s, within: 8s}\n", read)
	}
	if d.watch != "" {
		fmt.Fprintf(&b, "watch: {role: %s}\n", d.watch)
	}
	if d.library == "" {
		fmt.Fprintf(&b, "chaos:\n  lose: %s\nslo: [%s]\n", words.Replace(d.fault), slo)
	}
	return b.String()
}

// command is brunt's on the scenario in a file. A drill of the library has its own objectives.
func (d drill) command(dir, file, result string) *exec.Cmd {
	args := []string{"run", file, "-o", result}
	if d.library != "" {
		args = []string{
			"drill", "run", d.library, file, "-o", result, "--set", fmt.Sprintf("lasts=%ds", d.seconds),
			"--set", "hold=" + hold.String(),
		}
		set := d.set
		if found, err := library.Find(d.library, nil); err == nil && slices.Contains(found.ParamNames(), "recover") {
			set = append([]string{"recover=" + d.recover.String()}, set...)
		}
		if d.disks > 0 {
			set = append([]string{"path=" + filepath.Join(dir, "disk-${self.index}")}, set...)
		}
		for _, one := range set {
			args = append(args, "--set", one)
		}
	}
	return bruntIn(dir, args...)
}

// bruntIn is brunt in the folder of a run.
func bruntIn(dir string, args ...string) *exec.Cmd {
	c := exec.Command(brunt, args...)
	c.Env = append(os.Environ(), "NO_COLOR=1", "BRUNT_STATE="+filepath.Join(dir, "state"), drillDir+"="+dir)
	c.Dir = dir
	return c
}

// keepResult copies the result of a run, which is in out, to a folder of its own in DRILL_KEEP.
func keepResult(t *testing.T, dir string) {
	if kept := os.Getenv("DRILL_KEEP"); kept != "" {
		if err := os.CopyFS(filepath.Join(kept, filepath.Base(dir)), os.DirFS(filepath.Join(dir, "out"))); err != nil {
			t.Logf("keep the result: %v", err)
		}
	}
}

// endRun removes the shared memory of a run's servers, and says what brunt left.
func endRun(dir string) (left string) {
	left = leftBehind(dir)
	removeShared(dir)
	return left
}

// runToEnd runs brunt in a folder of its own on the scenario that text writes for it, and reads result.json into out.
// It returns what brunt printed. The exit code is that of the verdict.
func runToEnd(t *testing.T, text func(dir, self string) string, command func(dir, file, result string) *exec.Cmd,
	out any,
) (printed []byte) {
	t.Helper()
	dir := runDir(t)
	defer func() {
		if left := endRun(dir); left != "" {
			t.Errorf("left behind: %s", left)
		}
		os.RemoveAll(dir)
	}()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file, result := filepath.Join(dir, "scenario.yaml"), filepath.Join(dir, "out")
	scenario := text(dir, self)
	if err := os.WriteFile(file, []byte(scenario), 0o644); err != nil {
		t.Fatal(err)
	}
	memory := watchMemory(dir)
	printed, _ = command(dir, file, result).CombinedOutput()
	if took := memory(); took > memoryMost {
		t.Errorf("its processes took %d MiB of memory, at most %d are for them", took>>20, memoryMost>>20)
	} else {
		t.Logf("its processes took %d MiB of memory", took>>20)
	}
	raw, err := os.ReadFile(filepath.Join(result, "result.json"))
	if err == nil {
		err = json.Unmarshal(raw, out)
	}
	if err != nil {
		t.Fatalf("%v:\n%s\n%s", err, printed, scenario)
	}
	keepResult(t, dir)
	return printed
}

// play runs a drill once.
func (d drill) play(t *testing.T) (out row) {
	t.Helper()
	d.rate, d.seconds, d.every = cmp.Or(d.rate, 100), cmp.Or(d.seconds, 16), cmp.Or(d.every, 5*time.Millisecond)
	dir := runDir(t)
	defer func() {
		if left := endRun(dir); left != "" {
			out.errorf("left behind: %s", left)
		}
		if len(out.wrong)+len(out.unsteady) > 0 {
			keepResult(t, dir)
		}
		os.RemoveAll(dir)
	}()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file, result := filepath.Join(dir, "scenario.yaml"), filepath.Join(dir, "out")
	entry := d.entry + "[0]"
	if d.cluster != nil {
		d.cluster(t, dir, self)
	}
	d.mount(t, dir)
	text := d.scenario(dir, self, unitAddr(dir, entry), freePorts(t), freeBase(t))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	c := d.command(dir, file, result)
	var printed bytes.Buffer
	c.Stdout, c.Stderr = &printed, &printed
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- c.Wait() }()
	memory := watchMemory(dir)
	var p *prober
	if until(t, exited, func() bool { return d.serves(dir, unitAddr(dir, entry)) }) {
		p = startProber(d.prober(dir, unitAddr(dir, entry)))
	}
	w := watchUnits(dir)
	members := watchRoles(dir, d.roles)
	var data []snapshot
	if d.ids != nil && until(t, exited, func() bool { return d.begun(dir) }) {
		// The load has begun. It is over, and its last answers are in, when this time has passed.
		select {
		case <-time.After(warmup + seconds(float64(d.seconds)) + timeout):
			data = d.readData(dir, exited)
		case err := <-exited:
			exited <- err
		}
	}
	<-exited
	changes, roles := w.stop(), members.stop()
	out.load = loadAverage()
	if out.memory = memory(); out.memory == 0 || out.memory > memoryMost {
		out.errorf("its processes took %d MiB of memory, at most %d are for them", out.memory>>20, memoryMost>>20)
	}
	var probes []probe
	if p != nil {
		probes = p.stop()
	}
	r := &report{}
	raw, err := os.ReadFile(filepath.Join(result, "result.json"))
	if err == nil {
		err = json.Unmarshal(raw, r)
	}
	out.ill = illBefore(probes, r)
	out.details = printed.String()
	if err != nil || len(r.Faults) == 0 || r.Faults[0].Injected == nil {
		out.verdict = r.Verdict
		if err == nil && r.Verdict == "invalid" {
			out.unsteadyf("no fault was injected: %s", r.Reason)
		} else {
			out.errorf("no result: %v", err)
		}
		return out
	}
	acked := written(dir, "acked")
	late := r.late(acked)
	failed := failures(dir)
	d.compare(&out, r, probes, changes, arrivals(acked, failed))
	if d.watch != "" {
		asked := roles
		if d.slowAgents {
			asked = answered(r, roles)
		}
		compareRoles(&out, r, asked)
	}
	if d.hits != "" {
		d.compareHit(&out, r, changes, roles)
	}
	if d.leads != "" {
		d.compareLed(&out, r, roles)
	}
	if d.partial {
		compareFirstBad(&out, r, probes, acked, failed)
	}
	d.compareBlame(&out, r)
	switch {
	case d.direct != nil:
		d.compareHeld(&out, r, data)
	case d.ids != nil:
		d.compareWrites(&out, r, acked, late, data)
	}
	out.details = fmt.Sprintf("what the servers said:\n%swrites that failed:\n%sbrunt said:\n%s", said(roles, r.T0),
		bursts(failed, r.T0), out.details)
	return out
}

// open reports whether an objective on a metric did not pass.
func (r *report) open(metric string) bool {
	return slices.ContainsFunc(r.Objectives, func(o struct{ Text, Verdict, Note string }) bool {
		return strings.HasPrefix(o.Text, metric) && o.Verdict != "pass"
	})
}

// verdictOf is the verdict on the first objective of a metric; empty without one.
func (r *report) verdictOf(metric string) string {
	for _, o := range r.Objectives {
		if strings.HasPrefix(o.Text, metric) {
			return o.Verdict
		}
	}
	return ""
}

// illBefore says how the system was before the fault, if more than half of the limit of 1 % of the prober's requests
// were bad from the begin of the load to the injection, or to the time at which there was none.
func illBefore(probes []probe, r *report) string {
	if len(r.Faults) == 0 {
		return ""
	}
	end := r.T0.Add(4 * time.Second)
	if in := r.Faults[0].Injected; in != nil {
		end = r.T0.Add(seconds(*in))
	}
	n, bad := 0, 0
	for _, p := range probes {
		if !p.sent.Before(r.T0) && p.sent.Add(p.took).Before(end) { // others were in flight at the injection
			n++
			if p.bad {
				bad++
			}
		}
	}
	if bad*200 <= n {
		return ""
	}
	return fmt.Sprintf("%d of the prober's %d requests before the fault were bad", bad, n)
}

// compare holds brunt's times against the prober's.
func (d drill) compare(out *row, r *report, probes []probe, changes []change, writes []time.Time) {
	f := r.Faults[0]
	out.verdict = r.Verdict
	after := func(s float64) time.Time { return r.T0.Add(seconds(s)) }
	injected := after(*f.Injected)
	end := after(float64(d.seconds))
	out.stopped = longestStop(probes, injected, end, d.every)
	for _, f := range r.Generator.Freezes {
		if from := after(f.T); from.Before(end) && from.Add(seconds(f.D)).After(injected) {
			out.froze = max(out.froze, seconds(f.D))
		}
	}
	probes = slices.DeleteFunc(probes, func(p probe) bool { // up to the end of the load; then the system is ended
		return p.sent.After(end) || p.bad && p.took < timeout && p.sent.Add(p.took).After(end)
	})
	apart := seconds(1 / float64(d.rate))
	all := outages(probes, injected, cmp.Or(d.hold, hold), apart)
	var o outage
	if len(all) > 0 {
		o = all[0]
	}
	out.bad, out.lag = o.bad, o.lag
	begin := injected
	if d.group && o.seen {
		begin = o.begin
	} else if !d.group && d.cluster == nil && !d.quiet {
		compareInjection(out, injected, changes)
	}
	switch {
	case d.outage == always && !o.seen:
		out.errorf("the prober saw no outage")
	case d.outage == never && o.seen:
		out.errorf("the prober saw an outage of %v, %d bad: %s", o.end.Sub(o.begin), o.bad, causes(probes))
	}
	for _, more := range all[min(1, len(all)):] { // of the system for itself, or of its machine
		out.verdict += fmt.Sprintf(", bad again %.1fs after the injection for %v",
			more.begin.Sub(injected).Seconds(), more.end.Sub(more.begin).Round(time.Millisecond))
		out.again = true
	}
	if out.again {
		out.causes = causes(probes)
		if all[1].begin.Sub(o.end) > enough(d.rate) { // else brunt may hold both for one incident
			d.compareFirst(out, r, o)
		}
	}
	if d.lasts {
		if len(all) == 0 || all[len(all)-1].over || f.Recover != nil {
			out.errorf("it recovered: brunt says %v, the prober %+v", f.Recover, all)
		}
		out.truth, out.got = math.Inf(1), math.Inf(1)
		d.compareVerdict(out, r, "recover", false)
		return
	}
	// What failed after the outage, for itself or for its machine, may leave too little of the load to prove recovery.
	if last := lastGood(probes); f.Recover == nil && o.seen && last.After(o.end) && last.Add(enough(d.rate)).After(end) {
		out.again = true
		out.truth, out.got = last.Sub(begin).Seconds(), math.NaN()
		for _, objective := range r.Objectives { // it may pass no more, and fail from the limit on
			wrong := objective.Verdict == "pass" || objective.Verdict == "fail" && out.truth < d.recover.Seconds()
			if wrong && strings.HasPrefix(objective.Text, "recover") {
				out.errorf("%s: %s, and recovery from %.3f s on is not proven: %s", objective.Text, objective.Verdict, out.truth,
					objective.Note)
			}
		}
		return
	}
	if f.Recover == nil {
		out.got = math.NaN()
		if o.seen && tooShort(all) {
			out.blind = fmt.Sprintf("an outage of %v is too short to show at %d requests/s",
				o.end.Sub(o.begin).Round(time.Millisecond), d.rate)
		}
		if !tooShort(all) || r.open("recover") || r.open("heal") {
			out.unsteadyf("recovery is unknown: %s %s", f.Impact, f.Note)
		}
	} else {
		out.got = *f.Recover
	}
	if f.Low != nil && f.High != nil && f.At != nil {
		out.low, out.high = *f.Low-*f.At+out.got, *f.High-*f.At+out.got
	}
	at := begin.Add(seconds(out.got))
	edges := []time.Time{at}
	// it counts from there
	if d.group && len(r.Incidents) > 0 && r.Incidents[0].Begin != nil && r.Incidents[0].Earliest != nil {
		out.high += *r.Incidents[0].Begin - *r.Incidents[0].Earliest
		edges = []time.Time{after(*r.Incidents[0].Begin), after(*r.Incidents[0].Begin + out.got)}
	}
	good := lastOf(all, at)
	relapsed := out.again && r.verdictOf("recover") == "inconclusive" && o.end.Sub(begin) < d.recover
	if relapsed { // nothing shows that the fault did what came after its first outage, and brunt says so
		good = o
	}
	switch {
	case good.seen && !good.over:
		out.errorf("the prober saw no recovery")
	case good.seen && tooShort(all) && f.Recover != nil && out.got == 0: // and brunt says so: within the limit
	case good.seen && tooShort(all) && f.Recover == nil: // and it says that it does not know
	case good.seen:
		out.truth = good.nearest(at).Sub(begin).Seconds()
	}
	if tolerance := (apart + slack).Seconds(); math.Abs(out.got-out.truth) > tolerance {
		complain := out.errorf
		if out.blind = d.blind(out, edges, begin.Add(seconds(out.truth)), probes, writes); out.blind != "" {
			complain = out.unsteadyf
		}
		complain("recover is %.3fs, the prober's %.3fs: more than %.0f ms apart; %s", out.got, out.truth, tolerance*1000,
			causes(probes))
	}
	if o.seen && !d.group && !d.partial && out.truth > 0 {
		d.compareOnset(out, r, o, probes)
	}
	if !relapsed {
		d.compareVerdict(out, r, "recover", out.truth < d.recover.Seconds())
	}
	if d.outage == never && r.Verdict != "pass" {
		out.unsteadyf("no request failed, and the verdict is %s: %s", r.Verdict, r.Reason)
	}
}

// compareFirstBad holds the begin of the first incident against the load's own first write that the front refused or
// answered late, where a system fails some writes before it fails all: which of them are the load's is chance.
func compareFirstBad(out *row, r *report, probes []probe, acked, failed []write) {
	injected := r.T0.Add(seconds(*r.Faults[0].Injected))
	var first time.Time
	for _, w := range slices.Concat(acked, failed) {
		bad := w.why != "" || w.took > slow
		if bad && !w.probes() && w.came.Add(w.took).After(injected) && (first.IsZero() || w.came.Before(first)) {
			first = w.came
		}
	}
	if first.IsZero() || len(r.Incidents) == 0 || r.Incidents[0].Begin == nil {
		if out.got > 0 && len(r.Incidents) == 0 {
			out.unsteadyf("there is no incident")
		}
		return
	}
	earliest, begin := first, r.T0.Add(seconds(*r.Incidents[0].Begin))
	for _, p := range probes { // a write whose client has left is not in the log
		if p.bad && p.sent.Add(p.took).After(injected) && p.sent.Before(earliest) {
			earliest = p.sent
		}
	}
	low := begin
	if l := r.Incidents[0].Earliest; l != nil {
		low = r.T0.Add(seconds(*l))
	}
	if low.Sub(first) > slack || earliest.Sub(begin) > slack {
		out.unsteadyf("the incident begins at %.3f s, the load's first bad write came at %.3f s and the prober's at "+
			"%.3f s",
			begin.Sub(r.T0).Seconds(), first.Sub(r.T0).Seconds(), earliest.Sub(r.T0).Seconds())
	}
}

// compareInjection holds the injection against the process that it hit, which the kernel may take
// a while to end.
func compareInjection(out *row, injected time.Time, changes []change) {
	for _, c := range changes {
		if apart := c.at.Sub(injected); apart > -slack {
			if apart > 300*time.Millisecond {
				out.errorf("injected %v before the process of %s changed to %q", apart, c.unit, c.to)
			}
			return
		}
	}
	out.errorf("no process changed after the injection")
}

// enough is how long a load is watched before its recovery is certain at a limit of 1 %: it takes 300 good requests,
// and more where bad ones come in clusters.
func enough(rate int) time.Duration { return enoughFor(seconds(1 / float64(rate))) }

// enoughFor is enough of a load by the distance between its requests.
func enoughFor(apart time.Duration) time.Duration { return hold + 400*apart }

// compareFirst holds the end of the first incident after the injection against that of the prober's first outage.
func (d drill) compareFirst(out *row, r *report, o outage) {
	if o.end.Sub(o.begin) < shows {
		return
	}
	tolerance := seconds(1/float64(d.rate)) + slack
	for _, in := range r.Incidents {
		if in.End == nil {
			continue
		}
		if end := r.T0.Add(seconds(*in.End)); end.After(o.begin) {
			if apart := end.Sub(o.nearest(end)); apart.Abs() > tolerance {
				out.unsteadyf("the first incident ends %v from the prober's: more than %v", apart, tolerance)
			}
			return
		}
	}
	out.unsteadyf("there is no incident that ends")
}

// compareOnset holds the begin of the first incident against the prober's. Each knows it as an interval, which have to
// meet: brunt's, which is long where units end one after the other and requests between were good and bad by chance,
// and from the prober's last good request to its first bad one, which is long where the prober stood still. Where
// requests were in flight at the injection and nothing was bad before, the incident begins with the injection.
func (d drill) compareOnset(out *row, r *report, o outage, probes []probe) {
	if len(r.Incidents) == 0 || r.Incidents[0].Begin == nil {
		out.unsteadyf("there is no incident")
		return
	}
	begin, tolerance := r.T0.Add(seconds(*r.Incidents[0].Begin)), seconds(1/float64(d.rate))+slack
	earliest, good := begin, o.begin
	if low := r.Incidents[0].Earliest; low != nil {
		earliest = r.T0.Add(seconds(*low))
	}
	for _, p := range probes {
		if p.sent.Before(o.begin) {
			good = p.sent
		}
	}
	if max(earliest.Sub(o.begin), good.Sub(begin)) > tolerance {
		out.unsteadyf("the incident begins %v to %v after the prober's first bad request, and its last good one was %v "+
			"before: more than %v apart",
			earliest.Sub(o.begin), begin.Sub(o.begin), o.begin.Sub(good), tolerance)
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// compareVerdict holds the verdict on the objective of a metric against the truth.
func (d drill) compareVerdict(out *row, r *report, metric string, holds bool) {
	want := "pass"
	if !holds {
		want = "fail"
	}
	for _, o := range r.Objectives {
		if strings.HasPrefix(o.Text, metric) && o.Verdict != want {
			complain := out.errorf
			if metric == "recover" {
				complain = out.unsteadyf
			}
			complain("%s: %s, want %s: %s", o.Text, o.Verdict, want, o.Note)
		}
	}
	if !out.again && (r.Verdict == "invalid" || r.Verdict == "inconclusive") {
		out.unsteadyf("verdict %s: %s", r.Verdict, r.Reason)
	}
}

// compareWrites holds the ledger against the front's log and the data. Late is how many writes the front acknowledged
// as the timeout passed, or while brunt stood still until it passed: the client may have left before it read the
// answer.
func (d drill) compareWrites(out *row, r *report, acked []write, late int, data []snapshot) {
	if r.Ledger == nil {
		out.errorf("there is no ledger")
		return
	}
	read, changed := false, false
	for _, s := range data { // the last one is nearest to the end of brunt's reading
		if s.err == nil {
			lost := lostOf(acked, s.ids)
			changed = changed || read && lost != out.lost
			out.lost, read = lost, true
		}
	}
	out.reported = r.Ledger.Lost
	switch {
	case !read:
		out.errorf("all data could not be read:\n%s", listed(data, acked, r.T0))
	case out.lost != out.reported:
		out.errorf("%d writes are lost, brunt says %d:\n%s", out.lost, out.reported, listed(data, acked, r.T0))
	}
	if changed {
		out.verdict += ", lost writes changed while they were read"
		out.causes += listed(data, acked, r.T0)
	}
	if n := r.Ledger.Acknowledged; n > len(acked) || n < len(acked)-late {
		out.errorf("%d writes were acknowledged, %d of them as the timeout passed; brunt says %d", len(acked), late, n)
	}
	if r.Ledger.Unknown > 0 {
		out.errorf("%d writes are unknown", r.Ledger.Unknown)
	}
	if d.losses == always && out.lost == 0 || d.losses == never && out.lost > 0 {
		out.errorf("%d writes are lost", out.lost)
	}
	d.compareVerdict(out, r, "lost", out.lost == 0)
}

// compareHeld holds the writes that brunt says were kept against those that the system has in the end. No log tells
// which of them were acknowledged.
func (d drill) compareHeld(out *row, r *report, data []snapshot) {
	data = slices.DeleteFunc(slices.Clone(data), func(s snapshot) bool { return s.err != nil })
	if r.Ledger == nil || len(data) == 0 {
		out.errorf("there is no ledger, or all data could not be read")
		return
	}
	held := 0
	for id := range data[len(data)-1].ids {
		if own(id) {
			held++
		}
	}
	out.lost, out.reported = r.Ledger.Lost, r.Ledger.Lost
	if kept := r.Ledger.Acknowledged - r.Ledger.Lost; r.Ledger.Acknowledged == 0 || kept > held {
		out.errorf("brunt says that %d of %d acknowledged writes were kept; the system has %d", kept, r.Ledger.Acknowledged,
			held)
	}
	if r.Ledger.Unknown > 0 {
		out.errorf("%d writes are unknown", r.Ledger.Unknown)
	}
	if d.losses == never && out.lost > 0 {
		out.errorf("%d writes are lost", out.lost)
	}
	d.compareVerdict(out, r, "lost", out.lost == 0)
}

// compareBlame finds incidents that brunt gives to a fault that was not in when they began, and a fault that was not
// taken back.
func (d drill) compareBlame(out *row, r *report) {
	f := r.Faults[0]
	for _, in := range r.Incidents {
		if in.By != "" && in.Latest != nil && *in.Latest < *f.Injected {
			out.errorf("an incident from %.3f s on is blamed on %s, which was injected at %.3f s", *in.Begin, in.By, *f.Injected)
		}
	}
	if f.Revert == "failed" || f.Revert == "unverified" || !f.Gone {
		out.errorf("the fault was not taken back: %s", cmp.Or(f.Revert, "no proof that it is gone"))
	}
}

// causes sums up the causes of bad probes.
func causes(probes []probe) string {
	var b strings.Builder
	for i, p := range probes {
		if p.bad != (i > 0 && probes[i-1].bad) || p.bad && p.cause != probes[i-1].cause {
			fmt.Fprintf(&b, "\n  %s %.80s", p.intended.Format("05.000"), cmp.Or(p.cause, "good"))
		}
		if b.Len() > 2000 {
			return b.String() + " ..."
		}
	}
	return b.String()
}

// own is whether an id is of a write of brunt's load.
func own(id string) bool { return !strings.HasPrefix(id, "probe") && id != "health" }

// begun reports whether a write of the load has been taken.
func (d drill) begun(dir string) bool {
	if d.direct == nil {
		return len(written(dir, "acked")) > 0
	}
	ids, _ := d.ids(context.Background(), dir)
	for id := range ids {
		if own(id) {
			return true
		}
	}
	return false
}

// serves reports whether the system takes what the prober sends.
func (d drill) serves(dir, addr string) bool {
	if d.direct == nil {
		return serves(addr)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.direct.store(dir).put(ctx, "health") == nil
}

func (d drill) prober(dir, addr string) *prober {
	if d.direct != nil {
		s := d.direct.store(dir)
		return &prober{
			every: d.every, timeout: timeout, slow: slow,
			send: func(ctx context.Context, n int) error { return s.put(ctx, "probe"+strconv.Itoa(n)) },
		}
	}
	p := &prober{method: http.MethodGet, url: "http://" + addr + "/?n=", every: d.every, timeout: timeout, slow: slow}
	if d.ids != nil {
		p.method, p.url = http.MethodPost, "http://"+addr+"/put?id=probe"
	}
	return p
}

// runDir is a folder that other users can enter.
func runDir(t *testing.T) string {
	memory := ""
	var fs syscall.Statfs_t
	if syscall.Statfs("/dev/shm", &fs) == nil && int64(fs.Bavail)*fs.Bsize > 1<<30 {
		memory = "/dev/shm" // systems that write to it don't wait for a disk that others use
	}
	dir, err := os.MkdirTemp(memory, "drill")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// unitAddr is where a unit of the run in folder dir listens; empty: it has not started.
func unitAddr(dir, unit string) string {
	addr, _ := os.ReadFile(filepath.Join(dir, "addr."+unit))
	return string(addr)
}

// loadAverage is the machine's, of the last minute.
func loadAverage() string {
	raw, _ := os.ReadFile("/proc/loadavg")
	one, _, _ := strings.Cut(string(raw), " ")
	return one
}

// leftBehind lists what brunt left of a run in folder dir: processes with the folder in their environment, but for
// a front that brunt did not start, and a journal of faults. A process that was killed may take a while to end.
func leftBehind(dir string) (left string) {
	suite.Within(5*time.Second, func() bool {
		left = ""
		for _, process := range processesOf(dir) {
			env, _ := os.ReadFile(filepath.Join(process, "environ"))
			if bytes.Contains(env, []byte(ownServer+"=1\x00")) {
				continue
			}
			command, _ := os.ReadFile(filepath.Join(process, "cmdline"))
			left += fmt.Sprintf("process %s %.80q ", filepath.Base(process), command)
		}
		return left == ""
	})
	journals, _ := filepath.Glob(filepath.Join(dir, "state", "*.journal"))
	return left + strings.Join(journals, " ")
}

// removeShared removes the shared memory of PostgreSQL servers that were killed: only their own restart would.
func removeShared(dir string) {
	files, _ := filepath.Glob(filepath.Join(dir, "*", "postmaster.pid"))
	for _, file := range files {
		raw, _ := os.ReadFile(file)
		if lines := strings.Split(string(raw), "\n"); len(lines) > 6 {
			if ids := strings.Fields(lines[6]); len(ids) == 2 { // its key and its identifier
				_ = exec.Command("ipcrm", "-m", ids[1]).Run()
			}
		}
	}
}

// diskSize is the size of the filesystem of a unit that has one.
const diskSize = 128 << 20

// mount gives each unit of a drill with disks a filesystem of its own, which everyone may write to.
func (d drill) mount(t *testing.T, dir string) {
	for i := range d.disks {
		at := filepath.Join(dir, "disk-"+strconv.Itoa(i))
		err := os.Mkdir(at, 0o755)
		if err == nil {
			err = syscall.Mount("drill", at, "tmpfs", 0, "mode=1777,size="+strconv.Itoa(diskSize))
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(at, syscall.MNT_DETACH) })
	}
}

// freeBase is the first of three ports in a row that nothing listens on, nor on those with a 1 in front.
func freeBase(t *testing.T) int {
	for first := 5000 + os.Getpid()%400*10; first < 9990; first += 10 {
		free := true
		for i := range 6 {
			port := first + i%3
			if i >= 3 {
				port += 10000
			}
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if free = free && err == nil; err == nil {
				l.Close()
			}
		}
		if free {
			return first
		}
	}
	t.Fatal("no three free ports in a row")
	return 0
}

// freePorts is the first of ten ports in a row that nothing listens on.
func freePorts(t *testing.T) int {
	for first := 10000 + os.Getpid()%500*10; first < 20000; first += 10 { // brunt takes those of units above
		free := 0
		for i := range 10 {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+i))
			if err != nil {
				break
			}
			l.Close()
			free++
		}
		if free == 10 {
			return first
		}
	}
	t.Fatal("no ten free ports in a row")
	return 0
}

// until waits until a condition holds, and is false if brunt has ended before.
func until(t *testing.T, exited chan error, holds func() bool) bool {
	for deadline := time.Now().Add(2 * time.Minute); !holds(); {
		if time.Now().After(deadline) {
			t.Error("the target is not ready after two minutes")
			return false
		}
		select {
		case err := <-exited:
			exited <- err
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
	return true
}

// serves reports whether the entry answers.
func serves(addr string) bool {
	if addr == "" {
		return false
	}
	resp, err := http.Get("http://" + addr + "/healthz")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// A write is one that the front took from the load: when it came, how long it took, and why it failed.
type write struct {
	id   string
	came time.Time
	took time.Duration
	why  string
}

// written reads a log of the front: a line for each write, with its time, its duration, its id and why it failed.
func written(dir, log string) (all []write) {
	raw, _ := os.ReadFile(filepath.Join(dir, log))
	for line := range strings.Lines(string(raw)) {
		words := append(strings.SplitN(strings.TrimSpace(line), " ", 4), "")
		if len(words) < 4 {
			continue
		}
		w := write{id: words[2], why: words[3]}
		w.came, _ = time.Parse(time.RFC3339Nano, words[0])
		w.took, _ = time.ParseDuration(words[1])
		all = append(all, w)
	}
	return all
}

// late counts the writes whose answer the client may not have read: the front took nearly the timeout or longer, or the
// answer came while brunt stood still, and the timeout had passed when it went on.
func (r *report) late(acked []write) (n int) {
	for _, w := range acked {
		answered, over := w.came.Add(w.took).Sub(r.T0), w.came.Add(timeout*8/10).Sub(r.T0)
		asleep := slices.ContainsFunc(r.Generator.Freezes, func(z struct{ T, D float64 }) bool {
			from, to := seconds(z.T), seconds(z.T+z.D)
			return from <= answered && answered <= to && over <= to
		})
		if w.took > timeout*8/10 || asleep {
			n++
		}
	}
	return n
}

// failures are the writes that the front refused, the prober's among them, by the time at which they came.
func failures(dir string) []write {
	all := written(dir, "failed")
	slices.SortFunc(all, func(a, b write) int { return a.came.Compare(b.came) })
	return all
}

// arrivals are when the load's writes came.
func arrivals(acked, failed []write) (at []time.Time) {
	for _, w := range slices.Concat(acked, failed) {
		if !w.probes() {
			at = append(at, w.came)
		}
	}
	slices.SortFunc(at, time.Time.Compare)
	return at
}

// probes reports whether a write is the prober's.
func (w write) probes() bool { return strings.HasPrefix(w.id, "probe") }

// bursts lists the writes that failed: when the first and the last one of each burst came, how many of them were the
// load's, and why the last one failed.
func bursts(all []write, t0 time.Time) string {
	var b strings.Builder
	for i := 0; i < len(all); {
		from, load := i, 0
		for ; i < len(all) && (i == from || all[i].came.Sub(all[i-1].came) < slack); i++ {
			if !all[i].probes() {
				load++
			}
		}
		first, last := all[from], all[i-1]
		fmt.Fprintf(&b, "  %8.3fs to %8.3fs %d, %d of them the load's: %.120s\n",
			first.came.Sub(t0).Seconds(), last.came.Sub(t0).Seconds(), i-from, load, last.why)
	}
	return b.String()
}
