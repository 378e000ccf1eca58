package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/targets"
)

// A Finding is the result of one check of the conformance suite.
type Finding struct {
	Check string // what the suite checks
	Wrong string // what is wrong; empty: nothing
	Mend  string // what to do about it
	Told  string // a figure, such as the rate that was reached; may be empty
}

// patience is how long the suite waits for an answer.
const patience = 5 * time.Second

// Conform runs the conformance suite against a program. Env are further variables of its environment, as NAME=value;
// to is the URL that the plug-in gets. A plug-in needs no server for the suite: an answer may be an error. A check that
// fails ends the suite if nothing more can be known.
func Conform(argv, env []string, to *url.URL) []Finding {
	s := &suite{argv: argv, env: env, to: to, waits: map[uint64]bool{}}
	for _, check := range []struct {
		name string
		run  func() (told string, err error)
	}{
		{"it starts and says hello", s.hello},
		{"it answers a call", s.answers},
		{"it answers each of 100 calls that come at once", s.many},
		{"it reads a line that comes in two parts", s.parts},
		{"it takes a line of 256 KiB, and keys that it does not know", s.large},
		{"it answers a call that it does not know with an error, and goes on", s.unknown},
		{"it makes calls side by side", s.rate},
		{"it ends when its standard input ends", s.ends},
	} {
		told, err := check.run()
		f := Finding{Check: check.name, Told: told}
		if err != nil {
			f.Wrong = err.Error()
			if m, ok := errors.AsType[*fault](err); ok {
				f.Mend = m.mend
			}
		}
		s.found = append(s.found, f)
		if err != nil && (s.child == nil || s.over()) {
			break
		}
	}
	if s.child != nil {
		s.child.end(0)
		for range s.lines { // answers that come too late
		}
		s.all.Wait()
		_ = s.child.out.Close()
	}
	return s.found
}

// fault is what is wrong with a plug-in, with what to do about it.
type fault struct{ text, mend string }

func (f *fault) Error() string { return f.text }

func wrong(mend, format string, args ...any) error { return &fault{fmt.Sprintf(format, args...), mend} }

// suite is a run of the conformance suite.
type suite struct {
	argv, env []string
	to        *url.URL
	found     []Finding

	child *child
	all   sync.WaitGroup
	lines chan *line // answers; closed at the end of the output, after err is set
	err   error      // why it was ended; nil: it ended itself
	gone  chan struct{}

	call  string // a call that it knows
	with  string // its settings
	last  uint64
	waits map[uint64]bool // calls without an answer
}

func (s *suite) over() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

const (
	onlyLines = "print nothing but answers to standard output, each a whole line of JSON; log to standard error"
	flushes   = "read standard input line by line, answer each call, and flush standard output after each line " +
		"(in Python: print(…, flush=True))"
)

// hello starts the program.
func (s *suite) hello() (string, error) {
	c, err := startChild(s.argv, s.env)
	if err != nil {
		return "", wrong("name a program that exists and may be executed, by its path or on PATH", "it can't be started: %v", err)
	}
	s.child, s.lines, s.gone = c, make(chan *line, 1<<12), make(chan struct{})
	s.all.Go(func() {
		defer close(s.gone)
		defer close(s.lines)
		began := time.Now()
		err := readLines(c.out, func() time.Duration { return time.Since(began) },
			func(text []byte, _ time.Duration) error {
				l, err := parse(text)
				if err != nil {
					return wrong(onlyLines, "it has written the line %s: %v", excerpt(text), err)
				}
				s.lines <- l
				return nil
			})
		if !errors.Is(err, io.EOF) {
			s.err = err
		}
	})
	first, err := json.Marshal(hello{version, s.to.String(), s.to.Host, 1})
	if err != nil {
		return "", err
	}
	if err := s.write(string(first) + "\n"); err != nil {
		return "", err
	}
	l, err := s.next(greetingTime)
	const form = `answer the first line with one such as {"hello":1,"name":"stock","calls":["get"]}`
	switch {
	case err != nil:
		return "", err
	case l.Hello == 0:
		return "", wrong(form, "its first line is an answer, before any call")
	case l.Hello != version:
		return "", wrong(form, "it speaks version %d, and brunt speaks %d", l.Hello, version)
	case l.Name == "" || len(l.Calls) == 0:
		return "", wrong(form, "its hello has no name, or no calls")
	}
	for _, name := range l.Calls {
		if !callName.MatchString(name) {
			return "", wrong("a name begins with a letter and has letters, digits, _, . and -", "its hello has a call named %s",
				targets.Quote(name))
		}
	}
	s.call, s.with = l.Calls[0], "{}"
	for _, name := range slices.Sorted(maps.Keys(l.Examples)) {
		if !slices.Contains(l.Calls, name) {
			return "", wrong("examples holds settings by the name of a call", "it has an example of %s, which is no call of its own",
				targets.Quote(name))
		}
		s.call, s.with = name, string(l.Examples[name])
	}
	return l.Name + ": " + strings.Join(l.Calls, ", "), nil
}

// write writes to the program.
func (s *suite) write(text string) error {
	_ = s.child.in.SetWriteDeadline(time.Now().Add(patience))
	if _, err := s.child.in.WriteString(text); err != nil {
		if s.over() {
			return s.death()
		}
		return wrong(flushes, "it does not read its standard input: %v", err)
	}
	return nil
}

// death says why the program has ended.
func (s *suite) death() error {
	if s.err != nil {
		return s.err
	}
	select {
	case <-s.child.exited:
		return wrong("catch the error of a call and answer it with \"failed\"", "it has ended: %s", s.child.how())
	case <-time.After(endsLate):
		return wrong("keep standard output open as long as standard input", "it has closed its standard output")
	}
}

// next waits for a line.
func (s *suite) next(within time.Duration) (*line, error) {
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case l, open := <-s.lines:
		if !open {
			return nil, s.death()
		}
		return l, nil
	case <-timer.C:
		return nil, wrong(flushes, "no line came within %s", quantity.FormatDuration(within))
	}
}

// text returns the line of a new call.
func (s *suite) text(call, with string) string {
	s.last++
	s.waits[s.last] = true
	return string(appendCall(appendID(nil, s.last), call, []byte(with), int(s.last%8), patience))
}

// answer waits for the next answer.
func (s *suite) answer() (*line, error) {
	const mend = "answer each call once, with the id that it came with"
	l, err := s.next(patience)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s without an answer: %w", syntax.Amount(len(s.waits), "call"), err)
	case l.Hello != 0:
		return nil, wrong("say hello once, at the start", "it has said hello again")
	case l.ID == 0 || l.ID > s.last:
		return nil, wrong(mend, "it has answered call %d, and there is no such call", l.ID)
	case !s.waits[l.ID]:
		return nil, wrong(mend, "it has answered call %d twice", l.ID)
	}
	delete(s.waits, l.ID)
	return l, nil
}

// await waits for the answers to all calls, and returns the last one.
func (s *suite) await() (last *line, err error) {
	for len(s.waits) > 0 {
		if last, err = s.answer(); err != nil {
			clear(s.waits)
			return nil, err
		}
	}
	return last, nil
}

func (s *suite) ask(text string) (*line, error) {
	if err := s.write(text); err != nil {
		return nil, err
	}
	return s.await()
}

func (s *suite) answers() (string, error) {
	l, err := s.ask(s.text(s.call, s.with))
	if err != nil {
		return "", err
	}
	return s.call + ": " + outcome(l), nil
}

// outcome describes an answer.
func outcome(l *line) string {
	switch {
	case l.Failed != "":
		return strings.TrimSuffix("failed, "+l.Failed+": "+l.Message, ": ")
	case l.Status != 0:
		return strings.TrimSuffix(fmt.Sprintf("status %d: %s", l.Status, l.Message), ": ")
	case l.Absent:
		return "absent"
	}
	return "ok " + targets.Clip(string(l.Body), 60)
}

func (s *suite) many() (string, error) {
	const n = 100
	var all strings.Builder
	for range n {
		all.WriteString(s.text(s.call, s.with))
	}
	if err := s.write(all.String()); err != nil {
		return "", err
	}
	_, err := s.await()
	return "", err
}

func (s *suite) parts() (string, error) {
	text := s.text(s.call, s.with)
	if err := s.write(text[:len(text)/2]); err != nil {
		return "", err
	}
	timer := time.NewTimer(50 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C: // the program has read the first part
	case <-s.gone:
		return "", s.death()
	}
	_, err := s.ask(text[len(text)/2:])
	return "", err
}

func (s *suite) large() (string, error) {
	text := s.text(s.call, s.with)
	pad, err := json.Marshal(strings.Repeat("x", 256<<10))
	if err != nil {
		return "", err
	}
	_, err = s.ask(strings.TrimSuffix(text, "}\n") + `,"later":` + string(pad) + "}\n")
	return "", err
}

func (s *suite) unknown() (string, error) {
	l, err := s.ask(s.text("no-such-call", "{}"))
	if err != nil {
		return "", err
	}
	if l.Failed == "" && l.Status == 0 {
		return "", wrong(`answer it with {"id":…,"status":400,"message":"there is no such call"}`, "it takes a call that it does not know for good")
	}
	_, err = s.ask(s.text(s.call, s.with))
	return outcome(l), err
}

// rate measures how many calls a second it makes, with 64 under way.
func (s *suite) rate() (string, error) {
	const under, lasts = 64, time.Second
	var first strings.Builder
	for range under {
		first.WriteString(s.text(s.call, s.with))
	}
	began := time.Now()
	if err := s.write(first.String()); err != nil {
		return "", err
	}
	n := 0
	for time.Since(began) < lasts {
		more := ""
		for more == "" || len(s.lines) > 0 { // written at once, as brunt does
			if _, err := s.answer(); err != nil {
				return "", err
			}
			n++
			more += s.text(s.call, s.with)
		}
		if err := s.write(more); err != nil {
			return "", err
		}
	}
	took := time.Since(began)
	if _, err := s.await(); err != nil {
		return "", err
	}
	return fmt.Sprintf("%.0f calls a second, with %d under way", float64(n)/took.Seconds(), under), nil
}

func (s *suite) ends() (string, error) {
	if !s.child.end(graceTime) {
		return "", wrong("end when standard input ends, also while calls are under way", "it lives %s after the end of its input",
			quantity.FormatDuration(graceTime))
	}
	if s.child.state != nil {
		return "", wrong("end with exit code 0 when standard input ends", "it has ended with an error: %s", s.child.how())
	}
	return "", nil
}
