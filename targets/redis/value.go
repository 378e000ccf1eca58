package redis

import (
	"encoding/json"
	"io"
	"math"
	"slices"
	"strconv"

	"brunt/scenarios/check"
	"brunt/targets"
)

// decode reads a reply with its values in the types of JSON: a text, a number, true, a list, a map, nil. Numbers that
// JSON does not have (inf, nan) become texts, and so does an error within a reply.
func (r *reader) decode(p *reply) (any, error) {
	h, err := r.begin()
	if err != nil {
		return nil, err
	}
	p.none = h.kind == '_' || h.n < 0
	return r.value(h, p, 0)
}

// The approximate memory of a value besides its text, and of a map besides its values, in bytes.
const (
	valueSize = 48
	mapSize   = 400
)

// charge counts the memory of a value with a text of n bytes.
func (r *reader) charge(n int64) error {
	if int64(r.room) < n+valueSize {
		return bad("the answer has more than %d MiB, which is the most that checks and extractions look into",
			mostDecoded>>20)
	}
	r.room -= int(n) + valueSize
	if r.claim == nil {
		return nil
	}
	return r.claim.Take(2*int(n) + valueSize) // a text that grows, or becomes a value, is copied
}

// value reads the rest of the value that h begins.
func (r *reader) value(h head, p *reply, depth int) (any, error) {
	of := h.n
	switch h.kind {
	case '+', '-', ':', ',', '#', '(', '_':
		of = int64(len(h.line))
	case '$', '!', '=':
	default:
		of = 0
	}
	if h.kind == '%' {
		of = mapSize
	}
	if err := r.charge(max(of, 0)); err != nil {
		return nil, err
	}
	switch h.kind {
	case '+':
		return string(h.line), nil
	case '-':
		r.note(p, h.line)
		return string(h.line), nil
	case ':':
		n, _ := integer(h.line)
		return n, nil
	case ',':
		return double(h.line)
	case '#':
		if len(h.line) != 1 || h.line[0] != 't' && h.line[0] != 'f' {
			return nil, bad("the answer has the truth value %s", targets.Quote(string(h.line)))
		}
		return h.line[0] == 't', nil
	case '(':
		n := json.Number(h.line)
		if _, err := n.Float64(); err != nil || !json.Valid(h.line) {
			return nil, bad("the answer has the number %s", targets.Quote(string(h.line)))
		}
		return n, nil
	case '$', '=', '!':
		if h.n < 0 {
			return nil, nil
		}
		return r.bulk(h, p)
	case '_':
		return nil, nil
	}
	return r.collection(h, p, depth)
}

// double returns a number, or a text if JSON has no such number.
func double(b []byte) (any, error) {
	f, err := strconv.ParseFloat(string(b), 64)
	switch {
	case err != nil && !math.IsInf(f, 0):
		return nil, bad("the answer has the number %s", targets.Quote(string(b)))
	case math.IsInf(f, 0), math.IsNaN(f):
		return string(b), nil
	}
	return f, nil
}

// chunk is how much of a text is read at once, in bytes.
const chunk = 64 << 10

// bulk reads a text of h.n bytes.
func (r *reader) bulk(h head, p *reply) (any, error) {
	n, b := int(h.n), []byte(nil)
	for len(b) < n {
		from := len(b)
		to := min(n, from+max(chunk, from/4))
		b = slices.Grow(b, to-from)[:to]
		got, err := io.ReadFull(r.br, b[from:])
		r.size += int64(got)
		if err != nil {
			return nil, broken(err)
		}
	}
	if err := r.lineEnd(); err != nil {
		return nil, err
	}
	switch {
	case h.kind == '!':
		r.note(p, b)
	case h.kind == '=' && len(b) >= 4 && b[3] == ':': // its format, such as txt:
		b = b[4:]
	}
	return string(b), nil
}

// collection reads the values of a list, a set, a push or a map. It drops an attribute, and then reads the value
// after it.
func (r *reader) collection(h head, p *reply, depth int) (any, error) {
	if depth >= mostDepth {
		return nil, bad("the answer has more than %d lists within lists", mostDepth)
	}
	item := func() (any, error) {
		h, err := r.next()
		if err != nil {
			return nil, err
		}
		return r.value(h, p, depth+1)
	}
	switch h.kind {
	case '|':
		if err := r.drop(2*h.n, new(reply)); err != nil {
			return nil, err
		}
		return item()
	case '%':
		m := map[string]any{}
		for range h.n {
			k, err := item()
			if err != nil {
				return nil, err
			}
			v, err := item()
			if err != nil {
				return nil, err
			}
			m[check.ValueText(k)] = v
		}
		return m, nil
	}
	if h.n < 0 {
		return nil, nil
	}
	list := make([]any, 0, min(h.n, 64))
	for range h.n {
		v, err := item()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}
