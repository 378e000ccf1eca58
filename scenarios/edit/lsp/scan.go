package lsp

import (
	"slices"
	"strings"

	"brunt/scenarios/syntax"
)

// A token is a key with its value, or a value of a list, at its place in a text. Columns count characters from 0.
type token struct {
	path   []string // keys above it
	parent int      // number of the map or list that holds it
	line   int

	key    string // empty: a value of a list
	keyAt  span
	value  string // as written; empty if the value is missing, or is a map or a list
	at     span   // of the value
	alone  bool   // a word without a colon: an unfinished key, or a text
	inList bool   // it begins an item of a list
}

type span struct{ from, to int }

func (s span) holds(col int) bool { return s.from <= col && col <= s.to }

// scan reads the keys of a YAML text. The text may be unfinished, so that a parser would give up. It understands
// block and flow maps and lists, and skips texts over several lines.
//
//	line -> dashes -> key: -> rest -> flow { [ , : ] }
func scan(text string) []token {
	s := scanner{maps: 1}
	for n, line := range strings.Split(text, "\n") {
		s.line = n
		s.read([]rune(strings.TrimSuffix(line, "\r")))
	}
	return s.out
}

// drill is the key that only the files of drills have. The reference has their other keys below it.
const drill = "drill"

// read returns the tokens of a text with the paths that the reference has: those of a scenario, or of a drill, which
// has a scenario's faults and keys in parts of it.
func read(text string) []token {
	out := scan(text)
	if !slices.ContainsFunc(out, func(t token) bool {
		return len(t.path) == 0 && strings.Replace(t.key, cursor, "", 1) == drill
	}) {
		return out
	}
	for i, t := range out {
		switch {
		case len(t.path) > 0 && t.path[0] == "chaos":
		case len(t.path) > 0 && t.path[0] == "scenario":
			out[i].path = t.path[1:]
		case len(t.path) > 1 && t.path[0] == "proof" && t.path[1] == "scenario":
			out[i].path = t.path[2:]
		default:
			out[i].path = append([]string{drill}, t.path...)
		}
	}
	return out
}

// A level is an open map or list.
type level struct {
	indent int
	key    string // empty: an item of a list
	holds  int    // number of the map or list below the key
}

type flowLevel struct {
	list  bool
	key   string
	holds int
}

type scanner struct {
	out      []token
	maps     int // numbers given to maps and lists
	line     int
	open     []level
	flow     []flowLevel
	flowFrom int // indent of the line on which the outermost { or [ began
	block    int // indent + 1 of the key whose text over several lines continues; 0: none
}

func (s *scanner) read(line []rune) {
	indent := 0
	for indent < len(line) && line[indent] == ' ' {
		indent++
	}
	rest := line[indent:]
	switch {
	case len(rest) == 0 || rest[0] == '#':
		return
	case s.block > 0 && indent >= s.block:
		return
	case len(s.flow) > 0 && (indent > s.flowFrom || strings.ContainsRune("}],", rest[0])):
		s.scanFlow(line, indent)
		return
	}
	s.flow = nil // an unclosed { or [ ends here, because the next line is not below it
	s.block = 0
	dash, first := false, indent
	for len(rest) > 0 && rest[0] == '-' && (len(rest) == 1 || rest[1] == ' ') {
		dash = true
		s.close(indent, true)
		s.maps++
		s.open = append(s.open, level{indent: indent, holds: s.maps})
		skip := 1
		for skip < len(rest) && rest[skip] == ' ' {
			skip++
		}
		indent += skip
		rest = rest[skip:]
	}
	if len(rest) == 0 || rest[0] == '#' {
		return
	}
	if !dash {
		s.close(indent, false)
	}
	s.flowFrom = first
	s.entry(line, indent, dash)
}

// close closes the maps and lists that do not contain a line with an indent.
func (s *scanner) close(indent int, dash bool) {
	for len(s.open) > 0 {
		top := s.open[len(s.open)-1]
		if top.indent < indent || dash && top.indent == indent && top.key != "" {
			return
		}
		s.open = s.open[:len(s.open)-1]
	}
}

// entry reads `key: value`, or only a value, from a column on.
func (s *scanner) entry(line []rune, col int, inList bool) {
	if c := line[col]; c == '{' || c == '[' {
		s.scanFlow(line, col)
		return
	}
	key, after, colon := word(line, col, false)
	t := token{path: s.path(), parent: s.parent(), line: s.line, inList: inList}
	if !colon {
		t.value, t.at, t.alone = unquoted(line[col:]), span{col, len(line)}, true
		s.add(t)
		return
	}
	t.key, t.keyAt = key, span{col, after}
	s.maps++
	s.open = append(s.open, level{indent: col, key: key, holds: s.maps})
	at := after + 1
	for at < len(line) && line[at] == ' ' {
		at++
	}
	t.at = span{at, len(line)}
	switch {
	case at >= len(line) || line[at] == '#':
		t.at = span{at, at}
	case line[at] == '{' || line[at] == '[':
		s.add(t)
		s.scanFlow(line, at)
		return
	case line[at] == '|' || line[at] == '>':
		s.block = col + 1
	default:
		if i := comment(line[at:]); i >= 0 {
			t.at.to = at + i
		}
		t.value = unquoted(line[at:t.at.to])
	}
	s.add(t)
}

// add keeps a token, unless it lies deeper than a scenario may be nested.
func (s *scanner) add(t token) {
	if !s.deep() {
		s.out = append(s.out, t)
	}
}

// deep reports whether the next token lies deeper than a scenario may be nested. A path for each such token would take
// time and memory by the square of the text.
func (s *scanner) deep() bool { return len(s.open)+len(s.flow) > syntax.MaxDepth }

// path returns the keys above the next token; nil where that is too deep.
func (s *scanner) path() []string {
	if s.deep() {
		return nil
	}
	var out []string
	for _, f := range s.open {
		if f.key != "" {
			out = append(out, f.key)
		}
	}
	for _, f := range s.flow {
		if f.key != "" {
			out = append(out, f.key)
		}
	}
	return out
}

func (s *scanner) parent() int {
	switch {
	case len(s.flow) > 0:
		return s.flow[len(s.flow)-1].holds
	case len(s.open) > 0:
		return s.open[len(s.open)-1].holds
	}
	return 0
}

// scanFlow reads { } and [ ] from a column on, until they end or the line ends.
func (s *scanner) scanFlow(line []rune, col int) {
	for col < len(line) {
		switch c := line[col]; {
		case c == ' ':
			col++
		case c == '#':
			return
		case c == '{' || c == '[':
			s.maps++
			s.flow = append(s.flow, flowLevel{list: c == '[', holds: s.maps})
			col++
		case c == '}' || c == ']':
			s.flow = s.flow[:len(s.flow)-1]
			col++
			if len(s.flow) == 0 {
				return
			}
		case c == ',':
			s.flow[len(s.flow)-1].key = ""
			col++
		default:
			col = s.flowEntry(line, col)
		}
	}
}

// flowEntry reads one key or value in { } or [ ] and returns the column after it.
func (s *scanner) flowEntry(line []rune, col int) int {
	top := &s.flow[len(s.flow)-1]
	text, after, colon := word(line, col, true)
	t := token{path: s.path(), parent: s.parent(), line: s.line, inList: top.list}
	if !colon {
		if top.key != "" { // the value of a key on an earlier line
			return after
		}
		t.value, t.at, t.alone = text, span{col, after}, true
		s.add(t)
		return after
	}
	t.key, t.keyAt = text, span{col, after}
	at := after + 1
	for at < len(line) && line[at] == ' ' {
		at++
	}
	top.key = text
	t.at = span{at, at}
	if at < len(line) && !strings.ContainsRune("{[,}]#", line[at]) {
		t.value, t.at.to, _ = word(line, at, true)
		t.at = span{at, t.at.to}
	}
	s.add(t)
	return max(at, t.at.to)
}

// word reads a key, or a plain or quoted text, from a column on. It returns the text and the column after it. Colon
// reports that a colon ends it, so that it is a key. In flow, brackets and commas end it as well.
func word(line []rune, col int, flow bool) (text string, after int, colon bool) {
	i := col
	if q := line[col]; q == '"' || q == '\'' {
		for i++; i < len(line) && line[i] != q; i++ {
			if q == '"' && line[i] == '\\' {
				i++
			}
		}
		i = min(i+1, len(line))
		return unquoted(line[col:i]), i, i < len(line) && line[i] == ':'
	}
	for ; i < len(line); i++ {
		switch c := line[i]; {
		case c == ':' && (i+1 == len(line) || line[i+1] == ' ' || flow && strings.ContainsRune(",}]", line[i+1])):
			return strings.TrimRight(string(line[col:i]), " "), i, true
		case c == '$' && i+1 < len(line) && line[i+1] == '{': // a placeholder
			for i < len(line) && line[i] != '}' {
				i++
			}
		case flow && strings.ContainsRune("{}[],", c), c == '#' && i > col && line[i-1] == ' ':
			return strings.TrimRight(string(line[col:i]), " "), i, false
		}
	}
	return strings.TrimRight(string(line[col:i]), " "), i, false
}

// comment returns the index of a comment in the rest of a line, or -1.
func comment(rest []rune) int {
	quote := rune(0)
	for i, c := range rest {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && i == 0:
			quote = c
		case c == '#' && i > 0 && rest[i-1] == ' ':
			return i
		}
	}
	return -1
}

func unquoted(line []rune) string {
	text := strings.TrimSpace(string(line))
	if len(text) > 1 && (text[0] == '"' || text[0] == '\'') && text[len(text)-1] == text[0] {
		return text[1 : len(text)-1]
	}
	return text
}
