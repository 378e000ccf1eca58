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

// Mistakes is everything wrong with a scenario, reported in one go. The zero
// value is ready to collect; Err turns it into an error.
type Mistakes struct {
	list  []Mistake
	texts map[string]string // file name to its text, for the lines around a mistake
}

// Add notes a mistake at pos.
func (m *Mistakes) Add(pos Pos, format string, args ...any) {
	m.list = append(m.list, Mistake{Pos: pos, What: fmt.Sprintf(format, args...)})
}

// AddHint notes a mistake together with the way to mend it.
func (m *Mistakes) AddHint(pos Pos, hint, format string, args ...any) {
	m.list = append(m.list, Mistake{Pos: pos, What: fmt.Sprintf(format, args...), Hint: hint})
}

// AddErr notes err at pos. An err that is itself [Mistakes] keeps its own places.
func (m *Mistakes) AddErr(pos Pos, err error) {
	switch e := err.(type) {
	case nil:
	case *MistakesError:
		m.list = append(m.list, e.list...)
	default:
		m.Add(pos, "%v", err)
	}
}

// Len is how many mistakes were noted.
func (m *Mistakes) Len() int { return len(m.list) }

// Merge takes over the mistakes and the file texts of other.
func (m *Mistakes) Merge(other *Mistakes) {
	m.list = append(m.list, other.list...)
	for name, text := range other.texts {
		m.keep(name, text)
	}
}

func (m *Mistakes) keep(file, text string) {
	if m.texts == nil {
		m.texts = map[string]string{}
	}
	m.texts[file] = text
}

// Err gives the mistakes as an error sorted by place, or nil when there are none.
func (m *Mistakes) Err() error {
	if len(m.list) == 0 {
		return nil
	}
	e := &MistakesError{list: slices.Clone(m.list), texts: m.texts}
	slices.SortStableFunc(e.list, func(a, b Mistake) int { return a.Pos.compare(b.Pos) })
	e.list = slices.Compact(e.list)
	return e
}

// MistakesError is the error that [Mistakes.Err] gives: all mistakes of a
// scenario, sorted by place. It is always the author's to mend (exit code 2).
type MistakesError struct {
	list  []Mistake
	texts map[string]string
}

// List gives the mistakes in the order of the file.
func (e *MistakesError) List() []Mistake { return e.list }

// Error gives one line a mistake.
func (e *MistakesError) Error() string {
	lines := make([]string, len(e.list))
	for i, m := range e.list {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

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
		e.excerpt(&b, m.Pos)
	}
	return b.String()
}

func (e *MistakesError) excerpt(b *strings.Builder, pos Pos) {
	text, ok := e.texts[pos.File]
	if !ok || pos.Line == 0 {
		return
	}
	lines := strings.Split(text, "\n")
	for n := max(1, pos.Line-1); n <= min(len(lines), pos.Line+1); n++ {
		line := []rune(strings.ToValidUTF8(strings.TrimRight(lines[n-1], "\r"), "�"))
		from := 0
		if pos.Line == n && pos.Col > maxShownLine-20 { // keep the caret in sight
			from = min(len(line), pos.Col-40)
		}
		shown := visible(line[from:min(len(line), from+maxShownLine)])
		mark := " "
		if n == pos.Line {
			mark = ">"
		}
		fmt.Fprintf(b, " %s %4d | %s\n", mark, n, shown)
		if n == pos.Line {
			fmt.Fprintf(b, "        | %s^\n", strings.Repeat(" ", max(0, pos.Col-1-from)))
		}
	}
}

// visible replaces what would disturb a terminal: tabs become one blank so that
// the caret stays below its column, control characters become a question mark.
func visible(line []rune) string {
	out := slices.Clone(line)
	for i, r := range out {
		switch {
		case r == '\t':
			out[i] = ' '
		case r < 0x20 || r == 0x7f || r == utf8.RuneError || (r >= 0x80 && r < 0xa0):
			out[i] = '?'
		}
	}
	return string(out)
}

// DidYouMean gives the hint `did you mean "x"?` for the candidate nearest to
// word, or the list of candidates when none is near and they are few.
func DidYouMean(word string, candidates []string) string {
	best, at := "", 1+max(1, len(word)/3)
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < at {
			best, at = c, d
		}
	}
	if best == "" && len(word) >= 3 { // a cut-off word is near too
		for _, c := range candidates {
			if strings.HasPrefix(c, word) || strings.HasSuffix(c, "."+word) || strings.HasSuffix(c, "-"+word) {
				best = c
				break
			}
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("did you mean %q?", best)
	case len(candidates) > 0 && len(candidates) <= 24:
		sorted := slices.Sorted(slices.Values(candidates))
		return "known are " + strings.Join(sorted, ", ")
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
