package sql

import (
	"sync"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
)

// session is a virtual user. It holds no memory: a call borrows the buffers that it needs.
type session struct {
	client *client
	places *targets.Places[Conn]
	own    bool // the connections belong to this user only
}

func (s *session) Close() error {
	if s.own {
		s.places.Close()
	}
	return nil
}

func (s *session) Do(it *template.Iter, by scenarios.Call, out *scenarios.Outcome) {
	t := exchanges.Get().(*exchange)
	t.Begin(&s.client.o, s.client, it, out)
	t.session, t.call, t.at = s, by.(*call), 0
	t.mem, t.ends, t.firsts = t.mem[:0], t.ends[:0], t.firsts[:0]
	t.Result = Result{}
	t.Progress.Do(t)
	t.end()
}

// exchange is a call in progress.
type exchange struct {
	calls.Progress
	*session
	call *call
	conn Conn

	at     int    // index of the current or last statement
	mem    []byte // of the arguments of all statements
	value  []byte
	ends   []int    // ends of the arguments in mem
	firsts []int    // number of the first argument of each statement
	args   [][]byte // arguments of the current statement
	Result
	within calls.Progress    // a statement of a transaction
	one    scenarios.Outcome // of that
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// mostMemory is the maximum size in bytes of a call's buffer that is kept for the next call.
const mostMemory = 64 << 10

// end returns everything that was borrowed.
func (t *exchange) end() {
	if cap(t.mem) > mostMemory {
		t.mem = nil
	}
	t.Progress, t.within = calls.Progress{}, calls.Progress{}
	t.session, t.call, t.conn, t.Result = nil, nil, nil, Result{}
	clear(t.args)
	exchanges.Put(t)
}

// compose fills in the arguments of a statement, after those of the previous statements.
func (t *exchange) compose(s *statement) (err error) {
	first := len(t.ends)
	if t.call.copies != nil {
		t.mem, t.value, err = t.call.copies.append(t.mem, t.value, t.It)
		t.ends = append(t.ends, len(t.mem))
	} else {
		t.mem, t.ends, err = appendArguments(t.mem, s.args, t.ends, t.It)
	}
	if err != nil {
		return err
	}
	t.firsts = append(t.firsts, first)
	t.choose(s, len(t.firsts)-1)
	return nil
}

// choose sets args to the arguments of statement i, which have been filled in.
func (t *exchange) choose(s *statement, i int) {
	first, end := t.firsts[i], len(t.ends)
	if i+1 < len(t.firsts) {
		end = t.firsts[i+1]
	}
	from := 0
	if first > 0 {
		from = t.ends[first-1]
	}
	t.args = t.args[:0]
	for k, to := range t.ends[first:end] {
		if k < len(s.args) && s.args[k].null {
			t.args = append(t.args, nil)
		} else {
			t.args = append(t.args, t.mem[from:to:to])
		}
		from = to
	}
}

// Compose implements [calls.Maker]. The statements of a transaction are composed one after another.
func (t *exchange) Compose() error {
	if t.call.transaction {
		return nil
	}
	return t.compose(&t.call.statements[0])
}

// Run implements [calls.Maker].
func (t *exchange) Run() error { return calls.Make(&t.Progress, t.places, false, t) }

// Exchange implements [calls.Trip].
func (t *exchange) Exchange(on Conn) (fate calls.Fate, err error) {
	if t.conn = on; t.call.transaction {
		err = t.transact()
	} else {
		err = t.send(&t.Progress, &t.call.statements[0].Statement)
	}
	switch {
	case err != nil:
	case t.client.o.Holds && on.Usable():
		fate = calls.Reuse
	default:
		fate = t.Reusable(on.Idle())
	}
	return fate, err
}

// send sends a statement and reads its answer. It turns a panic of a driver into an error, so that the connection is
// dropped.
func (t *exchange) send(x *calls.Progress, s *Statement) (err error) {
	defer scenarios.Recover(&err)
	t.Result = Result{}
	args := t.args
	if s.Form == Simple {
		args = nil
	}
	return t.conn.Run(x, s, args, &t.Result)
}

// Judge implements [calls.Maker]. The statements of a transaction are judged one after another.
func (t *exchange) Judge() {
	if !t.call.transaction {
		t.answered(&t.call.statements[0], t.Out)
	}
}

// answered records the answer to a statement in an outcome and judges it.
func (t *exchange) answered(s *statement, out *scenarios.Outcome) {
	out.Answered, out.Status = true, t.status()
	f := &t.Failure
	good := f.Code == "" || f.holds(s.allow)
	if targets.JudgeStatus(out, f.Code != "" && f.holds(s.shed), good, f.Cause) && f.Code == "" {
		s.rest.Judge(answer{&t.Result}, t.It, out)
	}
}

// wanted describes the first check that the last answer failed: the expected and the actual value.
func (t *exchange) wanted() string {
	if t.Failure.Code != "" {
		return t.Failure.Code + ": " + t.Failure.Text
	}
	if t.at >= len(t.call.statements) {
		return ""
	}
	return t.call.statements[t.at].rest.Wanted(answer{&t.Result}, t.It, t.Out)
}
