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

// Documents reads a source of YAML or JSON, each document of it. Lines are those of the source.
func (d *Builder) Documents(source []byte) ([]*syntax.Node, error) {
	source = bytes.ReplaceAll(source, []byte("\r\n"), []byte("\n"))
	if text := bytes.TrimSpace(source); len(text) > 0 && (text[0] == '{' || text[0] == '[') {
		source = bytes.ReplaceAll(source, []byte("\t"), []byte(" ")) // outside of its texts, where JSON has none
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

// Line returns the line of a value; 0 of none.
func Line(n *syntax.Node) int {
	if n == nil {
		return 0
	}
	return n.Pos.Line
}

// A reader reads values of a document, and knows which it has read.
type reader struct{ read map[*syntax.Node]bool }

// Text returns the text of the scalar at the end of keys, or "". It counts as read; Rest names what does not.
func (d *reader) Text(n *syntax.Node, keys ...string) string {
	if n = At(n, keys...); n == nil {
		return ""
	}
	d.read[n] = true
	return n.Value
}

// Texts returns the texts of a list, or of a scalar alone.
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

// Selector reads a selector of labels, such as app=web,tier=front; nil of one that compares otherwise.
func Selector(selector string) map[string]string {
	out := map[string]string{}
	for pair := range strings.SplitSeq(selector, ",") {
		key, value, ok := strings.Cut(pair, "=")
		key, value = strings.TrimSpace(key), strings.TrimPrefix(strings.TrimSpace(value), "=")
		if !ok || key == "" || strings.HasSuffix(key, "!") {
			return nil
		}
		out[key] = value
	}
	return out
}

// Skip counts a value as read with all that is in it: it says nothing of a fault, or a note has it.
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

// Forget counts a value as not read, with all that is in it.
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

// Rest names what is in a value and was not read, and counts it as read: keys and, where that can't be a secret, what
// they hold.
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

// isRead reports whether all of a value was read, and whether some was. An empty value is read.
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

// plainValue matches numbers, with a unit, and truth values.
var plainValue = regexp.MustCompile(`^(?:[+-]?[0-9][0-9.]*[A-Za-z%/]{0,8}|true|false)$`)

// Harmless returns a value that a note can show: a number or a truth value that no secret name stands before.
func Harmless(name, value string) string {
	if IsSecret(name) || !plainValue.MatchString(value) {
		return ""
	}
	return value
}

// Percent makes a share of a text such as 20, 20% or, as a fraction of one, 0.2; nil of one that is none, or over all.
func Percent(text string, fraction bool) *Node {
	v, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(text), "%"), 64)
	if fraction {
		v, _ = strconv.ParseFloat(strconv.FormatFloat(v*100, 'g', 10, 64), 64) // 0.07 is 7 %, and not 7.000000000000001
	}
	if err != nil || !(v >= 0 && v <= 100) { // also if it is no number
		return nil
	}
	return Raw(strconv.FormatFloat(v, 'f', -1, 64) + "%")
}

// longest is the longest duration of a source that becomes one of a scenario.
const longest = 30 * 24 * time.Hour

// Duration makes a duration of a text such as 100ms, or of a number of units; false if it is none, or is not above
// zero.
func Duration(text string, unit time.Duration) (*Node, time.Duration, bool) {
	text = strings.TrimSpace(text)
	v, err := time.ParseDuration(text)
	if n, bad := strconv.ParseFloat(text, 64); bad == nil {
		if !(n >= 0 && n*float64(unit) <= float64(longest)) { // also if it is no number
			return nil, 0, false
		}
		v, err = time.Duration(n*float64(unit)), nil
	}
	if err != nil || v <= 0 || v > longest {
		return nil, 0, false
	}
	return Raw(quantity.FormatDuration(v)), v, true
}

// SetDuration sets a key to a duration, if it is one above zero.
func (n *Node) SetDuration(key, text string, unit time.Duration) *Node {
	if v, _, ok := Duration(text, unit); ok {
		n.Set(key, v)
	}
	return n
}

// SetPercent sets a key to a share, if it is one.
func (n *Node) SetPercent(key, text string) *Node {
	if v := Percent(text, false); v != nil {
		n.Set(key, v)
	}
	return n
}

// SetWhole sets a key to a whole number above zero, if it is one.
func (n *Node) SetWhole(key, text string) *Node {
	if v, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && v > 0 {
		n.Set(key, Number(v))
	}
	return n
}

// SetStatus sets the status of an answer of HTTP, if it is one.
func (n *Node) SetStatus(text string) *Node {
	if v, err := strconv.Atoi(strings.TrimSpace(text)); err == nil && v >= 200 && v < 600 {
		n.Set("status", Number(v))
	}
	return n
}

// bits are the rates that tools of Linux know, in bits a second.
var bits = map[string]float64{
	"": 1, "bit": 1, "kbit": 1e3, "mbit": 1e6, "gbit": 1e9, "tbit": 1e12, "bps": 8, "kbps": 8e3, "mbps": 8e6, "gbps": 8e9,
	"tbps": 8e12,
}

// SetRate sets rate to one as tc writes it, such as 1mbit (bits a second) or 1mbps (bytes).
func (n *Node) SetRate(text string) *Node {
	v, unit := number(text)
	if per, ok := bits[strings.ToLower(unit)]; ok && v*per >= 1000 && v*per <= 1e15 {
		n.Set("rate", Raw(strconv.FormatFloat(v*per/1000, 'f', -1, 64)+"kbit/s"))
	}
	return n
}

// sizes are units of sizes as tools write them, in capitals.
var sizes = map[string]string{
	"": "", "B": "", "K": "KiB", "KB": "kB", "KI": "KiB", "KIB": "KiB", "M": "MiB", "MB": "MB", "MI": "MiB", "MIB": "MiB",
	"G": "GiB", "GB": "GB", "GI": "GiB", "GIB": "GiB",
}

// SetSize sets bytes to a size such as 256MB or 1G, of powers of 1024 without the B.
func (n *Node) SetSize(text string) *Node {
	v, unit := number(text)
	if of, ok := sizes[strings.ToUpper(unit)]; ok && v >= 1 && v <= 1e12 && v == math.Trunc(v) {
		n.Set("bytes", Raw(strconv.FormatFloat(v, 'f', -1, 64)+of))
	}
	return n
}

// number parts a number above zero from its unit; 0 of a text that begins with none.
func number(text string) (v float64, unit string) {
	text = strings.TrimSpace(text)
	unit = strings.TrimLeft(text, "0123456789.")
	v, err := strconv.ParseFloat(text[:len(text)-len(unit)], 64)
	if err != nil || v > 1e15 {
		return 0, unit
	}
	return v, strings.TrimSpace(unit)
}
