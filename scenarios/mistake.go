package scenarios

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Pos is a place in a scenario file. Line and Col count from 1; a Line of 0
// stands for the file as a whole, or for the command line.
type Pos struct {
	File string
	Line int
	Col  int
}

// String gives the place as file:line:col, the form editors jump to.
func (p Pos) String() string {
	switch {
	case p.Line == 0 && p.File == "":
		return "scenario"
	case p.Line == 0:
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

func (p Pos) compare(q Pos) int {
	return cmp.Or(cmp.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Col, q.Col))
}

// A Mistake is one thing wrong with a scenario: where, what, and how to mend it.
type Mistake struct {
	Pos  Pos
	What string
	Hint string // "did you mean …", or empty
}

// String gives the mistake as one line.
func (m Mistake) String() string {
	s := m.Pos.String() + ": " + m.What
	if m.Hint != "" {
		s += "; " + m.Hint
	}
	return s
}

// Bounds on what is kept and on what is shown: a file that a program wrote can be
// wrong in every line, aliases multiply it, and nobody reads the thousandth.
const (
	maxKept    = 10_000
	maxShown   = 200
	maxMessage = 500 // characters: names can be as long as the file
)

// Mistakes is everything wrong with a scenario, reported in one go. The zero
// value is ready to collect; Err turns it into an error.
type Mistakes struct {
	list    []Mistake
	more    int                // noted beyond maxKept
	skipped int                // values of which the mistake was noted before
	texts   map[string]*source // by file name, for the lines around a mistake
	secrets *Secrets           // never shown; nil is none
}

// source is the text of a file that mistakes are in.
type source struct {
	text  string
	lines []string // of text, once they were asked for

	line    int   // for which offsets were counted, from 1
	offsets []int // in bytes, of its characters; nil when each is a byte
}

// from gives what stands from a line and column on. It counts the characters of a
// line once, however many of its columns are asked for one after the other.
func (s *source) from(line, col int) string {
	if line < 1 || line > len(s.split()) {
		return ""
	}
	text := s.lines[line-1]
	if line != s.line {
		s.line, s.offsets = line, nil
		if utf8.RuneCountInString(text) < len(text) {
			for i := range text {
				s.offsets = append(s.offsets, i)
			}
		}
	}
	switch i := max(0, col-1); {
	case s.offsets == nil:
		return text[min(i, len(text)):]
	case i < len(s.offsets):
		return text[s.offsets[i]:]
	}
	return ""
}

func (s *source) split() []string {
	if s.lines == nil {
		s.lines = strings.Split(s.text, "\n")
	}
	return s.lines
}

// Add notes a mistake at pos.
func (m *Mistakes) Add(pos Pos, format string, args ...any) { m.AddHint(pos, "", format, args...) }

// AddHint notes a mistake together with the way to mend it.
func (m *Mistakes) AddHint(pos Pos, hint, format string, args ...any) {
	if len(m.list) >= maxKept {
		m.more++
		return
	}
	m.list = append(m.list, Mistake{Pos: pos, What: clip(fmt.Sprintf(format, args...), maxMessage), Hint: clip(hint, maxMessage)})
}

// Len is how many mistakes were noted.
func (m *Mistakes) Len() int { return len(m.list) + m.more }

// merge takes over the mistakes and the file texts of other.
func (m *Mistakes) merge(other *Mistakes) {
	fits := min(len(other.list), maxKept-len(m.list))
	m.list = append(m.list, other.list[:fits]...)
	m.more += other.more + len(other.list) - fits
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

// within gives the place of part inside the text that begins at pos, or pos itself
// where part does not stand in that line as it is.
func (m *Mistakes) within(pos Pos, part string) Pos {
	if src := m.texts[pos.File]; src != nil {
		text := src.from(pos.Line, pos.Col)
		if before, _, ok := strings.Cut(text, part); ok {
			pos.Col += utf8.RuneCountInString(before)
		}
	}
	return pos
}

// Err gives the mistakes as an error sorted by place, or nil when there are none.
// What stands in the file once and is wrong through several aliases is told once.
func (m *Mistakes) Err() error {
	if len(m.list) == 0 {
		return nil
	}
	e := &MistakesError{more: m.more, texts: m.texts}
	seen := make(map[Mistake]bool, len(m.list))
	for _, one := range m.list {
		one.What, one.Hint = m.secrets.Mask(one.What), m.secrets.Mask(one.Hint)
		if !seen[one] {
			seen[one] = true
			e.list = append(e.list, one)
		}
	}
	slices.SortStableFunc(e.list, func(a, b Mistake) int { return a.Pos.compare(b.Pos) })
	if len(e.list) > maxShown {
		e.more += len(e.list) - maxShown
		e.list = e.list[:maxShown]
	}
	return e
}

// MistakesError is the error that [Mistakes.Err] gives: all mistakes of a
// scenario, sorted by place. It is always the author's to mend (exit code 2).
type MistakesError struct {
	list  []Mistake
	more  int // beyond those in list
	texts map[string]*source
}

// List gives the mistakes in the order of the file, at most the first 200.
func (e *MistakesError) List() []Mistake { return e.list }

// Error gives one line a mistake.
func (e *MistakesError) Error() string {
	lines := make([]string, len(e.list), len(e.list)+1)
	for i, m := range e.list {
		lines[i] = m.String()
	}
	if e.more > 0 {
		lines = append(lines, e.rest())
	}
	return strings.Join(lines, "\n")
}

func (e *MistakesError) rest() string { return fmt.Sprintf("and %d more", e.more) }

// maxShownLine bounds how much of a source line is shown, in runes.
const maxShownLine = 160

// Explain gives the mistakes with the lines around each and a caret below it.
func (e *MistakesError) Explain() string {
	var b strings.Builder
	for i, m := range e.list {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(m.String())
		b.WriteByte('\n')
		if src := e.texts[m.Pos.File]; src != nil && m.Pos.Line > 0 {
			excerpt(&b, src.split(), m.Pos)
		}
	}
	if e.more > 0 {
		b.WriteString("\n" + e.rest() + "\n")
	}
	return b.String()
}

// excerpt writes the line of pos with its neighbours, and a caret below its
// column. Of a long line it shows the stretch around the caret.
func excerpt(b *strings.Builder, lines []string, pos Pos) {
	for n := max(1, pos.Line-1); n <= min(len(lines), pos.Line+1); n++ {
		text := lines[n-1]
		if n == len(lines) && n > pos.Line && text == "" {
			break // what follows the last line's end is no line
		}
		if n != pos.Line {
			fmt.Fprintf(b, "   %4d | %s\n", n, visible(firstRunes(text, maxShownLine)))
			continue
		}
		line := []rune(text)
		from, cut := 0, ""
		if pos.Col > maxShownLine-20 {
			from, cut = min(len(line), pos.Col-40), "…"
		}
		fmt.Fprintf(b, " > %4d | %s%s\n", n, cut, visible(firstRunes(string(line[from:]), maxShownLine)))
		fmt.Fprintf(b, "        | %s^\n", strings.Repeat(" ", max(0, pos.Col-1-from+utf8.RuneCountInString(cut))))
	}
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

// visible replaces what would disturb a terminal: tabs become one blank so that
// the caret stays below its column, control characters become a question mark.
func visible(line string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < 0x20, r == utf8.RuneError, r >= 0x7f && r < 0xa0:
			return '?'
		case r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // new lines and changes of direction
			return '?'
		}
		return r
	}, line)
}

// DidYouMean gives the hint `did you mean "x"?` for the candidate nearest to
// word, or the list of candidates when none is near and they are few.
func DidYouMean(word string, candidates []string) string {
	if near := nearest(word, candidates); near != "" {
		return didYouMean(near)
	}
	if len(candidates) > 0 && len(candidates) <= 24 {
		sorted := slices.Sorted(slices.Values(candidates))
		return "known are " + strings.Join(slices.Compact(sorted), ", ")
	}
	return ""
}

func didYouMean(word string) string { return fmt.Sprintf("did you mean %q?", word) }

// nearest finds the candidate that word is a misspelling of: one with at most a
// third of its letters wrong, or the first that word is the beginning or last part
// of. It gives "" when there is none.
func nearest(word string, candidates []string) string {
	best, at := "", 1+max(1, len(word)/3)
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < min(at, len(word), len(c)) {
			best, at = c, d
		}
	}
	if best != "" || len(word) < 3 {
		return best
	}
	for _, c := range candidates {
		if strings.HasPrefix(c, word) || strings.HasSuffix(c, "."+word) || strings.HasSuffix(c, "-"+word) {
			return c
		}
	}
	return ""
}

// distance is the number of inserted, deleted, replaced or swapped characters
// between a and b: the optimal string alignment distance.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 1 << 20
	}
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
