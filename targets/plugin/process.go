package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/targets"
)

// greetingTime is how long a plug-in may take to say hello.
const greetingTime = 10 * time.Second

// mostLate is how many calls without an answer a process remembers one by one.
const mostLate = 1 << 16

// A process is a running plug-in.
//
//	start -> hello -> ready: ask, an answer for each id ... -> fail: no call any more -> ended
type process struct {
	client *client
	lane   *lane
	began  time.Duration
	ready  chan struct{} // closed when it has said hello
	failed chan struct{} // closed when it takes no calls any more, after err is set
	err    error
	calls  []string // that it knows, once it is ready

	wake chan struct{} // the queue has calls

	mu      sync.Mutex
	last    uint64 // id of the last call
	open    map[uint64]*exchange
	late    map[uint64]struct{} // calls that have timed out, whose answers may come
	forgot  uint64              // up to this id, calls that have timed out are no longer in late
	queue   []*exchange         // calls that are not yet written
	heard   time.Duration       // when the last line came
	answers int64
}

func newProcess(l *lane) *process {
	c := l.client
	return &process{
		client: c, lane: l,
		began: c.o.Now(), ready: make(chan struct{}), failed: make(chan struct{}), wake: make(chan struct{}, 1),
		open: map[uint64]*exchange{}, late: map[uint64]struct{}{}, heard: c.o.Now(),
	}
}

// over reports whether it takes no calls any more.
func (p *process) over() bool {
	select {
	case <-p.failed:
		return true
	default:
		return false
	}
}

// run starts the program, and returns when it has ended. To is the address that was checked.
func (p *process) run(by *endpoint, to string) {
	o := &p.client.o
	c, err := startChild(by.argv, by.env)
	if err != nil {
		p.fail(&targets.Error{Cause: scenarios.Refused, Text: "the plug-in can't be started: " + err.Error()})
		return
	}
	p.client.started.Add(1)
	greeting, _ := json.Marshal(hello{version, p.client.at.String(), to, o.Seed}) // numbers and texts have no error
	read := make(chan error, 1)
	var all sync.WaitGroup
	all.Go(func() { read <- p.read(c.out) })
	all.Go(func() { p.write(c.in, append(greeting, '\n')) })
	timer := time.NewTimer(greetingTime)
	defer timer.Stop()
	ready := p.ready
	grace := graceTime
	for err == nil {
		select {
		case err = <-read:
			grace = 0 // its output is closed, or makes no sense
			if errors.Is(err, io.EOF) {
				err = p.death(c)
			}
		case <-ready:
			timer.Stop()
			ready = nil
		case <-timer.C:
			err, grace = broken("it has said no hello for %s; it flushes its standard output after each line",
				quantity.FormatDuration(greetingTime)), 0
		case <-p.client.Over().Done():
			err = targets.ErrAborted
		}
	}
	p.fail(err)
	c.end(grace)
	all.Wait()
	_ = c.out.Close()
}

// death returns the error for a program whose output has ended, once it is known how it ended.
func (p *process) death(c *child) error {
	select {
	case <-c.exited:
		return &targets.Error{Cause: scenarios.Closed, Text: "the plug-in has ended: " + c.how()}
	case <-time.After(endsLate):
		return &targets.Error{Cause: scenarios.Closed, Text: "the plug-in has closed its standard output"}
	}
}

// endsLate is how long a program may live on after the end of its output, until it counts as one that has only closed
// it.
const endsLate = time.Second

// broken is the error of a plug-in that breaks the rules.
func broken(format string, args ...any) error {
	return &targets.Error{
		Cause: scenarios.Protocol, Text: "the plug-in breaks the rules, so brunt ends it: " + fmt.Sprintf(format, args...),
	}
}

// fail ends all calls with err, and refuses further ones. Before that it sets when the next process may start.
func (p *process) fail(err error) {
	p.lane.ended(p)
	now := p.client.o.Now()
	p.mu.Lock()
	p.err = err
	open := p.open
	p.open, p.queue = nil, nil
	close(p.failed)
	p.mu.Unlock()
	for _, x := range open {
		x.at, x.err = now, err
		x.done <- struct{}{}
	}
}

// add gives a call a number, and queues it.
func (p *process) add(x *exchange) error {
	p.mu.Lock()
	switch {
	case p.over():
		p.mu.Unlock()
		return p.err
	case p.client.Over().Err() != nil:
		p.mu.Unlock()
		return targets.ErrAborted
	}
	p.last++
	x.id, x.handed = p.last, false
	p.open[x.id] = x
	p.queue = append(p.queue, x)
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return nil
}

// leave gives up a call. It returns false if the call has ended meanwhile: done receives, or has received.
func (p *process) leave(x *exchange) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[x.id] != x {
		return false
	}
	delete(p.open, x.id)
	if !x.handed {
		p.queue = slices.DeleteFunc(p.queue, func(o *exchange) bool { return o == x })
		return true
	}
	if len(p.late) == mostLate {
		clear(p.late)
		p.forgot = p.last
	}
	p.late[x.id] = struct{}{}
	return true
}

// answered reports whether it has answered a call.
func (p *process) answered() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answers > 0
}

// silence says how long the plug-in has said nothing, if it has said nothing since a time.
func (p *process) silence(since time.Duration) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.heard <= since {
		return "; the plug-in has said nothing for " + quantity.FormatSeconds((p.client.o.Now() - p.heard).Seconds())
	}
	return "; the plug-in answers other calls"
}

// write writes the first line and then the calls, as many at once as wait.
func (p *process) write(in io.Writer, batch []byte) {
	for {
		if _, err := in.Write(batch); err != nil {
			return // the program has ended, or brunt ends it: the reader knows
		}
		if cap(batch) > mostLine {
			batch = nil
		}
		batch = batch[:0]
		for len(batch) == 0 {
			select {
			case <-p.wake:
			case <-p.failed:
				return
			}
			p.mu.Lock()
			now := p.client.o.Now()
			for _, x := range p.queue {
				x.handed, x.sent = true, now
				batch = append(appendID(batch, x.id), x.rest...)
			}
			clear(p.queue)
			p.queue = p.queue[:0]
			p.mu.Unlock()
		}
	}
}

// read reads lines until the output ends, which is io.EOF, or until one breaks the rules.
func (p *process) read(out *os.File) error {
	return readLines(out, p.client.o.Now, p.take)
}

// readLines calls take with each line that is not blank, and the time when its end was read.
func readLines(out io.Reader, now func() time.Duration, take func(text []byte, at time.Duration) error) error {
	buffer, from, end := make([]byte, 64<<10), 0, 0 // a line begins at from
	for {
		n, err := out.Read(buffer[end:])
		at := now()
		rest := buffer[end : end+n]
		end += n
		for {
			i := bytes.IndexByte(rest, '\n')
			if i < 0 {
				break
			}
			next := end - len(rest) + i + 1
			text := bytes.TrimSpace(buffer[from : next-1])
			rest, from = rest[i+1:], next
			if len(text) == 0 {
				continue
			}
			if err := take(text, at); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, os.ErrClosed):
			return io.EOF
		case err != nil:
			return err
		case from == end:
			from, end = 0, 0
		case end-from > mostLine:
			return broken("it has written a line of more than %d bytes: %s", mostLine, excerpt(buffer[from:end]))
		case end == len(buffer) && from > 0:
			end = copy(buffer, buffer[from:end])
			from = 0
		case end == len(buffer):
			buffer = append(buffer, make([]byte, len(buffer))...)
		}
	}
}

// take handles a line.
func (p *process) take(text []byte, at time.Duration) error {
	l, err := parse(text)
	if err != nil {
		return broken("it has written the line %s, which is no answer: %v", excerpt(text), err)
	}
	if l.Hello != 0 {
		return p.greet(l)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = at
	x := p.open[l.ID]
	switch {
	case x != nil && x.handed:
		delete(p.open, l.ID)
		x.at, x.answer, x.size, x.err = at, l, len(text)+1, nil
		x.done <- struct{}{}
		p.answers++
	case p.over(): // brunt has given up all calls
	case p.isLate(l.ID):
		delete(p.late, l.ID)
	case l.ID > p.last || x != nil:
		return broken("it has answered a call that it did not get: %s", excerpt(text))
	default:
		return broken("it has answered a call twice: %s", excerpt(text))
	}
	return nil
}

// isLate reports whether a call may have timed out. p.mu is held.
func (p *process) isLate(id uint64) bool {
	_, late := p.late[id]
	return late || id <= p.forgot
}

// greet handles the plug-in's hello.
func (p *process) greet(l *line) error {
	select {
	case <-p.ready:
		return broken("it has said hello twice")
	default:
	}
	if l.Hello != version {
		return broken("it speaks version %d, and brunt speaks %d", l.Hello, version)
	}
	p.calls = l.Calls
	close(p.ready)
	return nil
}

// excerpt returns the beginning of a line, quoted.
func excerpt(text []byte) string {
	const most = 80
	return targets.Quote(targets.Clip(string(text[:min(len(text), 4*most)]), most))
}
