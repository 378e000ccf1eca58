package sql

import (
	"sync"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
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
	t.session, t.call, t.it, t.out, t.at = s, by.(*call), it, out, 0
	t.mem, t.ends, t.firsts = t.mem[:0], t.ends[:0], t.firsts[:0]
	t.Result = Result{}
	err := t.run()
	if err != nil {
		targets.Fail(out, err, max(s.client.o.Now(), out.Slot), it.Deadline, s.client.Over().Err() != nil)
	}
	t.sample(err)
	t.end()
}

// exchange is a call in progress.
type exchange struct {
	*session
	call *call
	it   *template.Iter
	out  *scenarios.Outcome
	conn Conn

	at     int    // index of the current or last statement
	mem    []byte // of the arguments of all statements
	value  []byte
	ends   []int    // ends of the arguments in mem
	firsts []int    // number of the first argument of each statement
	args   [][]byte // arguments of the current statement
	Result
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// mostMemory is the maximum size in bytes of a call's buffer that is kept for the next call.
const mostMemory = 64 << 10

// end returns everything that was borrowed.
func (t *exchange) end() {
	if cap(t.mem) > mostMemory {
		t.mem = nil
	}
	t.session, t.call, t.it, t.out, t.conn, t.Result = nil, nil, nil, nil, nil, Result{}
	clear(t.args)
	exchanges.Put(t)
}

// compose fills in the arguments of a statement, after those of the previous statements.
func (t *exchange) compose(s *statement) (err error) {
	first := len(t.ends)
	if t.call.copies != nil {
		t.mem, t.value, err = t.call.copies.append(t.mem, t.value, t.it)
		t.ends = append(t.ends, len(t.mem))
	} else {
		t.mem, t.ends, err = appendArguments(t.mem, s.args, t.ends, t.it)
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

// run makes the call. An error means that there is no answer.
func (t *exchange) run() error {
	s := &t.call.statements[0]
	if !t.call.transaction {
		if err := t.compose(s); err != nil {
			t.out.Slot = t.client.o.Now()
			return err
		}
	}
	var err error
	t.conn, t.out.Slot, _, err = t.places.Get(t.it.Deadline, &t.out.Opening)
	if err != nil {
		return err
	}
	first := &s.Statement
	if t.call.transaction {
		first = &t.call.begin
	}
	for again := (targets.Resend{}); ; {
		if err = t.send(first); !again.After(err, t.out) {
			break
		}
		if t.conn, err = t.places.Replace(t.conn, t.it.Deadline, &t.out.Opening); err != nil {
			return err
		}
	}
	t.out.WasSent, t.out.Sent = t.WasSent, t.Sent
	if t.WasSent {
		t.out.Attempts++
	}
	t.out.First = t.First
	switch {
	case err == nil && t.call.transaction:
		err = t.transact()
	case err == nil:
		t.answered(s, t.out)
	}
	keep := t.conn.Idle() && t.client.o.KeepsAlive() || t.client.o.Holds && t.conn.Usable()
	t.places.Put(t.conn, err == nil && keep)
	if err == nil && t.out.End > t.it.Deadline {
		err = targets.ErrLate
	}
	return err
}

// send sends a statement and reads its answer.
func (t *exchange) send(s *Statement) error {
	t.Result = Result{}
	t.conn.Until(t.it.Deadline, t.client.slack)
	args := t.args
	if s.Form == Simple {
		args = nil
	}
	err := run(t.conn, s, args, &t.Result)
	t.out.Bytes += t.Result.Bytes
	return err
}

// run runs a statement on a connection. It turns a panic of a driver into an error, so that the connection is
// dropped.
func run(c Conn, s *Statement, args [][]byte, r *Result) (err error) {
	defer scenarios.Recover(&err)
	return c.Run(s, args, r)
}

// answered records the answer to a statement in an outcome and judges it.
func (t *exchange) answered(s *statement, out *scenarios.Outcome) {
	out.Answered, out.Status, out.First, out.End = true, t.status(), t.First, t.End
	f := &t.Failure
	good := f.Code == "" || f.holds(s.allow)
	if targets.JudgeStatus(out, f.Code != "" && f.holds(s.shed), good, f.Cause) && f.Code == "" {
		s.rest.Judge(answer{&t.Result}, t.it, out)
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
	return t.call.statements[t.at].rest.Wanted(answer{&t.Result}, t.it, t.out)
}
