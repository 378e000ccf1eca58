// Package targetstest is the conformance suite of protocols: it tests the promises of [targets.Client] and
// [targets.Session], which every protocol keeps.
//
// A protocol's own tests call [Run] with a [Suite]: how to start its server, and which steps
// make that server answer, hang or refuse. [Backend] is what such servers have in common. [Compile] and [User] help
// with further tests.
package targetstest

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
	"brunt/targets"
)

// A Server is a target of the protocol. Its methods are safe for concurrent use.
type Server interface {
	Base() string       // for Options.Base
	Requests() int64    // received so far
	Connections() int64 // accepted so far
	Held() int64        // requests that it holds back
	Release()           // answers all requests that it holds, and every later one at once
	Marks() []string    // of the requests of Steps.Marked, in the order of arrival
}

// Steps are the steps, as YAML, that trigger the server's behaviours.
type Steps struct {
	Answer string // answered at once, correctly
	Slow   string // answered after 200 ms
	Hold   string // answered after Release
	Marked string // like Hold, and the request carries ${var.mark}
	Fail   string // answered with an answer that the step does not accept
	Cut    string // the connection is closed without an answer
	Reset  string // the connection is reset without an answer; empty: like Cut
	Keep   string // answered at once, and the user keeps the connection; empty: no step does
}

// A Suite describes a protocol to test against the promises of [targets.Client] and
// [targets.Session].
type Suite struct {
	Protocol *targets.Descriptor
	Start    func(t testing.TB) Server
	Steps    Steps
	Failed   scenarios.Cause // cause of a failed request of Steps.Fail
	// returns the number of c's requests that wait for a connection; nil: the requests that wait for its pool
	Waiting func(c targets.Client) int
	Shared  bool // many requests share one connection, with max_streams
	// requests are datagrams: a refusal is known only after a request was sent, and no connection is cut
	Datagrams bool
	QUIC      bool // connections are those of QUIC, so that no relay of TCP passes them on
	// the client starts a program, which counts as opened even if the server refuses it
	Starts  bool
	Network func(o *targets.Options) (targets.Network, error) // network of the client; nil: the protocol's own
}

// long is a timeout that expires only if a promise is broken.
const long = 30 * time.Second

// Run runs the suite.
func Run(t *testing.T, s Suite) {
	if s.Waiting == nil {
		s.Waiting = func(c targets.Client) int { return c.(interface{ Waiting() int }).Waiting() }
	}
	for _, c := range []struct {
		name string
		test func(*testing.T)
	}{
		{"Answer", s.answer},
		{"WarmUp", s.warmUp},
		{"Failure", s.failure},
		{"Deadline", s.deadline},
		{"PastDeadline", s.pastDeadline},
		{"LateAnswer", s.lateAnswer},
		{"Refused", s.refused},
		{"Broken", s.broken},
		{"Allowlist", s.allowlist},
		{"ConnectionLimit", s.connectionLimit},
		{"FirstComeFirstServed", s.firstCome},
		{"WaitTimesOut", s.waitTimesOut},
		{"NoPlaceIsLost", s.noPlaceIsLost},
		{"Abort", s.abort},
		{"Samples", s.samples},
		{"Close", s.closes},
	} {
		if s.Datagrams && c.name == "Broken" || (s.Datagrams || s.QUIC) && c.name == "Close" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			t.Cleanup(func() { // runs last
				settles(t, "goroutines", func() bool { return runtime.NumGoroutine() <= before })
			})
			c.test(t)
		})
	}
}

// settles waits until done returns true.
func settles(t testing.TB, what string, done func() bool) {
	t.Helper()
	if !suite.Within(long, done) {
		buf := make([]byte, 1<<16)
		t.Fatalf("%s never settled\n%s", what, buf[:runtime.Stack(buf, true)])
	}
}

// fixture is a client with its server.
type fixture struct {
	Server
	targets.Client
	flow *Flow
	t0   time.Time
}

func (s Suite) fixture(t *testing.T, change func(*targets.Options), steps ...string) *fixture {
	t.Helper()
	r := &fixture{Server: s.Start(t), t0: time.Now()}
	o := targets.Options{Base: r.Base(), Timeout: time.Second, T0: r.t0, Agent: "brunt"}
	if change != nil {
		change(&o)
	}
	r.t0 = o.T0
	r.flow = Compile(t, s.Protocol, "", steps...)
	var err error
	if s.Network != nil {
		if o.Network, err = s.Network(&o); err != nil {
			t.Fatal(err)
		}
	}
	if r.Client, err = s.Protocol.Client(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Release()
		if err := r.Client.Close(); err != nil {
			t.Errorf("closing the client: %v", err)
		}
	})
	return r
}

func (r *fixture) open(t *testing.T, vu int) *User {
	t.Helper()
	return r.flow.Open(t, r.Client, r.t0, vu)
}

// ordered checks the times of an outcome.
func ordered(t *testing.T, o scenarios.Outcome) {
	t.Helper()
	list := []time.Duration{o.Intended, o.Ready, o.Slot}
	if o.WasSent {
		list = append(list, o.Sent)
		if o.Answered {
			list = append(list, o.First)
		}
	}
	if list = append(list, o.End); !slices.IsSorted(list) {
		t.Errorf("times are out of order: %v of %+v", list, o)
	}
	if o.Answered && !o.WasSent {
		t.Errorf("answered without being sent: %+v", o)
	}
}

func is(t *testing.T, o scenarios.Outcome, kind scenarios.Kind, cause scenarios.Cause, sent, answered bool) {
	t.Helper()
	ordered(t, o)
	if o.Kind != kind || o.Cause != cause || o.WasSent != sent || o.Answered != answered {
		t.Errorf("got %v %q, sent %v, answered %v; want %v %q, %v, %v", o.Kind, o.Cause, o.WasSent, o.Answered,
			kind, cause, sent, answered)
	}
}

func (s Suite) answer(t *testing.T) {
	r := s.fixture(t, nil, s.Steps.Answer)
	u := r.open(t, 0)
	for i := range int64(5) {
		is(t, u.Do(0, long), scenarios.OK, scenarios.NoCause, true, true)
		if r.Requests() != i+1 || r.Opened() != 1 || r.Connections() != 1 {
			t.Fatalf("after %d calls the server had %d requests on %d connections, opened %d", i+1, r.Requests(),
				r.Connections(), r.Opened())
		}
	}
}

// warmUp: before t0, where all times are negative, a call is like any other.
func (s Suite) warmUp(t *testing.T) {
	r := s.fixture(t, func(o *targets.Options) { o.T0 = o.T0.Add(time.Hour) }, s.Steps.Fail, s.Steps.Answer)
	u := r.open(t, 0)
	for range 3 {
		o := u.Do(1, long)
		if is(t, o, scenarios.OK, scenarios.NoCause, true, true); o.Slot >= 0 || o.End >= 0 {
			t.Errorf("a time after t0: %+v", o)
		}
	}
	is(t, u.Do(0, long), scenarios.Error, s.Failed, true, true)
	if r.Requests() != 4 {
		t.Errorf("the server had %d requests", r.Requests())
	}
}

func (s Suite) failure(t *testing.T) {
	r := s.fixture(t, nil, s.Steps.Fail, s.Steps.Answer)
	u := r.open(t, 0)
	o := u.Do(0, long)
	is(t, o, scenarios.Error, s.Failed, true, true)
	if o.Failed == 0 || o.Checks < o.Failed {
		t.Errorf("%d of %d checks failed", o.Failed, o.Checks)
	}
	is(t, u.Do(1, long), scenarios.OK, scenarios.NoCause, true, true)
	if r.Requests() != 2 {
		t.Errorf("the server had %d requests", r.Requests())
	}
}

func (s Suite) deadline(t *testing.T) {
	r := s.fixture(t, nil, s.Steps.Hold, s.Steps.Answer)
	u := r.open(t, 0)
	for range 3 {
		is(t, u.Do(1, long), scenarios.OK, scenarios.NoCause, true, true) // there is a connection
		o := u.Do(0, 60*time.Millisecond)
		is(t, o, scenarios.Error, scenarios.Timeout, true, false)
		if o.End != u.It.Deadline {
			t.Errorf("ended at %v, the deadline was %v", o.End, u.It.Deadline)
		}
		if now := time.Since(r.t0); now < u.It.Deadline || now > u.It.Deadline+long {
			t.Errorf("came back at %v for %v", now, u.It.Deadline)
		}
	}
	is(t, u.Do(1, long), scenarios.OK, scenarios.NoCause, true, true)
	if r.Requests() != 7 {
		t.Errorf("the server had %d requests: something was sent twice", r.Requests())
	}
}

// pastDeadline tests that a request whose deadline has passed is never sent.
func (s Suite) pastDeadline(t *testing.T) {
	r := s.fixture(t, nil, s.Steps.Answer)
	u := r.open(t, 0)
	for _, warm := range []bool{false, true} { // on a new and on an idle connection
		if warm {
			is(t, u.Do(0, long), scenarios.OK, scenarios.NoCause, true, true)
		}
		before := r.Requests()
		u.It.Intended, u.It.Deadline = time.Since(r.t0)-time.Second, time.Since(r.t0)-time.Millisecond
		out := scenarios.Outcome{Intended: u.It.Intended, Ready: u.It.Intended}
		u.Session.Do(&u.It, r.flow.Calls[0], &out)
		is(t, out, scenarios.Error, scenarios.Timeout, false, false)
		if out.End != u.It.Deadline || r.Requests() != before {
			t.Errorf("ended at %v for %v, the server had %d requests", out.End, u.It.Deadline, r.Requests()-before)
		}
	}
	is(t, u.Do(0, long), scenarios.OK, scenarios.NoCause, true, true)
}

func (s Suite) lateAnswer(t *testing.T) {
	r := s.fixture(t, nil, s.Steps.Slow, s.Steps.Answer)
	u := r.open(t, 0)
	is(t, u.Do(1, long), scenarios.OK, scenarios.NoCause, true, true) // there is a connection
	o := u.Do(0, 100*time.Millisecond)
	is(t, o, scenarios.Error, scenarios.Timeout, true, false)
	if o.End != u.It.Deadline {
		t.Errorf("ended at %v, the deadline was %v", o.End, u.It.Deadline)
	}
	// The answer that comes now must not become the answer to the next request.
	is(t, u.Do(0, long), scenarios.OK, scenarios.NoCause, true, true)
	is(t, u.Do(1, long), scenarios.OK, scenarios.NoCause, true, true)
}

func (s Suite) refused(t *testing.T) {
	r := s.fixture(t, func(o *targets.Options) { o.Base = strings.Replace(o.Base, portOf(o.Base), closedPort(t), 1) },
		s.Steps.Answer)
	is(t, r.open(t, 0).Do(0, long), scenarios.Error, scenarios.Refused, s.Datagrams, false)
	if r.Opened() != 0 && !s.Datagrams && !s.Starts {
		t.Errorf("%d connections opened", r.Opened())
	}
}

func (s Suite) broken(t *testing.T) {
	r := s.fixture(t, nil, s.Steps.Answer, s.Steps.Cut, or(s.Steps.Reset, s.Steps.Cut))
	u := r.open(t, 0)
	sent := int64(0)
	do := func(step int, kind scenarios.Kind, cause scenarios.Cause) {
		t.Helper()
		out := u.Do(step, long)
		is(t, out, kind, cause, true, kind == scenarios.OK)
		sent += out.Written()
	}
	for range 2 {
		do(0, scenarios.OK, scenarios.NoCause)
		do(1, scenarios.Error, scenarios.Closed)
		do(0, scenarios.OK, scenarios.NoCause)
		want := scenarios.Reset
		if s.Steps.Reset == "" {
			want = scenarios.Closed
		}
		do(2, scenarios.Error, want)
	}
	if repeats := r.flow.Calls[1].Traits().Repeats; r.Requests() != sent || !repeats && sent != 8 {
		t.Errorf("the server had %d requests for 8 calls, and %d were counted", r.Requests(), sent)
	}
}

func (s Suite) allowlist(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	r := s.fixture(t, func(o *targets.Options) {
		o.Allow = Gate(func(addr netip.Addr, hostport, host string) error {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, addr.String(), hostport, host)
			return errors.New("not in this test")
		})
	}, s.Steps.Answer)
	is(t, r.open(t, 0).Do(0, long), scenarios.Error, scenarios.NotAllowed, false, false)
	if r.Connections() != 0 || r.Opened() != 0 {
		t.Errorf("the server was reached: %d connections, opened %d", r.Connections(), r.Opened())
	}
	host := hostOf(r.Base())
	if len(asked) != 3 || asked[0] != host || !strings.HasSuffix(asked[1], ":"+portOf(r.Base())) || asked[2] != host {
		t.Errorf("the allowlist was asked for %q", asked)
	}
}

// limit bounds the number of requests in progress at once.
func (s Suite) limit(o *targets.Options, most int) {
	o.Connections.Max = most
	if s.Shared {
		o.Connections.Max, o.Connections.MaxStreams = 1, most
	}
}

func (s Suite) connectionLimit(t *testing.T) {
	const most, users = 3, 9
	connections := int64(most)
	if s.Shared {
		connections = 1
	}
	r := s.fixture(t, func(o *targets.Options) { s.limit(o, most) }, s.Steps.Hold)
	out := make([]scenarios.Outcome, users)
	var all sync.WaitGroup
	for i := range users {
		u := r.open(t, i)
		all.Go(func() { out[i] = u.Do(0, long) })
	}
	settles(t, "held and waiting", func() bool { return r.Held() == most && s.Waiting(r.Client) == users-most })
	released := time.Since(r.t0)
	r.Release()
	all.Wait()
	if r.Opened() != connections || r.Connections() != connections || r.Requests() != users {
		t.Errorf("%d requests on %d connections, opened %d", r.Requests(), r.Connections(), r.Opened())
	}
	waited := 0
	for _, o := range out {
		is(t, o, scenarios.OK, scenarios.NoCause, true, true)
		if o.Slot >= released && o.Queue() >= released-o.Ready {
			waited++
		}
	}
	if waited != users-most {
		t.Errorf("%d calls waited in the queue, want %d", waited, users-most)
	}
}

func (s Suite) firstCome(t *testing.T) {
	r := s.fixture(t, func(o *targets.Options) { s.limit(o, 1) }, s.Steps.Marked)
	var all sync.WaitGroup
	var want []string
	for i := range 12 {
		u := r.open(t, i)
		want = append(want, strconv.Itoa(i))
		u.It.Vars[0].SetText(want[i])
		all.Go(func() { is(t, u.Do(0, long), scenarios.OK, scenarios.NoCause, true, true) })
		settles(t, "in line", func() bool { return r.Held() == 1 && s.Waiting(r.Client) == i })
	}
	r.Release()
	all.Wait()
	if got := r.Marks(); !slices.Equal(got, want) {
		t.Errorf("served %v", got)
	}
}

// waitTimesOut tests that a request that waits for a connection until its deadline fails
// on time, and that its place is not lost.
func (s Suite) waitTimesOut(t *testing.T) {
	r := s.fixture(t, func(o *targets.Options) { s.limit(o, 1) }, s.Steps.Hold, s.Steps.Answer)
	var all sync.WaitGroup
	first := r.open(t, 0)
	all.Go(func() { is(t, first.Do(0, long), scenarios.OK, scenarios.NoCause, true, true) })
	settles(t, "held", func() bool { return r.Held() == 1 })
	var gone atomic.Int64
	for i := range 4 {
		u := r.open(t, i+1)
		all.Go(func() {
			o := u.Do(1, 50*time.Millisecond)
			gone.Add(1)
			is(t, o, scenarios.Error, scenarios.Timeout, false, false)
			if o.End != u.It.Deadline || o.Slot != o.End {
				t.Errorf("waited until %v, slot %v, the deadline was %v", o.End, o.Slot, u.It.Deadline)
			}
		})
	}
	u := r.open(t, 9)
	all.Go(func() { is(t, u.Do(1, long), scenarios.OK, scenarios.NoCause, true, true) })
	settles(t, "given up", func() bool { return gone.Load() == 4 && s.Waiting(r.Client) == 1 })
	r.Release()
	all.Wait()
	if r.Requests() != 2 || r.Connections() != 1 {
		t.Errorf("%d requests on %d connections", r.Requests(), r.Connections())
	}
}

// noPlaceIsLost tests that a connection that becomes free while waiting requests give up goes
// to another request.
func (s Suite) noPlaceIsLost(t *testing.T) {
	const most = 2
	r := s.fixture(t, func(o *targets.Options) { s.limit(o, most) }, s.Steps.Answer)
	is(t, r.open(t, 0).Do(0, long), scenarios.OK, scenarios.NoCause, true, true)
	var all sync.WaitGroup
	for i := range 16 {
		u := r.open(t, i+1)
		all.Go(func() {
			for n := range 60 {
				ordered(t, u.Do(0, time.Duration(100+37*(i+n)%900)*time.Microsecond))
			}
		})
	}
	all.Wait()
	for i := range most + 1 {
		is(t, r.open(t, 20+i).Do(0, long), scenarios.OK, scenarios.NoCause, true, true)
	}
	if n := s.Waiting(r.Client); n != 0 {
		t.Errorf("%d still wait", n)
	}
}

func (s Suite) abort(t *testing.T) {
	for _, most := range []int{0, 2} {
		r := s.fixture(t, func(o *targets.Options) { s.limit(o, most) }, s.Steps.Hold, s.Steps.Answer)
		const users = 6
		var all sync.WaitGroup
		out := make([]scenarios.Outcome, users)
		for i := range users {
			u := r.open(t, i)
			all.Go(func() { out[i] = u.Do(0, long) })
		}
		held := int64(users)
		if most > 0 {
			held = int64(most)
		}
		settles(t, "held", func() bool { return r.Held() == held })
		r.Abort()
		all.Wait()
		sent := int64(0)
		for _, o := range out {
			is(t, o, scenarios.Error, scenarios.Unfinished, o.WasSent, false)
			if o.WasSent {
				sent++
			}
			if o.End >= o.Intended+long {
				t.Errorf("it took until %v", o.End)
			}
		}
		if sent != held {
			t.Errorf("%d were sent, %d held", sent, held)
		}
		before := r.Requests()
		is(t, r.open(t, 99).Do(1, long), scenarios.Error, scenarios.Unfinished, false, false)
		if r.Requests() != before {
			t.Error("a request was sent after the abort")
		}
	}
}

// closes tests that a client is closed within a bound, with a connection in use, an idle one and a kept one, whatever
// the server does from then on, or from when the users have left.
func (s Suite) closes(t *testing.T) {
	for how := floods; how < turns; how++ {
		for when, late := range map[string]bool{"before": false, "after": true} {
			t.Run(fmt.Sprintf("%v %s the users leave", how, when), func(t *testing.T) {
				t.Parallel()
				s.closesAt(t, how, late)
			})
		}
	}
}

// closeTime is how long the end of a client may take.
const closeTime = 8 * time.Second

func (s Suite) closesAt(t *testing.T, how turn, late bool) {
	var by *turncoat
	r := s.fixture(t, func(o *targets.Options) {
		by = startTurncoat(t, net.JoinHostPort(hostOf(o.Base), portOf(o.Base)))
		if !s.Starts { // a program is told the address, and need not go there
			o.Base = by.at(o.Base)
		}
	}, s.Steps.Answer, s.Steps.Hold, or(s.Steps.Keep, s.Steps.Answer))
	idle, keeps, waits := r.open(t, 0), r.open(t, 1), r.open(t, 2)
	is(t, keeps.Do(2, long), scenarios.OK, scenarios.NoCause, true, true)
	is(t, idle.Do(0, long), scenarios.OK, scenarios.NoCause, true, true)
	over := make(chan scenarios.Outcome, 1)
	go func() { over <- waits.Do(1, long) }()
	settles(t, "held", func() bool { return r.Held() == 1 })
	if late {
		by.become(t, stays)
	} else {
		by.become(t, how)
	}
	began := time.Now()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for _, u := range []*User{idle, keeps} {
			_ = u.Session.Close() // what is left may be lost
		}
		if late {
			by.become(t, how)
		}
		_ = r.Client.Close()
		<-over
	}()
	select {
	case <-ended:
	case <-time.After(closeTime):
		buf := make([]byte, 1<<18)
		t.Fatalf("the client is still open after %v\n%s", time.Since(began), buf[:runtime.Stack(buf, true)])
	}
}

// sampler keeps all samples.
type sampler struct {
	mu   sync.Mutex
	want bool // wants failed requests
	slow bool // wants requests that are ok
	kept []result.Sample
}

func (s *sampler) Want(o *scenarios.Outcome) bool {
	if o.Kind == scenarios.Error {
		return s.want
	}
	return s.slow
}

func (s *sampler) Keep(_ *scenarios.Outcome, sm result.Sample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, sm)
}

func (s Suite) samples(t *testing.T) {
	k := &sampler{want: true}
	r := s.fixture(t, func(o *targets.Options) { o.Sampler = k }, s.Steps.Answer, s.Steps.Fail, s.Steps.Hold)
	u := r.open(t, 0)
	u.Do(0, long)
	if len(k.kept) != 0 {
		t.Errorf("a request that is ok was kept: %+v", k.kept)
	}
	failed := u.Do(1, long)
	u.Do(2, 20*time.Millisecond)
	if len(k.kept) != 2 {
		t.Fatalf("kept %+v", k.kept)
	}
	for i, sm := range k.kept {
		if sm.Step != r.flow.Calls[i+1].Name() || sm.Request == "" {
			t.Errorf("sample %d: %+v", i, sm)
		}
		if sm.Sent == nil || sm.Sent.Method+" "+sm.Sent.URL != sm.Request {
			t.Errorf("sample %d: %s was sent as %+v", i, sm.Request, sm.Sent)
		}
	}
	if k.kept[0].At != failed.Intended.Seconds() || k.kept[1].Message == "" {
		t.Errorf("%+v", k.kept)
	}
	k.want = false
	u.Do(1, long)
	if len(k.kept) != 2 {
		t.Error("a sample was kept that was not wanted")
	}
	k.slow = true
	ok := u.Do(0, long)
	if len(k.kept) != 3 {
		t.Fatalf("a request that is ok and wanted was not kept: %+v", k.kept)
	}
	if sm := k.kept[2]; sm.At != ok.Intended.Seconds() || sm.Message != "" || sm.Body != "" || sm.Sent == nil ||
		sm.Sent.Method+" "+sm.Sent.URL != sm.Request {
		t.Errorf("of a request that is ok it kept %+v", sm)
	}
}
