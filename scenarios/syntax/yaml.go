package syntax

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits on one scenario, including its aliases, params and extended files. A file beyond them is a mistake, but
// never hangs brunt or exhausts its memory.
const (
	MaxFile   = 512 << 10 // bytes of one file
	maxTokens = 50_000    // keys, values and punctuation of one file
	maxFields = 2_000     // keys of one map
	MaxNodes  = 200_000   // values after aliases and params are expanded
	MaxDepth  = 64        // levels of maps and lists
	maxEmpty  = 100       // empty lines in a row
	maxMarks  = 4         // --- and ... between documents
	maxPaths  = 32 << 20
	maxAhead  = 100_000_000
)

// Read parses one file, and adds its number of values to nodes. A syntax error is the only mistake that it reports,
// because the text after it can't be trusted. The result is then nil.
func Read(file string, text []byte, m *Mistakes, nodes *int) *Node {
	text = bytes.ReplaceAll(TrimBOM(text), []byte("\r\n"), []byte("\n")) // goccy counts the line end of a comment twice
	m.keep(file, string(text))
	if pos, what, hint := checkText(text); what != "" {
		pos.File = file
		m.AddHint(pos, hint, "%s", what)
		return nil
	}
	tree, err := parseYAML(m.texts[file])
	if err != nil {
		m.list = append(m.list, syntaxMistake(file, string(text), err))
		return nil
	}
	var body ast.Node
	for _, doc := range tree.Docs {
		if _, directive := doc.Body.(*ast.DirectiveNode); directive || doc.Body == nil {
			continue
		}
		if body != nil {
			m.AddHint(posOf(file, doc.Body), "keep each scenario in a file of its own", "a second YAML document in one file")
			break
		}
		body = doc.Body
	}
	if _, comments := body.(*ast.CommentGroupNode); body == nil || comments {
		m.AddHint(Pos{File: file, Line: 1, Col: 1}, "`brunt init` writes one to start from", "the file is empty")
		return nil
	}
	r := reader{file: file, m: m, anchors: map[string]*anchor{}, nodes: nodes}
	return r.node(body, 0)
}

// TrimBOM removes the byte order mark that some editors write at the beginning of a file.
func TrimBOM(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\ufeff")) }

// A yamlError is an error of the checks before the parser.
type yamlError struct {
	at         *token.Token
	what, hint string
}

func (e *yamlError) Error() string { return e.what }

// parseYAML runs the parser on text that it can handle. It refuses input that would take goccy unbounded time or
// memory, and turns a panic of goccy into an error.
func parseYAML(src *source) (f *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			f, err = nil, errors.New("this can't be read")
		}
	}()
	tokens := lexer.Tokenize(src.text)
	if tokens.InvalidToken() == nil {
		if e := checkTokens(tokens, src); e != nil {
			return nil, e
		}
	}
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

// checkText refuses input that the scanner can't handle: bytes that are not text, and lines for which goccy's scanner
// takes quadratic time. The scanner looks ahead at every tab, every < and, at the end of a block of text, for every
// empty line; the limit is maxAhead characters in total.
func checkText(text []byte) (pos Pos, what, hint string) {
	pos = Pos{Line: 1, Col: 1}
	if len(text) > MaxFile {
		return pos, fmt.Sprintf("the file has %d bytes; a scenario has at most %d", len(text), MaxFile),
			"rows of data go into a csv file"
	}
	if len(text) > 1 && (text[0] == 0xff && text[1] == 0xfe || text[0] == 0xfe && text[1] == 0xff ||
		text[0] != 0 && text[1] == 0) {
		return pos, "the file is UTF-16", "save it as UTF-8"
	}
	empty, tabs, run, ahead := 0, 0, 0, 0
	blank := true
	for i := 0; i < len(text); {
		c, size := rune(text[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRune(text[i:])
		}
		switch {
		case c == utf8.RuneError && size == 1:
			return pos, "this byte is not UTF-8", "save the file as UTF-8"
		case c == '\n':
			if empty++; !blank {
				empty = 0
			}
			ahead += tabs * pos.Col
			pos.Line, pos.Col, tabs, run, blank = pos.Line+1, 0, 0, 0, true
		case c == '\r':
			return pos, "a carriage return without a line feed", "save the file with the line ends of Unix or Windows"
		case c == '\t':
			tabs++
		case c < ' ' || c == 0x7f:
			return pos, fmt.Sprintf("a control character (%U)", c), `in double quotes it is written \x` + fmt.Sprintf("%02x", c)
		}
		if c == '<' {
			run++
			ahead += run
		} else {
			run = 0
		}
		blank = blank && (c == ' ' || c == '\t' || c == '\n')
		if empty > maxEmpty {
			return Pos{Line: pos.Line, Col: 1}, fmt.Sprintf("more than %d empty lines in a row", maxEmpty), ""
		}
		if ahead+tabs*pos.Col > maxAhead {
			return pos, "a line with so many tabs or < takes too long to read", "put it into a file of its own"
		}
		pos.Col++
		i += size
	}
	return pos, "", ""
}

// checkTokens limits the parser's work. The parser recurses for every level and for every key of a map, shifts all
// tokens for every empty value, copies them for every document, and keeps for each value the path that leads to it.
// The limit for paths is maxPaths bytes in total.
func checkTokens(tokens token.Tokens, src *source) *yamlError {
	type level struct {
		typ    token.Type // of the bracket, of the entry of a list, or MappingValueType for a key
		col    int
		fields int // keys in this map so far
		path   int // bytes of the path that leads here
	}
	stack := []level{{typ: token.DocumentHeaderType}}
	pop := func() { stack = stack[:len(stack)-1] }
	top := func() *level { return &stack[len(stack)-1] }
	bracket := func(t token.Type) bool {
		return t == token.MappingStartType || t == token.SequenceStartType || t == token.DocumentHeaderType
	}
	paths, documents, count := 0, 0, 0
	tabs := strings.Contains(src.text, "\t")
	for i, t := range tokens {
		if t.Type == token.CommentType {
			continue
		}
		if count++; count > maxTokens {
			return &yamlError{
				t, fmt.Sprintf("more than %d keys, values and signs in one file", maxTokens), "rows of data go into a csv file",
			}
		}
		if tabs {
			if e := checkTabs(t, src); e != nil {
				return e
			}
		}
		col := t.Position.Column
		switch t.Type {
		case token.DocumentHeaderType, token.DocumentEndType:
			if documents++; documents > maxMarks {
				return &yamlError{t, "more than one YAML document in one file", "keep each scenario in a file of its own"}
			}
		case token.MappingStartType, token.SequenceStartType:
			stack = append(stack, level{typ: t.Type, col: col, path: top().path + 8})
		case token.MappingEndType, token.SequenceEndType:
			for !bracket(top().typ) {
				pop()
			}
			if len(stack) > 1 {
				pop()
			}
		case token.CollectEntryType:
			for !bracket(top().typ) {
				pop()
			}
		case token.SequenceEntryType, token.MappingKeyType:
			for !bracket(top().typ) && (top().col > col || top().col == col && top().typ == token.SequenceEntryType) {
				pop()
			}
			stack = append(stack, level{typ: token.SequenceEntryType, col: col, path: top().path + 8})
		case token.MappingValueType:
			key := t
			if i > 0 {
				key = tokens[i-1]
			}
			col = key.Position.Column
			for !bracket(top().typ) && (top().col > col || top().col == col && top().typ == token.SequenceEntryType) {
				pop()
			}
			fields := 1
			if top().typ == token.MappingValueType && top().col == col {
				fields = top().fields + 1
				pop()
			}
			if fields > maxFields {
				return &yamlError{key, fmt.Sprintf("more than %d keys in one map", maxFields), ""}
			}
			stack = append(stack, level{typ: t.Type, col: col, fields: fields, path: top().path + len(key.Value) + 3})
		}
		if len(stack) > 3*MaxDepth {
			return &yamlError{t, fmt.Sprintf("nested deeper than %d levels", MaxDepth), ""}
		}
		if paths += top().path; paths > maxPaths {
			return &yamlError{t, "keys this long, nested this deep, take too much memory", ""}
		}
	}
	return nil
}

// checkTabs refuses a tab outside quotes, blocks of text and comments. The scanner drops such a tab from texts and
// counts columns wrongly after it. So a character that is not at the column of its token has a tab before it.
func checkTabs(t *token.Token, src *source) *yamlError {
	wrong := &yamlError{t, tabStands, "YAML is written with blanks; a text that holds a tab is quoted"}
	switch t.Type {
	case token.CommentType:
		return nil
	case token.SingleQuoteType, token.DoubleQuoteType, token.MappingValueType, token.SequenceEntryType,
		token.CollectEntryType,
		token.MappingStartType, token.MappingEndType, token.SequenceStartType, token.SequenceEndType:
		sign := firstRunes(strings.TrimLeft(t.Origin, " \t\n"), 1)
		if !strings.HasPrefix(src.from(t.Position.Line, t.Position.Column), sign) {
			return wrong
		}
		return nil
	}
	if p := t.Prev; p != nil && (p.Type == token.LiteralType || p.Type == token.FoldedType) {
		return nil
	}
	text := t.Origin
	if next := t.Next; next == nil || next.Type == token.CommentType || next.Position.Line > t.Position.Line {
		text = strings.TrimRight(text, " \t\n") // nothing follows it
	}
	if !strings.Contains(text, "\t") {
		return nil
	}
	return wrong
}
