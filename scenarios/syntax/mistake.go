package syntax

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// A Mistake is one error in a scenario: its place, its description, and how to fix it.
type Mistake struct {
	Pos  Pos
	What string
	Hint string // "did you mean …", or empty
}

// String returns the mistake as one line.
func (m Mistake) String() string {
	s := m.Pos.String() + ": " + m.What
	if m.Hint != "" {
		s += "; " + m.Hint
	}
	return s
}

// Limits on the mistakes that are kept and shown. A generated file can have one in every line, and aliases multiply
// them.
const (
	maxKept    = 10_000
	maxShown   = 200
	maxMessage = 500 // characters, because names can be as long as the file
)

// Mistakes collects all mistakes of a scenario. The zero value is ready to use; Err turns it into
// an error.
type Mistakes struct {
	list    []Mistake
	more    int                 // mistakes beyond maxKept
	Skipped int                 // values whose mistake is already in list
	Partial bool                // a part of the file could not be read, so that what is missing may stand there
	Later   string              // what is checked only once these mistakes are mended, in a sentence; empty: nothing
	texts   map[string]*source  // by file name, for excerpts
	mask    func(string) string // masks secrets; nil masks nothing
	hide    func(string) string // masks secrets in a line of a file and keeps its length
}

// NewMistakes returns a collector. It passes messages through mask, which masks secrets, and lines of files through
// hide, which keeps their length in characters.
func NewMistakes(mask, hide func(string) string) *Mistakes { return &Mistakes{mask: mask, hide: hide} }

// Add adds a mistake at pos.
func (m *Mistakes) Add(pos Pos, format string, args ...any) { m.AddHint(pos, "", format, args...) }

// AddHint adds a mistake with a hint how to fix it.
func (m *Mistakes) AddHint(pos Pos, hint, format string, args ...any) {
	if len(m.list) >= maxKept {
		m.more++
		return
	}
	m.list = append(m.list, Mistake{
		Pos: pos, What: shortened(fmt.Sprintf(format, args...)), Hint: shortened(hint),
	})
}

// shortened ends a message that is too long after a whole word, unless that would leave out half of it.
func shortened(s string) string {
	cut := firstRunes(s, maxMessage)
	if cut == s {
		return s
	}
	if i := strings.LastIndexByte(cut, ' '); i > len(cut)/2 {
		cut = cut[:i+1]
	}
	return cut + Ellipsis
}

// Len is the number of mistakes.
func (m *Mistakes) Len() int { return len(m.list) + m.more }

// Merge adds the mistakes and the file texts of other.
func (m *Mistakes) Merge(other *Mistakes) {
	fits := min(len(other.list), maxKept-len(m.list))
	m.list = append(m.list, other.list[:fits]...)
	m.more += other.more + len(other.list) - fits
	m.Partial, m.Later = m.Partial || other.Partial, cmp.Or(m.Later, other.Later)
	for name, src := range other.texts {
		m.keep(name, src.text)
	}
}

func (m *Mistakes) keep(file, text string) {
	if m.texts == nil {
		m.texts = map[string]*source{}
	}
	m.texts[file] = &source{text: text}
}

// Within returns the position of part inside the text that begins at pos, or pos itself if that
// line does not contain part.
func (m *Mistakes) Within(pos Pos, part string) Pos {
	if src := m.texts[pos.File]; src != nil {
		text := src.from(pos.Line, pos.Col)
		if before, _, ok := strings.Cut(text, part); ok {
			pos.Col += utf8.RuneCountInString(before)
		}
	}
	return pos
}

// PosIn returns the position of a line and a column inside the text of n, both counted from 1. If the text does not
// stand in the file as it is, because of a placeholder, an escape or joined lines, it returns the position of n, and
// false.
func (m *Mistakes) PosIn(n *Node, line, col int) (pos Pos, found bool) {
	src, lines := m.texts[n.Pos.File], strings.Split(n.Value, "\n")
	if src == nil || line < 1 || line > len(lines) {
		return n.Pos, false
	}
	pos = n.Pos
	switch {
	case strings.HasPrefix(src.from(pos.Line, pos.Col), "|"): // its text begins in the next line
		pos.Line, pos.Col = pos.Line+line, 1
	case line > 1: // YAML joins the lines of other forms
		return n.Pos, false
	}
	before, _, found := strings.Cut(src.from(pos.Line, pos.Col), lines[line-1])
	if !found {
		return n.Pos, false
	}
	pos.Col += utf8.RuneCountInString(before) + col - 1
	return pos, true
}

// Err returns the mistakes as an error sorted by position, or nil if there are none. A mistake
// that several aliases repeat is reported once.
func (m *Mistakes) Err() error {
	if len(m.list) == 0 {
		return nil
	}
	e := &MistakesError{more: m.more, later: m.Later, texts: m.texts, hide: m.hide}
	seen := make(map[Mistake]bool, len(m.list))
	for _, one := range m.list {
		if m.mask != nil {
			one.What, one.Hint = m.mask(one.What), m.mask(one.Hint)
		}
		if !seen[one] {
			seen[one] = true
			e.list = append(e.list, one)
		}
	}
	slices.SortStableFunc(e.list, func(a, b Mistake) int { return a.Pos.Compare(b.Pos) })
	if len(e.list) > maxShown {
		e.more += len(e.list) - maxShown
		e.list = e.list[:maxShown]
	}
	return e
}

// MistakesError is the error that [Mistakes.Err] returns: all mistakes of a scenario, sorted by
// position. Its exit code is 2.
type MistakesError struct {
	list  []Mistake
	more  int    // mistakes beyond those in list
	later string // see Mistakes.Later
	texts map[string]*source
	hide  func(string) string // nil hides nothing
}

// List returns the mistakes in the order of the file, at most the first 200.
func (e *MistakesError) List() []Mistake { return e.list }

// More is the number of mistakes beyond those that List returns.
func (e *MistakesError) More() int { return e.more }

// Error returns one line for each mistake.
func (e *MistakesError) Error() string {
	lines := make([]string, len(e.list), len(e.list)+2)
	for i, m := range e.list {
		lines[i] = m.String()
	}
	if e.more > 0 {
		lines = append(lines, e.rest())
	}
	if e.later != "" {
		lines = append(lines, e.later)
	}
	return strings.Join(lines, "\n")
}

func (e *MistakesError) rest() string { return fmt.Sprintf("and %d more", e.more) }

// Explain returns the mistakes with the lines around each and a caret below it.
func (e *MistakesError) Explain() string {
	var b strings.Builder
	for i, m := range e.list {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(m.String())
		b.WriteByte('\n')
		if src := e.texts[m.Pos.File]; src != nil && m.Pos.Line > 0 {
			excerpt(&b, src.split(), m.Pos, e.hide)
		}
	}
	if e.more > 0 {
		b.WriteString("\n" + e.rest() + "\n")
	}
	if e.later != "" {
		b.WriteString("\n" + e.later + "\n")
	}
	return b.String()
}
