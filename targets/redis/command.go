package redis

import (
	"fmt"
	"strconv"
	"strings"

	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// commandSource holds the commands of a step. Its YAML is a list of the words of a command, or a map of pipeline or
// multi with a list of commands.
type commandSource struct {
	commands []command
	form     form
}

// form is how the commands of a step are sent.
type form uint8

const (
	single form = iota
	pipeline
	multi // between MULTI and EXEC
)

// command is one command.
type command struct {
	at   syntax.Pos
	args []template.Text
}

func (s *commandSource) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	switch {
	case n.Kind == syntax.List:
		s.add(n, m)
		return
	case n.Kind != syntax.Map:
		hint := "such as [GET, \"user:${int(1,9)}\"]"
		if f := strings.Fields(n.Value); len(f) > 0 {
			hint = "such as [" + strings.Join(f, ", ") + "]"
		}
		m.AddHint(n.Pos, hint, "a command is a list of its words")
		return
	case len(n.Fields) != 1:
		m.AddHint(n.Pos, "such as {pipeline: [[INCR, a], [EXPIRE, a, 60]]}", "want either pipeline or multi")
		return
	}
	switch f := n.Fields[0]; f.Key {
	case "pipeline":
		s.form = pipeline
	case "multi":
		s.form = multi
	default:
		m.AddHint(f.Pos, syntax.DidYouMean(f.Key, []string{"pipeline", "multi"}), "unknown key %q", syntax.Clip(f.Key, 60))
		return
	}
	list := n.Fields[0].Value
	if list.Kind != syntax.List || len(list.Items) == 0 {
		m.AddHint(list.Pos, "such as [[INCR, a], [EXPIRE, a, 60]]", "want a list of commands")
		return
	}
	for _, item := range list.Items {
		if item.Kind != syntax.List {
			m.AddHint(item.Pos, "such as [INCR, a]", "a command is a list of its words")
			continue
		}
		s.add(item, m)
	}
}

// add decodes a command. It notes mistakes in m.
func (s *commandSource) add(n *syntax.Node, m *syntax.Mistakes) {
	c := command{at: n.Pos, args: make([]template.Text, len(n.Items))}
	if len(n.Items) == 0 {
		m.AddHint(n.Pos, `such as [GET, "user:1"]`, "the command has no words")
		return
	}
	before := m.Len()
	for i, item := range n.Items {
		if item.Kind == syntax.List || item.Kind == syntax.Map || item.Kind == syntax.Null {
			m.AddHint(item.Pos, "put a text in quotes", "each item is one word of the command, and not %s", item.Describe())
			continue
		}
		c.args[i].DecodeNode(item, m)
	}
	if m.Len() > before {
		return
	}
	name, static := c.args[0].Static()
	switch {
	case !static:
		m.Add(n.Items[0].Pos, "the name of a command has no placeholders")
		return
	case name == "" || strings.ContainsAny(name, " \t\r\n"):
		m.AddHint(n.Items[0].Pos, "each word is an item: ["+strings.Join(strings.Fields(name), ", ")+"]",
			"%q is not the name of a command", syntax.Clip(name, 60))
		return
	}
	args := c.words()
	for _, key := range []string{args[0], strings.Join(args[:min(2, len(args))], " ")} {
		if hint, yes := stateful[strings.ToUpper(key)]; yes {
			m.AddHint(n.Items[0].Pos, hint, "%s changes a connection, and calls share connections", strings.ToUpper(key))
			return
		}
	}
	s.commands = append(s.commands, c)
}

// words returns the words of the command, with its name in capitals. A word with placeholders is empty.
func (c *command) words() []string {
	list := make([]string, len(c.args))
	for i := range c.args {
		list[i], _ = c.args[i].Static()
	}
	list[0] = strings.ToUpper(list[0])
	return list
}

// Refs lists the placeholders of the commands.
func (s *commandSource) Refs() (refs []*syntax.Ref) {
	for i := range s.commands {
		for j := range s.commands[i].args {
			refs = append(refs, s.commands[i].args[j].Refs()...)
		}
	}
	return refs
}

// name returns the default name of a step with the commands: the command and its key.
func (s *commandSource) name() string {
	const most = 60
	var names []string
	for i := range s.commands {
		names = append(names, s.commands[i].words()[0])
	}
	if s.form == single && len(names) == 1 {
		if c := &s.commands[0]; keyOf(c.words()) == 1 {
			names = append(names, c.args[1].Text())
		}
	}
	prefix := [...]string{single: "", pipeline: "pipeline ", multi: "multi "}[s.form]
	return syntax.Clip(prefix+strings.Join(names, " "), most)
}

// parts names the commands of a pipeline. Equal names get numbers.
func (s *commandSource) parts() []string {
	if s.form != pipeline {
		return nil
	}
	seen, names := map[string]int{}, make([]string, len(s.commands))
	for i := range s.commands {
		names[i] = s.commands[i].words()[0]
		if seen[names[i]]++; seen[names[i]] > 1 {
			names[i] += " " + strconv.Itoa(seen[names[i]])
		}
	}
	return names
}

// segment is a part of the bytes of a call: some known bytes, and then a word that is not known yet.
type segment struct {
	known []byte
	word  *template.Text // nil: none
	key   bool           // the word is the first key of the call
}

// encoded is a call in bytes of the protocol.
type encoded struct {
	segments []segment
	fixed    []byte // the whole call, if it has no placeholders
	replies  int
	keyed    bool   // it has a key
	slot     uint16 // of the key, if the key has no placeholders
}

// encode prepares the bytes of the commands.
func (s *commandSource) encode() (e encoded) {
	var known []byte
	e.replies = len(s.commands)
	if s.form == multi {
		known = appendCommand(known, "MULTI")
		e.replies += 2
	}
	for i := range s.commands {
		c := &s.commands[i]
		known = appendLength(known, '*', len(c.args))
		key := 0
		if !e.keyed {
			key = keyOf(c.words())
		}
		for j := range c.args {
			text, static := c.args[j].Static()
			isKey := key > 0 && j == key
			e.keyed = e.keyed || isKey
			if static {
				if isKey {
					e.slot = slotOf([]byte(text))
				}
				known = appendWord(known, []byte(text))
				continue
			}
			e.segments = append(e.segments, segment{known: known, word: &c.args[j], key: isKey})
			known = nil
		}
	}
	if s.form == multi {
		known = appendCommand(known, "EXEC")
	}
	if len(e.segments) == 0 {
		e.fixed = known
		return e
	}
	e.segments = append(e.segments, segment{known: known})
	return e
}

// compose appends the call for it; word is memory for its words. It returns the slot of its key.
func (e *encoded) compose(dst, word []byte, it *template.Iter) (all, mem []byte, slot uint16, err error) {
	slot = e.slot
	for i := range e.segments {
		s := &e.segments[i]
		dst = append(dst, s.known...)
		if s.word == nil {
			continue
		}
		if word, err = s.word.Append(word[:0], it); err != nil {
			return dst, word, slot, err
		}
		if s.key {
			slot = slotOf(word)
		}
		dst = appendWord(dst, word)
	}
	return dst, word, slot, nil
}

// appendLength appends the header of a command or of a word.
func appendLength(dst []byte, kind byte, n int) []byte {
	return append(strconv.AppendInt(append(dst, kind), int64(n), 10), "\r\n"...)
}

// appendWord appends a word of a command.
func appendWord(dst, word []byte) []byte {
	return append(append(appendLength(dst, '$', len(word)), word...), "\r\n"...)
}

// appendCommand appends a command.
func appendCommand(dst []byte, words ...string) []byte {
	dst = appendLength(dst, '*', len(words))
	for _, w := range words {
		dst = appendWord(dst, []byte(w))
	}
	return dst
}

// lines returns the commands in bytes as redis-cli reads them, one per line. Values that follow a secret name are
// masked.
func lines(sent []byte) (list []string) {
	for len(sent) > 0 {
		words, rest := int64(0), []byte(nil)
		if words, rest = announced(sent, '*'); rest == nil {
			return list
		}
		var line []string
		for range words {
			n, text := announced(rest, '$')
			if text == nil || int64(len(text)) < n+2 {
				return list
			}
			line, rest = append(line, string(text[:n])), text[n+2:]
		}
		list, sent = append(list, shown(line)), rest
	}
	return list
}

// asking inserts ASKING before the commands, or before each command if each is true.
func asking(sent []byte, each bool) (dst []byte) {
	for len(sent) > 0 {
		n := len(sent)
		if each {
			n = lengthOf(sent)
		}
		dst = append(appendCommand(dst, "ASKING"), sent[:n]...)
		sent = sent[n:]
	}
	return dst
}

// lengthOf returns the length of the first command in sent.
func lengthOf(sent []byte) int {
	words, rest := announced(sent, '*')
	for range words {
		n, text := announced(rest, '$')
		if int64(len(text)) < n+2 {
			return len(sent)
		}
		rest = text[n+2:]
	}
	return len(sent) - len(rest)
}

// announced reads a length and returns the bytes after it, or nil if there is no length.
func announced(b []byte, kind byte) (int64, []byte) {
	if len(b) == 0 || b[0] != kind {
		return 0, nil
	}
	digits, rest, ok := strings.Cut(string(b[1:min(len(b), 24)]), "\r\n")
	n, valid := integer([]byte(digits))
	if !ok || !valid {
		return 0, nil
	}
	return n, b[min(len(b), 24)-len(rest):]
}

// quoted quotes a word for redis-cli if necessary.
func quoted(word string) string {
	plain := word != "" && strings.IndexFunc(word, func(r rune) bool {
		return r <= ' ' || r == '"' || r == '\'' || r == '\\' || r >= 0x7f
	}) < 0
	if plain {
		return word
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(word) {
		switch c := word[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
