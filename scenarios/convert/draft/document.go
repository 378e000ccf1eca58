package draft

import (
	"bytes"
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

// Value returns the text of the scalar at the end of keys, or "".
func Value(n *syntax.Node, keys ...string) string {
	if n = At(n, keys...); n == nil {
		return ""
	}
	return n.Value
}

// Line returns the line of a value; 0 of none.
func Line(n *syntax.Node) int {
	if n == nil {
		return 0
	}
	return n.Pos.Line
}

// Labels returns the texts of a map.
func Labels(n *syntax.Node) map[string]string {
	out := map[string]string{}
	if n != nil {
		for _, f := range n.Fields {
			out[f.Key] = f.Value.Value
		}
	}
	return out
}

// Percent makes a share of a text such as 20, 20% or, as a fraction of one, 0.2; "" is nil.
func Percent(text string, fraction bool) *Node {
	v, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(text), "%"), 64)
	if err != nil || v < 0 {
		return nil
	}
	if fraction {
		v *= 100
	}
	return Raw(strconv.FormatFloat(min(v, 100), 'f', -1, 64) + "%")
}

// Duration makes a duration of a text such as 100ms, or of a number of units; false if it is none, or is not above zero.
func Duration(text string, unit time.Duration) (*Node, time.Duration, bool) {
	text = strings.TrimSpace(text)
	v, err := time.ParseDuration(text)
	if n, bad := strconv.ParseFloat(text, 64); bad == nil {
		v, err = time.Duration(n*float64(unit)), nil
	}
	if err != nil || v <= 0 || v > 30*24*time.Hour {
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

// bits are the rates that tools of Linux know, in bits a second.
var bits = map[string]float64{"bit": 1, "kbit": 1e3, "mbit": 1e6, "gbit": 1e9, "bps": 8, "kbps": 8e3, "mbps": 8e6, "gbps": 8e9}

// SetRate sets rate to one as tc writes it, such as 1mbit (bits a second) or 1mbps (bytes).
func (n *Node) SetRate(text string) *Node {
	text = strings.ToLower(strings.TrimSpace(text))
	unit := strings.TrimLeft(text, "0123456789.")
	v, err := strconv.ParseFloat(strings.TrimSuffix(text, unit), 64)
	if per, ok := bits[unit]; ok && err == nil && v*per >= 1000 {
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
	text = strings.TrimSpace(text)
	unit := strings.ToUpper(strings.TrimLeft(text, "0123456789"))
	v, err := strconv.Atoi(text[:len(text)-len(unit)])
	of, ok := sizes[unit]
	if err == nil && ok && v > 0 {
		n.Set("bytes", Raw(strconv.Itoa(v)+of))
	}
	return n
}
