package draft

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Documents parses all documents of a YAML or JSON source. Line numbers are those of the source.
func (d *Builder) Documents(source []byte) ([]*syntax.Node, error) {
	source = bytes.ReplaceAll(source, []byte("\r\n"), []byte("\n"))
	if text := bytes.TrimSpace(source); len(text) > 0 && (text[0] == '{' || text[0] == '[') {
		source = bytes.ReplaceAll(source, []byte("\t"), []byte(" ")) // JSON has tabs only outside of texts
	}
	var out []*syntax.Node
	var part []byte
	before, line, nodes := 0, 0, 0
	flush := func() error {
		empty := true
		for l := range bytes.Lines(part) {
			if l = bytes.TrimSpace(l); len(l) > 0 && l[0] != '#' {
				empty = false
			}
		}
		if empty {
			return nil
		}
		m := syntax.NewMistakes(nil, nil)
		n := syntax.Read(d.O.File, append(bytes.Repeat([]byte("#\n"), before), part...), m, &nodes)
		if err := m.Err(); err != nil {
			return err
		}
		out = append(out, n)
		return nil
	}
	for l := range bytes.Lines(source) {
		line++
		if text := strings.TrimRight(string(l), " \n"); text == "---" || strings.HasPrefix(text, "--- #") {
			if err := flush(); err != nil {
				return nil, err
			}
			part, before = nil, line
			continue
		}
		part = append(part, l...)
	}
	return out, flush()
}

// At returns the value at the end of keys, or nil.
func At(n *syntax.Node, keys ...string) *syntax.Node {
	for _, k := range keys {
		n = n.Get(k)
	}
	return n
}

// Line returns the line of a value; 0 for nil.
func Line(n *syntax.Node) int {
	if n == nil {
		return 0
	}
	return n.Pos.Line
}

// A reader reads values of a document and records which were read.
type reader struct{ read map[*syntax.Node]bool }

// Text returns the text of the scalar at the end of keys, or "". The scalar counts as read; Rest reports unread
// values.
func (d *reader) Text(n *syntax.Node, keys ...string) string {
	if n = At(n, keys...); n == nil {
		return ""
	}
	d.read[n] = true
	return n.Value
}

// Texts returns the texts of a list, or the one text of a scalar.
func (d *reader) Texts(n *syntax.Node, keys ...string) (out []string) {
	if n = At(n, keys...); n == nil || n.Kind == syntax.Map {
		return nil
	}
	for _, item := range n.OneOrMore() {
		if text := d.Text(item); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// Labels returns the texts of a map.
func (d *reader) Labels(n *syntax.Node) map[string]string {
	out := map[string]string{}
	if n != nil {
		for _, f := range n.Fields {
			if text := d.Text(f.Value); text != "" {
				out[f.Key] = text
			}
		}
	}
	return out
}

// Skip marks a value as read, with everything in it: it does not affect the fault, or a note reports it.
func (d *reader) Skip(n *syntax.Node, keys ...string) {
	if n = At(n, keys...); n == nil || d.read[n] {
		return
	}
	d.read[n] = true
	for _, f := range n.Fields {
		d.Skip(f.Value)
	}
	for _, item := range n.Items {
		d.Skip(item)
	}
}

// Forget marks a value as unread, with everything in it.
func (d *reader) Forget(n *syntax.Node) {
	if n == nil {
		return
	}
	delete(d.read, n)
	for _, f := range n.Fields {
		d.Forget(f.Value)
	}
	for _, item := range n.Items {
		d.Forget(item)
	}
}

// Rest lists the parts of a value that were not read, and marks them as read. It lists keys, and values that can't be
// secrets.
func (d *reader) Rest(n *syntax.Node) (out []string) {
	if n == nil || d.read[n] {
		return nil
	}
	for _, f := range n.Fields {
		switch _, some := d.isRead(f.Value); {
		case some && (f.Value.Fields != nil || f.Value.Items != nil):
			for _, rest := range d.Rest(f.Value) {
				out = append(out, f.Key+"."+rest)
			}
		case f.Value.Fields == nil && f.Value.Items == nil:
			if !d.read[f.Value] && f.Value.Value != "" {
				out = append(out, strings.TrimSpace(f.Key+" "+Harmless(f.Key, f.Value.Value)))
			}
		default:
			if !some {
				out = append(out, f.Key)
			}
		}
		d.Skip(f.Value)
	}
	for i, item := range n.Items {
		for _, rest := range d.Rest(item) {
			out = append(out, strconv.Itoa(i+1)+"."+rest)
		}
		if all, _ := d.isRead(item); !all {
			out = append(out, strconv.Itoa(i+1))
		}
		d.Skip(item)
	}
	return out
}

// isRead reports whether all of a value was read, and whether any of it was. An empty value counts as read.
func (d *reader) isRead(n *syntax.Node) (all, some bool) {
	if d.read[n] {
		return true, true
	}
	all = n.Value == ""
	for _, f := range n.Fields {
		a, s := d.isRead(f.Value)
		all, some = all && a, some || s
	}
	for _, item := range n.Items {
		a, s := d.isRead(item)
		all, some = all && a, some || s
	}
	return all, some
}

// plainValue matches truth values, and numbers with or without a unit.
var plainValue = regexp.MustCompile(`^(?:[+-]?[0-9][0-9.]*[A-Za-z%/]{0,8}|true|false)$`)

// Harmless returns the value if a note may show it: it is a number or a truth value, and its name is not that of a
// secret. Otherwise it returns "".
func Harmless(name, value string) string {
	if IsSecret(name) || !plainValue.MatchString(value) {
		return ""
	}
	return value
}

// Percent converts a text such as 20 or 20% to a share; with fraction, also 0.2. It is nil if the text is not a
// share, or above 100 %.
func Percent(text string, fraction bool) *Node {
	v, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(text), "%"), 64)
	if fraction {
		v, _ = strconv.ParseFloat(strconv.FormatFloat(v*100, 'g', 10, 64), 64) // 0.07 becomes 7 %, not 7.000000000000001
	}
	if err != nil || !(v >= 0 && v <= 100) { // also false for NaN
		return nil
	}
	return Raw(strconv.FormatFloat(v, 'f', -1, 64) + "%")
}

// longest is the longest duration that is converted.
const longest = 30 * 24 * time.Hour

// Duration converts a text such as 100ms, or a number of units, to a duration. It reports false if the text is
// neither, or if the duration is not positive.
func Duration(text string, unit time.Duration) (*Node, time.Duration, bool) {
	text = strings.TrimSpace(text)
	v, err := time.ParseDuration(text)
	if n, bad := strconv.ParseFloat(text, 64); bad == nil {
		if !(n >= 0 && n*float64(unit) <= float64(longest)) { // also false for NaN
			return nil, 0, false
		}
		v, err = time.Duration(n*float64(unit)), nil
	}
	if err != nil || v <= 0 || v > longest {
		return nil, 0, false
	}
	return Raw(quantity.FormatDuration(v)), v, true
}

// Pause is Duration for the time of a pause, which may be 0.
func Pause(text string, unit time.Duration) (time.Duration, bool) {
	_, v, ok := Duration(text, unit)
	zero, err := time.ParseDuration(strings.TrimSpace(text))
	return v, ok || err == nil && zero == 0
}

// SetDuration sets a key to a duration, if the text is a positive one.
func (n *Node) SetDuration(key, text string, unit time.Duration) *Node {
	if v, _, ok := Duration(text, unit); ok {
		n.Set(key, v)
	}
	return n
}

// SetPercent sets a key to a share, if the text is one.
func (n *Node) SetPercent(key, text string) *Node {
	if v := Percent(text, false); v != nil {
		n.Set(key, v)
	}
	return n
}

// SetWhole sets a key to a whole number, if the text is one above zero.
func (n *Node) SetWhole(key, text string) *Node {
	if v, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && v > 0 {
		n.Set(key, Number(v))
	}
	return n
}

// SetStatus sets the status of an HTTP answer, if the text is one.
func (n *Node) SetStatus(text string) *Node {
	if v, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && v >= 200 && v < 600 {
		n.Set("status", Number(v))
	}
	return n
}

// bits maps the units of rates in Linux tools to bits per second.
var bits = map[string]float64{
	"": 1, "bit": 1, "kbit": 1e3, "mbit": 1e6, "gbit": 1e9, "tbit": 1e12, "bps": 8, "kbps": 8e3, "mbps": 8e6, "gbps": 8e9,
	"tbps": 8e12,
}

// SetRate sets rate from the notation of tc, such as 1mbit (bits per second) or 1mbps (bytes per second).
func (n *Node) SetRate(text string) *Node {
	v, unit := number(text)
	if per, ok := bits[strings.ToLower(unit)]; ok && v*per >= 1000 && v*per <= 1e15 {
		n.Set("rate", Raw(strconv.FormatFloat(v*per/1000, 'f', -1, 64)+"kbit/s"))
	}
	return n
}

// sizes maps units of sizes, in capitals, to those of scenarios.
var sizes = map[string]string{
	"": "", "B": "", "K": "KiB", "KB": "kB", "KI": "KiB", "KIB": "KiB", "M": "MiB", "MB": "MB", "MI": "MiB", "MIB": "MiB",
	"G": "GiB", "GB": "GB", "GI": "GiB", "GIB": "GiB",
}

// SetSize sets bytes to a size such as 256MB or 1G. A unit without the B is a power of 1024.
func (n *Node) SetSize(text string) *Node {
	v, unit := number(text)
	if of, ok := sizes[strings.ToUpper(unit)]; ok && v >= 1 && v <= 1e12 && v == math.Trunc(v) {
		n.Set("bytes", Raw(strconv.FormatFloat(v, 'f', -1, 64)+of))
	}
	return n
}

// number splits a number above zero from its unit. It returns 0 if the text does not begin with a number.
func number(text string) (v float64, unit string) {
	text = strings.TrimSpace(text)
	unit = strings.TrimLeft(text, "0123456789.")
	v, err := strconv.ParseFloat(text[:len(text)-len(unit)], 64)
	if err != nil || v > 1e15 {
		return 0, unit
	}
	return v, strings.TrimSpace(unit)
}
