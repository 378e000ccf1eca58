package query

import (
	"bytes"
	"strconv"
	"strings"
)

// redis cuts RESP2 and RESP3.
type redis struct {
	uncut

	within bool // inside a command
	words  int  // remaining words of the command
	skip   int  // remaining bytes of a word
	multi  bool // between MULTI and EXEC

	answer bool // inside an answer
	push   bool // no request asked for the answer
	need   int  // remaining values of the answer
	rest   int  // remaining bytes of a text
}

func (*redis) Speaks() string { return Redis }

func (c *redis) Idle() bool { return !c.answer && len(c.out) == 0 }

// Refuse implements [Codec]. The text begins with the code.
func (*redis) Refuse(_ []byte, code, text string) (wrong, end []byte) {
	return []byte("-" + strings.TrimSpace(code+" "+text) + "\r\n"), nil
}

// leaves lists commands after which answers no longer correspond to requests one by one.
var leaves = map[string]bool{
	"SUBSCRIBE": true, "PSUBSCRIBE": true, "SSUBSCRIBE": true, "MONITOR": true, "SYNC": true, "PSYNC": true,
}

func (c *redis) Requests(b []byte) (parts []Part, err error) {
	c.in = append(c.in, b...)
	for len(c.in) > 0 {
		p, at := Part{}, 0
		if !c.within {
			words, verb, key, ok := c.head()
			switch {
			case !ok && len(c.in) > longestHead, ok && words < 0:
				return parts, errOther
			case !ok:
				return parts, nil
			case leaves[verb], verb == "CLIENT" && strings.EqualFold(key, "REPLY"):
				return parts, errRaw
			}
			_, at = line(c.in, 0)
			c.within, c.words = true, words
			p.First, p.Name, p.Fixed = true, verb+" "+key, c.multi || verb == "MULTI"
			c.multi = verb == "MULTI" || c.multi && verb != "EXEC" && verb != "DISCARD"
		}
		if at, err = c.through(at); err != nil {
			return parts, err
		}
		if p.Last = c.words == 0 && c.skip == 0; at == 0 && !p.Last {
			return parts, nil
		}
		c.within = !p.Last
		p.Bytes = bytes.Clone(c.in[:at])
		c.in = c.in[at:]
		parts = append(parts, p)
	}
	c.in = nil
	return parts, nil
}

// head reads the number of words of a command, its verb in upper case, and its key. ok is false if more bytes are
// needed. A negative number of words means that it is no command.
func (c *redis) head() (words int, verb, key string, ok bool) {
	text, at := line(c.in, 0)
	if at == 0 {
		return 0, "", "", false
	}
	if words, ok = count(text, '*'); !ok || words < 1 {
		return -1, "", "", true
	}
	for i := range min(words, 2) {
		text, next := line(c.in, at)
		if next == 0 {
			return 0, "", "", false
		}
		n, ok := count(text, '$')
		if !ok || n < 0 {
			return -1, "", "", true
		}
		most := min(n, longestName)
		if len(c.in) < next+most {
			return 0, "", "", false
		}
		word := string(c.in[next : next+most])
		if i == 0 {
			verb = strings.ToUpper(word)
		} else {
			key = word
		}
		if at = next + n + 2; at > len(c.in) && i == 0 && words > 1 {
			return 0, "", "", false
		}
	}
	return words, verb, key, true
}

// through returns the index up to which the client's bytes, from at on, belong to the present command.
func (c *redis) through(at int) (int, error) {
	for {
		n := min(c.skip, len(c.in)-at)
		at, c.skip = at+n, c.skip-n
		if c.skip > 0 || c.words == 0 {
			return at, nil
		}
		text, next := line(c.in, at)
		if next == 0 {
			if len(c.in)-at > longestHead {
				return at, errOther
			}
			return at, nil
		}
		size, ok := count(text, '$')
		if !ok || size < 0 {
			return at, errOther
		}
		at, c.skip, c.words = next, size+2, c.words-1
	}
}

// count reads a number that follows a mark.
func count(text []byte, mark byte) (int, bool) {
	if len(text) < 2 || text[0] != mark {
		return 0, false
	}
	n, err := strconv.ParseInt(string(text[1:]), 10, 32)
	return int(n), err == nil
}

func (c *redis) Answers(b []byte) (parts []Part, err error) {
	c.out = append(c.out, b...)
	for len(c.out) > 0 {
		if !c.answer {
			c.answer, c.need, c.push = true, 1, c.out[0] == '>'
		}
		at := 0
		for c.need > 0 || c.rest > 0 {
			n := min(c.rest, len(c.out)-at)
			at, c.rest = at+n, c.rest-n
			if c.rest > 0 || c.need == 0 {
				break
			}
			text, next := line(c.out, at)
			if next == 0 {
				if len(c.out)-at > longestHead {
					return parts, errOther
				}
				break
			}
			if err := c.value(text); err != nil {
				return parts, err
			}
			at = next
		}
		over := c.need == 0 && c.rest == 0
		if at == 0 && !over {
			return parts, nil
		}
		c.answer = !over
		parts = append(parts, Part{Bytes: bytes.Clone(c.out[:at]), Last: over && !c.push, Free: c.push})
		c.out = c.out[at:]
	}
	c.out = nil
	return parts, nil
}

// value counts the value that begins with a line.
func (c *redis) value(text []byte) error {
	if len(text) == 0 {
		return errOther
	}
	c.need--
	kind := text[0]
	switch kind {
	case '+', '-', ':', ',', '#', '_', '(':
		return nil
	}
	n, ok := count(text, kind)
	if !ok {
		return errOther
	}
	switch kind {
	case '$', '=', '!':
		if n >= 0 {
			c.rest = n + 2
		}
	case '*', '~', '>':
		c.need += max(n, 0)
	case '%':
		c.need += 2 * n
	case '|':
		c.need += 2*n + 1
	default:
		return errOther
	}
	return nil
}
