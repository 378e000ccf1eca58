package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"brunt/reporters/html"
	"brunt/reporters/live"
	"brunt/reporters/metrics"
	"brunt/scenarios/disk"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// livePage serves the run to a browser if --live is given. A nil livePage serves nothing.
type livePage struct {
	server *live.Server
	linger time.Duration
	served chan struct{} // closed when the server has stopped
}

// liveFlags holds --live and --linger.
type liveFlags struct {
	addr   string
	linger time.Duration
}

// openLive listens at the address of --live, before anything is started. Stop ends the run. A second call of stop
// ends the run's teardown and returns true.
func (f *runFlags) openLive(name string, out io.Writer, stop func() (again bool)) (*livePage, error) {
	if f.live.addr == "" {
		if f.live.linger != 0 {
			return nil, usagef("--linger is for --live")
		}
		return nil, nil
	}
	if f.live.linger < 0 {
		return nil, usagef("--linger is negative")
	}
	l, names, err := listenAt("--live", f.live.addr)
	if err != nil {
		return nil, err
	}
	token := rand.Text()
	p := &livePage{
		linger: f.live.linger, served: make(chan struct{}),
		server: live.New(live.Options{Name: name, Runs: f.repeat, Token: token, Stop: stop, Hosts: names}),
	}
	go func() {
		defer close(p.served)
		_ = p.server.Serve(l) // the error of a closed listener
	}()
	fmt.Fprintf(out, "live: http://%s/ and /metrics; token to stop and mark the run there: %s\n", l.Addr(), token)
	if !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
		fmt.Fprintf(out, "brunt: warning: --live %s is open to everyone who can reach this machine by network, without a "+
			"password or encryption: it shows "+
			"the scenario, its URLs and answers of the target; only stopping the run and marking faults need the token\n", f.live.addr)
	}
	return p, nil
}

// listenAt listens at the address of a flag, and returns the host names that requests to it may use; see [namesOf].
func listenAt(flag, addr string) (net.Listener, []string, error) {
	host, port, err := listenAddress(flag, addr)
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, nil, usagef("%s %s: %w; choose another port, or port 0 for a free one", flag, addr, err)
	}
	return l, namesOf(host, l.Addr()), nil
}

// namesOf returns the host names that requests to a listener may use, in lower case.
func namesOf(host string, at net.Addr) (names []string) {
	if net.ParseIP(host) == nil {
		names = append(names, strings.ToLower(host))
	}
	if self, err := os.Hostname(); err == nil && !at.(*net.TCPAddr).IP.IsLoopback() {
		names = append(names, strings.ToLower(self))
	}
	return names
}

// listenAddress parses a flag of the form HOST:PORT. An empty host means loopback.
func listenAddress(flag, text string) (host, port string, err error) {
	host, port, err = net.SplitHostPort(text)
	if err != nil {
		return "", "", usagef("%s is [HOST]:PORT, such as :9464, not %q", flag, text)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return host, port, nil
}

// watch shows a run and serves its metrics at /metrics. It is called before the run's load begins.
func (p *livePage) watch(plan *plan.Plan, o *run.Options, figures *metrics.Collector) {
	if p == nil {
		return
	}
	p.server.Expect(result.Masked(run.PendingResult(plan, *o), plan.Scenario.Secrets.Mask), figures)
	next := o.Live
	o.BySteps = true
	o.Live = func(iv result.Interval) {
		next(iv)
		p.server.Observe(iv)
	}
	o.Begun = func(sample run.Sampler) { p.server.Begin(sample) }
	o.Attended = func(mark run.Marker) { p.server.Attend(mark) }
}

// mostReport bounds the report of a run, in bytes.
const mostReport = 1 << 30

// over shows the result of a run: the report in its folder, or, if the report could not be written, the result
// itself.
func (p *livePage) over(res *result.Result, dir string, unwritten error) {
	if p == nil || res == nil {
		return
	}
	var report []byte
	if unwritten == nil {
		report, _ = disk.Read(filepath.Join(dir, html.File), mostReport)
	}
	p.server.End(res, report)
}

// close keeps serving for the time of --linger or until ctx ends, and then stops.
func (p *livePage) close(ctx context.Context) {
	if p == nil {
		return
	}
	if p.linger > 0 {
		t := time.NewTimer(p.linger)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
	_ = p.server.Close() // does not wait for a client that hangs
	<-p.served
}
