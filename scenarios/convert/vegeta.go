package convert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// vegeta reads a target file of vegeta, in its HTTP or its JSON format. Vegeta sends its
// targets in turn; here a load picks one of them an iteration, those that come several
// times as much more often.
func vegeta(d *draft, source []byte) error {
	var all []*request
	var err error
	if first := bytes.TrimSpace(source); bytes.HasPrefix(first, []byte("{")) {
		all, err = vegetaJSON(d, source)
	} else {
		all, err = vegetaHTTP(d, source)
	}
	if err != nil {
		return err
	}
	load := d.arrivals("10/s", "requests of all targets together")
	d.mix(load, all)
	if len(load.get("mix").items) > 0 {
		d.load.set("targets", load)
		d.slo.items = append(d.slo.items, plain("errors < 1%"))
	}
	return nil
}

// mix gives a load one flow for each request, those that are the same one together.
func (d *draft) mix(load *node, all []*request) {
	mix := &node{block: true, items: []*node{}}
	weights := map[string]*node{}
	times := map[string]int{}
	for _, r := range all {
		flow := list()
		step := d.step(r, mix)
		if step == nil {
			continue
		}
		key := fmt.Sprint(step.inline(1 << 30))
		if times[key]++; times[key] > 1 {
			if first := weights[key]; first != nil {
				first.set("weight", number(times[key]))
			}
			continue
		}
		before := d.dropped
		if d.add(flow, step); d.dropped > before {
			continue
		}
		d.used, d.bytes = d.used+12, d.bytes+60 // of the weight and the flow around it
		one := (&node{}).set("weight", number(1)).set("flow", flow)
		one.above, step.above = append(mix.pending, step.above...), nil
		mix.pending = nil
		weights[key] = one
		mix.items = append(mix.items, one)
	}
	load.set("mix", mix)
}

// vegetaHTTP reads METHOD URL, headers on the lines below, and a line @file with the body.
func vegetaHTTP(d *draft, source []byte) ([]*request, error) {
	var all []*request
	var r *request
	n := 0
	for line := range strings.Lines(string(source)) {
		n++
		line = strings.TrimSpace(line)
		switch {
		case line == "", strings.HasPrefix(line, "#"):
			if line == "" {
				r = nil
			}
		case r != nil && strings.HasPrefix(line, "@"):
			r.body = body{file: line[1:], sent: true}
		case isTarget(line):
			method, rest, _ := strings.Cut(line, " ")
			next, err := d.vegetaTarget(n, method, strings.TrimSpace(rest))
			if err != nil {
				return nil, err
			}
			r = next
			all = append(all, r)
		case r != nil && strings.Contains(line, ":"):
			name, value, _ := strings.Cut(line, ":")
			r.headers = append(r.headers, header{strings.TrimSpace(name), lit(strings.TrimSpace(value))})
		default:
			return nil, fmt.Errorf("%s:%d: want a target such as GET http://127.0.0.1:8080/, a header or @FILE, not %q", d.o.File, n, clip(line, 60))
		}
	}
	return all, nil
}

// isTarget tells the first line of a target from a header.
func isTarget(line string) bool {
	method, rest, ok := strings.Cut(line, " ")
	return ok && rest != "" && method == strings.ToUpper(method) && strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func (d *draft) vegetaTarget(line int, method, target string) (*request, error) {
	u, err := url.Parse(target)
	if err != nil || !isWeb(u) {
		return nil, fmt.Errorf("%s:%d: %q is no URL of http or https", d.o.File, line, clip(withoutUser(target), 80))
	}
	r := &request{line: line, method: method}
	d.credentials(r, u)
	r.url = d.place(u)
	return r, nil
}

// credentials takes user and password out of a URL.
func (d *draft) credentials(r *request, u *url.URL) {
	if u.User == nil {
		return
	}
	password, _ := u.User.Password()
	r.user, r.password = lit(u.User.Username()), d.hide(r.line, "password", "the password of "+clip(u.User.Username(), 40), password)
	u.User = nil
}

// vegetaJSON reads one object for each target: method, url, header and a body in base64.
func vegetaJSON(d *draft, source []byte) ([]*request, error) {
	var all []*request
	dec := json.NewDecoder(bytes.NewReader(source))
	for lines := (lineCount{source: source}); ; {
		var t struct {
			Method string              `json:"method"`
			URL    string              `json:"url"`
			Body   []byte              `json:"body"`
			Header map[string][]string `json:"header"`
		}
		if !dec.More() {
			return all, nil
		}
		line := lines.at(int(dec.InputOffset()))
		if err := dec.Decode(&t); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", d.o.File, line, err)
		}
		r, err := d.vegetaTarget(line, t.Method, t.URL)
		if err != nil {
			return nil, err
		}
		for _, name := range sortedKeys(t.Header) {
			for _, v := range t.Header[name] {
				r.headers = append(r.headers, header{name, lit(v)})
			}
		}
		switch {
		case len(t.Body) > 0 && utf8.Valid(t.Body):
			r.body = body{text: lit(string(t.Body)), sent: true}
		case len(t.Body) > 0:
			r.body = body{raw: t.Body, sent: true}
		}
		all = append(all, r)
	}
}

// lineCount tells on which line an offset lies; offsets come in order.
type lineCount struct {
	source []byte
	upTo   int
	line   int
}

// at gives the line, from 1, of what begins at or behind an offset.
func (c *lineCount) at(offset int) int {
	for offset < len(c.source) && bytes.IndexByte([]byte(" \t\r\n,"), c.source[offset]) >= 0 {
		offset++
	}
	if offset > c.upTo {
		c.line += bytes.Count(c.source[c.upTo:min(offset, len(c.source))], []byte("\n"))
		c.upTo = offset
	}
	return c.line + 1
}
