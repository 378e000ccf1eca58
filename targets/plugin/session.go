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
	x.Begin(&s.client.o, s.client, it, out)
	x.session, x.call = s, by.(*call)
	s.lane.by.CompareAndSwap(nil, x.call.by)
	x.Progress.Do(x)
	x.end()
}

// exchange is a call in progress.
type exchange struct {
	calls.Progress
	*session
	call *call

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

// Compose implements [calls.Maker].
func (x *exchange) Compose() (err error) {
	if x.call.with != nil {
		x.with, err = x.call.with.Append(x.with[:0], x.It)
	}
	return err
}

// Run implements [calls.Maker]. It makes the call in a slot of the lane's process.
func (x *exchange) Run() error {
	if err := calls.Make(&x.Progress, x.lane.places, false, x); err != nil {
		return err
	}
	return x.read()
}

// Exchange implements [calls.Trip].
func (x *exchange) Exchange(s *slot) (calls.Fate, error) {
	if s.p.over() && s.Used {
		return calls.Close, targets.ErrStale
	}
	err := x.ask(s.p)
	if s.p.over() {
		return calls.Close, err
	}
	return calls.Reuse, err
}

// ask hands the call to the program, and waits for the answer.
func (x *exchange) ask(p *process) error {
	now := x.Now()
	x.rest = appendCall(x.rest[:0], x.call.call, x.with, x.user, x.It.Deadline-now)
	if err := p.add(x); err != nil {
		return err
	}
	x.timer.Reset(x.It.Deadline - now)
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
	if x.handed {
		x.Wrote(x.sent)
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &targets.Error{Cause: scenarios.Timeout, Text: "no answer came in time" + p.silence(now)}
	case err != nil:
		return err
	case x.err != nil:
		return x.err
	}
	x.Came(x.at, x.size)
	return nil
}

// Judge implements [calls.Maker].
func (x *exchange) Judge() {
	x.call.expected.Judge(&x.message, x.status, causes.Cause(x.status), x.It, x.Out)
}

// read takes the answer from its line.
func (x *exchange) read() error {
	l, out := x.answer, x.Out
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

// Sample implements [calls.Maker].
func (x *exchange) Sample() targets.Sampled {
	u := *x.client.at
	u.User, u.RawQuery = nil, ""
	sent := &result.Sent{URL: u.String(), Method: kindPlugin + " " + x.call.call, Command: sentCommand(x.call.by)}
	sent.SetBody(string(x.with))
	return targets.Sampled{Step: x.call.name, Sent: sent, Failed: func() (string, string) {
		return x.call.expected.Wanted(&x.message, x.status, x.reason(), x.It, x.Out), calls.Excerpt(&x.message)
	}}
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
