package syntax

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Plain scalars according to YAML 1.2's core schema, plus the underscores of YAML 1.1. `on`,
// `off`, `yes` and `no` are texts.
var (
	numberPattern = regexp.MustCompile(`^[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?$|` +
		`^[-+]?0(?:x[0-9a-fA-F_]+|o[0-7_]+|b[01_]+)$|^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$`)
	jsonPattern  = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$`)
	octalPattern = regexp.MustCompile(`^[-+]?0[0-9_]`)
)

// PlainKind returns the kind of an unquoted text.
func PlainKind(s string) NodeKind {
	switch s {
	case "", "~", "null", "Null", "NULL":
		return Null
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return Bool
	}
	if numberPattern.MatchString(s) {
		return Number
	}
	return String
}

// JSONNumber returns a YAML number in JSON syntax: no hex, no underscores, no leading plus. If
// JSON can represent it, its digits are kept, so that an id of twenty digits loses none.
func JSONNumber(s string) (string, bool) {
	if jsonPattern.MatchString(s) {
		return s, true
	}
	if octalPattern.MatchString(s) { // 0123 is 123 to some parsers and 83 to others
		return "", false
	}
	if i, err := strconv.ParseInt(s, 0, 64); err == nil {
		return strconv.FormatInt(i, 10), true
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	if err != nil || f-f != 0 {
		return "", false
	}
	return strconv.FormatFloat(f, 'g', -1, 64), true
}

// ParseInt parses a whole number; 1_000 and 0x1F are valid.
func ParseInt(s string) (int64, bool) {
	if octalPattern.MatchString(s) {
		return 0, false
	}
	i, err := strconv.ParseInt(s, 0, 64)
	return i, err == nil
}

// ParseFloat parses a finite decimal number; 1_000 is valid. The hexadecimal floats, infinities
// and NaNs of Go are not.
func ParseFloat(s string) (float64, bool) {
	if !decimalPattern.MatchString(s) {
		return 0, false
	}
	f, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	return f, err == nil
}

var decimalPattern = regexp.MustCompile(`^[-+]?(?:[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?$`)

// Text returns a scalar as text; other kinds are a mistake.
func (n *Node) Text(m *Mistakes) (string, bool) {
	switch {
	case n.Bad:
		m.Skipped++
		return "", false
	case n.Kind == Null:
		m.Add(n.Pos, "a value is missing here")
		return "", false
	case n.Kind == List || n.Kind == Map:
		m.Add(n.Pos, "want a single value, not %s", n.Kind)
		return "", false
	}
	if ref := n.Dynamic(); ref != nil {
		m.Add(n.Pos, "${%s} is known only while requests are made; it can't stand here", Clip(ref.Text, 60))
		return "", false
	}
	return n.Value, true
}

// Switch returns the value of on, off, true or false.
func (n *Node) Switch(m *Mistakes) (value, ok bool) {
	s, ok := n.Text(m)
	if !ok {
		return false, false
	}
	switch strings.ToLower(s) {
	case "true", "on":
		return true, true
	case "false", "off":
		return false, true
	}
	m.Add(n.Pos, "want on or off, not %s", n.Describe())
	return false, false
}

// Int returns a whole number; 1_000 and 0x1F are valid.
func (n *Node) Int(m *Mistakes) (int64, bool) {
	s, ok := n.Text(m)
	if !ok {
		return 0, false
	}
	i, ok := ParseInt(s)
	if !ok {
		m.Add(n.Pos, "want a whole number, not %s", n.Describe())
	}
	return i, ok
}

// Float returns a finite number; 1_000 is valid.
func (n *Node) Float(m *Mistakes) (float64, bool) {
	s, ok := n.Text(m)
	if !ok {
		return 0, false
	}
	f, ok := ParseFloat(s)
	if !ok {
		m.Add(n.Pos, "want a number, not %s", n.Describe())
	}
	return f, ok
}

// Decimal formats a number without an exponent, with as many digits as it needs.
func Decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// DecodeScalar decodes n with parse. The mistake does not show values from the environment or a file.
func DecodeScalar[T any](n *Node, m *Mistakes, parse func(string) (T, error), set func(T)) {
	s, ok := n.Text(m)
	if !ok {
		return
	}
	v, err := parse(s)
	if err == nil {
		set(v)
		return
	}
	if n.HasSecret() {
		if _, err = parse(n.Shown()); err == nil {
			err = errors.New("the value can't stand here")
		}
	}
	if n.Origin != "" {
		err = fmt.Errorf("%w (from %s)", err, n.Origin)
	}
	m.Add(n.Pos, "%v", err)
}
