package plugin

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
	"brunt/targets/stream"
)

// session is a virtual user. All its calls go to the same process, as long as that lives.
type session struct {
	client *client
	lane   *lane
	user   int
}

func (s *session) Close() error { return nil }

func (s *session) Do(it *template.Iter, by scenarios.Call, out *scenarios.Outcome) {
	x := exchanges.Get().(*exchange)
	x.session, x.call, x.it, x.out = s, by.(*call), it, out
	s.lane.by.CompareAndSwap(nil, x.call.by)
	err := x.compose()
	if err != nil {
		out.Slot = s.client.o.Now()
	} else {
		err = x.run()
	}
	if err != nil {
		targets.Fail(out, err, max(s.client.o.Now(), out.Slot), it.Deadline, s.client.Over().Err() != nil)
	} else {
		x.call.expected.Judge(&x.message, x.status, causes.Cause(x.status), it, out)
	}
	x.sample(err)
	x.end()
}

// exchange is a call in progress.
type exchange struct {
	*session
	call *call
	it   *template.Iter
	out  *scenarios.Outcome

	with    []byte // as the step has it, rendered
	rest    []byte // its line, without the id
	message stream.Message
	status  int32
	timer   *time.Timer

	// These belong to the process while the call is under way.

	id     uint64
	handed bool          // its line was handed to the program
	sent   time.Duration // when it was, an offset from t0, which is negative in a warm-up
	at     time.Duration // when its answer came, or the process failed
	answer *line
	size   int
	err    error
	done   chan struct{} // receives once, unless the call is given up
}

var exchanges = sync.Pool{New: func() any {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &exchange{done: make(chan struct{}, 1), timer: t}
}}

// mostKept is the maximum size in bytes of a call's buffer that is kept for the next call.
const mostKept = 64 << 10

// end returns everything that was borrowed.
func (x *exchange) end() {
	with, rest := x.with[:0], x.rest[:0]
	if cap(with)+cap(rest) > mostKept {
		with, rest = nil, nil
	}
	*x = exchange{with: with, rest: rest, done: x.done, timer: x.timer}
	exchanges.Put(x)
}

// compose renders the call.
func (x *exchange) compose() (err error) {
	if x.call.with != nil {
		x.with, err = x.call.with.Append(x.with[:0], x.it)
	}
	return err
}

// run makes the call in a slot of the lane's process.
func (x *exchange) run() error {
	out, deadline := x.out, x.it.Deadline
	s, at, _, err := x.lane.places.Get(deadline, &out.Opening)
	if out.Slot = at; err != nil {
		return err
	}
	for s.p.over() && s.Used {
		if s, err = x.lane.places.Replace(s, deadline, &out.Opening); err != nil {
			return err
		}
	}
	err = x.ask(s.p)
	x.lane.places.Put(s, !s.p.over())
	switch {
	case err != nil:
		return err
	case out.End > deadline:
		return targets.ErrLate
	}
	return x.read()
}

// ask hands the call to the program, and waits for the answer.
func (x *exchange) ask(p *process) error {
	now := x.client.o.Now()
	x.rest = appendCall(x.rest[:0], x.call.call, x.with, x.user, x.it.Deadline-now)
	if err := p.add(x); err != nil {
		return err
	}
	x.timer.Reset(x.it.Deadline - now)
	defer x.timer.Stop()
	var err error
	select {
	case <-x.done:
	case <-x.timer.C:
		err = os.ErrDeadlineExceeded
	case <-x.client.Over().Done():
		err = targets.ErrAborted
	}
	if err != nil && !p.leave(x) {
		<-x.done
		err = nil
	}
	if out := x.out; x.handed {
		out.Sent, out.WasSent, out.Attempts = x.sent, true, 1
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &targets.Error{Cause: scenarios.Timeout, Text: "no answer came in time" + p.silence(now)}
	case err != nil:
		return err
	case x.err != nil:
		return x.err
	}
	x.out.First, x.out.End, x.out.Bytes = x.at, x.at, int64(x.size)
	return nil
}

// read takes the answer from its line.
func (x *exchange) read() error {
	l, out := x.answer, x.out
	if l.Failed != "" {
		cause := failures[l.Failed]
		if cause == scenarios.Refused || cause == scenarios.NameNotFound { // the target got nothing
			out.Sent, out.WasSent, out.Attempts = 0, false, 0
		}
		text := l.Message
		if text == "" {
			text = l.Failed
		}
		out.First, out.Bytes = 0, 0
		return &targets.Error{Cause: cause, Text: "the plug-in: " + targets.Clip(text, mostMessage), Final: true}
	}
	x.status = l.Status
	if l.Absent && l.Status == 0 {
		x.status = calls.Absent
	}
	x.message = stream.Message{Data: l.Body, First: out.First, End: out.End, None: len(l.Body) == 0}
	out.Answered, out.Status = true, x.status
	return nil
}

// mostMessage is the maximum length in bytes of a plug-in's message in a report.
const mostMessage = 300

// sample keeps a call for the report, if the sampler wants it.
func (x *exchange) sample(err error) {
	k := x.client.o.Sampler
	if k == nil || !k.Want(x.out) {
		return
	}
	u := *x.client.at
	u.User, u.RawQuery = nil, ""
	sent := &result.Sent{URL: u.String(), Method: kindPlugin + " " + x.call.call, Command: sentCommand(x.call.by)}
	sent.SetBody(string(x.with))
	targets.Sampled{
		Out: x.out, Step: x.call.name, Sent: sent, Err: err,
		Failed: func() (string, string) {
			return x.call.expected.Wanted(&x.message, x.status, x.reason(), x.it, x.out), calls.Excerpt(&x.message)
		},
	}.Keep(k, x.it)
}

// reason says why the status of the answer is an error.
func (x *exchange) reason() string {
	text := causes.Name(x.status)
	if m := x.answer.Message; m != "" {
		text += ": " + targets.Clip(m, mostMessage)
	}
	return text
}

// sentCommand returns a function that writes a call as a command for a POSIX shell: the plug-in with two lines.
func sentCommand(by *endpoint) func(*result.Sent) string {
	return func(s *result.Sent) string {
		if s.Cut > 0 || s.Base64 || by == nil {
			return ""
		}
		u := s.URL
		first, err := json.Marshal(hello{Hello: version, URL: u, Address: u[len(scheme+"://"):]})
		if err != nil {
			return ""
		}
		word := func(text string) string { return result.ShellWord(text, "SECRET", false) }
		second := string(appendCall(appendID(nil, 1), s.Method[len(kindPlugin)+1:], []byte(s.Body), 0, 5*time.Second))
		var command strings.Builder
		command.WriteString(`printf '%s\n' ` + word(string(first)) + " " + word(second[:len(second)-1]) + " |")
		for _, a := range by.argv {
			command.WriteString(" " + word(a))
		}
		return command.String()
	}
}
