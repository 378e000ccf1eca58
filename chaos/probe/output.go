package probe

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

// Output keeps the beginning and the end of the output of a command or the body of an answer.
type Output struct {
	head, tail []byte
	n          int64
}

const (
	MostKept  = 4 << 10 // bytes of the beginning, and of the end
	MostWords = 200     // characters of a line in a message
)

func (o *Output) Write(p []byte) (int, error) {
	o.n += int64(len(p))
	rest := p
	if room := MostKept - len(o.head); room > 0 {
		k := min(room, len(rest))
		o.head, rest = append(o.head, rest[:k]...), rest[k:]
	}
	o.tail = append(o.tail, rest[max(0, len(rest)-MostKept):]...)
	if over := len(o.tail) - MostKept; over > 0 {
		o.tail = append(o.tail[:0], o.tail[over:]...)
	}
	return len(p), nil
}

// streams keeps the output of a command: stdout, which is its answer, whole up to a bound, and from stdout and stderr
// together the part that is reported. It is safe for concurrent use.
type streams struct {
	Output
	mu     sync.Mutex
	answer []byte
}

// Write receives the bytes written to stderr.
func (s *streams) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Output.Write(p)
}

// stdout returns a writer for the bytes written to stdout.
func (s *streams) stdout() io.Writer { return stdout{s} }

type stdout struct{ to *streams }

func (w stdout) Write(p []byte) (int, error) {
	s := w.to
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = append(s.answer, p[:min(len(p), mostBody+1-len(s.answer))]...)
	return s.Output.Write(p)
}

// value takes the value from the answer.
func (s *streams) value(from *Finder, mask func(string) string) (string, error) {
	s.mu.Lock() // a process that the command started may still write
	defer s.mu.Unlock()
	if len(s.answer) > mostBody {
		return "", fmt.Errorf("the answer is over %d MiB", mostBody>>20)
	}
	return from.find(s.answer, mask)
}

// Lines returns the first and the last line as one. mask is applied before they are cut.
//
// subtle: if the middle is lost, the first line of the end may start inside a secret, which mask would
// not recognize.
func (o *Output) Lines(mask func(string) string) string {
	text, tail := string(o.head), string(o.tail)
	lost := o.n > int64(len(o.head)+len(o.tail))
	if lost {
		_, tail, _ = strings.Cut(tail, "\n")
		text += "…\n"
	}
	text = mask(strings.ToValidUTF8(text+tail, string(utf8.RuneError)))
	var all []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	switch len(all) {
	case 0:
		return ""
	case 1:
		return cut(all[0])
	case 2:
		return cut(all[0]) + " / " + cut(all[1])
	}
	return cut(all[0]) + " / … / " + cut(all[len(all)-1])
}

// cut shortens a line for a report.
func cut(line string) string {
	if r := []rune(line); len(r) > MostWords {
		return string(r[:MostWords]) + "…"
	}
	return line
}

// words returns output as the end of a sentence.
func words(said string) string {
	if said == "" {
		return ""
	}
	return ": " + said
}
