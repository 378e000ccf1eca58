package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// parseJournal reads the lines of a journal. It ignores an incomplete last line: what that line would record has not
// been done.
func parseJournal(path string, f io.Reader) (State, error) {
	p := newParser(path)
	err := p.read(f)
	return p.state(), err
}

// Parse reads lines of a journal that are not in a file of this machine. Some lines may be missing.
func Parse(lines io.Reader) (State, error) { return parseJournal("", lines) }

// A parser reads the lines of a journal, also in several parts.
type parser struct {
	s       State
	entries map[int]*Pending
	damage  damage
	last    []byte // the last complete line
	size    int64  // its length
}

func newParser(path string) *parser {
	return &parser{
		s:       State{Path: path, Run: strings.TrimSuffix(filepath.Base(path), journalSuffix)},
		entries: map[int]*Pending{}, damage: damage{ids: map[int]bool{}},
	}
}

// read reads lines to the end of f. An incomplete last line does not count as read.
func (p *parser) read(f io.Reader) error {
	for in := bufio.NewReader(f); ; {
		line, size, err := readLine(in)
		if err == io.EOF {
			p.s.Torn, p.damage.torn = size > 0, line
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", p.s.Path, err)
		}
		p.s.whole += size
		p.last, p.size = line, size
		var r record
		if json.Unmarshal(line, &r) != nil || !p.s.follow(r, p.entries) {
			p.s.Damaged++
			p.damage.unreadable(line)
			continue
		}
		p.damage.note(&r)
	}
}

// state returns the state after the lines that were read so far.
func (p *parser) state() State {
	s := p.s
	for _, e := range p.entries {
		s.Open = append(s.Open, *e)
	}
	slices.SortFunc(s.Open, func(a, b Pending) int { return a.ID - b.ID })
	s.Damage = p.damage.found(&s)
	if s.Torn {
		s.torn = p.damage.cut()
	}
	return s
}

// A tail reads a growing journal again and again, and each time only the new lines: a run may have thousands of
// entries, and its watchdog reads them each second. The zero value has read nothing.
type tail struct{ p *parser }

// read returns the present state of the journal.
func (t *tail) read(path string) (State, error) {
	f, err := openOwn(path, os.O_RDONLY)
	if err != nil {
		return State{}, fmt.Errorf("the journal: %w", err)
	}
	defer f.Close()
	if t.p == nil || !t.follows(f) {
		t.p = newParser(path)
	}
	if _, err := f.Seek(t.p.s.whole, io.SeekStart); err != nil {
		return State{}, fmt.Errorf("the journal: %w", err)
	}
	if err := t.p.read(f); err != nil {
		t.p = nil
		return State{}, err
	}
	return t.p.state(), nil
}

// follows reports whether the last line that was read is still at its place: a line that could not be written whole is
// removed again.
func (t *tail) follows(f io.ReaderAt) bool {
	there := make([]byte, len(t.p.last))
	_, err := f.ReadAt(there, t.p.s.whole-t.p.size)
	return err == nil && bytes.Equal(there, t.p.last)
}
