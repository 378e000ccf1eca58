package convert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"brunt/scenarios/convert/draft"
)

// vegetaConverter returns the converter for vegeta target files.
func vegetaConverter() draft.Converter {
	return draft.Converter{
		Name: "vegeta", Source: "vegeta targets", Convert: vegetaConvert,
		Doc: "a load that picks one of them in each iteration; of the HTTP or the JSON format",
	}
}

// vegetaConvert reads a vegeta target file, in its HTTP or its JSON format. Vegeta sends its targets in
// turn. The load picks one per iteration, weighted by the number of times it occurs.
func vegetaConvert(d *draft.Builder, source []byte) error {
	var all []*draft.Request
	var err error
	if first := bytes.TrimSpace(source); bytes.HasPrefix(first, []byte("{")) {
		all, err = vegetaJSON(d, source)
	} else {
		all, err = vegetaHTTP(d, source)
	}
	if err != nil {
		return err
	}
	load := d.Arrivals("10/s", "requests of all targets together")
	draft.MixOf(d, load, all)
	if len(load.Get("mix").Items) > 0 {
		d.Load.Set("targets", load)
	}
	return nil
}

// vegetaHTTP parses METHOD URL, header lines below it, and a line @file that names the body.
func vegetaHTTP(d *draft.Builder, source []byte) ([]*draft.Request, error) {
	var all []*draft.Request
	var r *draft.Request
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
			r.Body = draft.Body{File: line[1:], Sent: true}
		case isTarget(line):
			method, rest, _ := strings.Cut(line, " ")
			next, err := vegetaTarget(d, n, method, strings.TrimSpace(rest))
			if err != nil {
				return nil, err
			}
			r = next
			all = append(all, r)
		case r != nil && strings.Contains(line, ":"):
			name, value, _ := strings.Cut(line, ":")
			r.Headers = append(r.Headers, draft.Header{
				Name: strings.TrimSpace(name), Value: draft.Lit(strings.TrimSpace(value)), Line: n,
			})
		default:
			return nil, fmt.Errorf("%s:%d: want a target such as GET http://127.0.0.1:8080/, a header or @FILE, not %q",
				d.O.File, n, draft.Clip(line, 60))
		}
	}
	return all, nil
}

// isTarget distinguishes the first line of a target from a header.
func isTarget(line string) bool {
	method, rest, ok := strings.Cut(line, " ")
	return ok && rest != "" && method == strings.ToUpper(method) &&
		strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func vegetaTarget(d *draft.Builder, line int, method, target string) (*draft.Request, error) {
	u, err := url.Parse(target)
	if err != nil || !draft.IsWeb(u) {
		return nil, fmt.Errorf("%s:%d: %q is not a URL of http or https", d.O.File, line,
			draft.Clip(draft.WithoutUser(target), 80))
	}
	r := &draft.Request{Line: line, Method: method}
	draft.Credentials(d, r, u)
	r.URL = d.Place(u)
	return r, nil
}

// vegetaJSON parses one object for each target: method, url, header and a body in base64.
func vegetaJSON(d *draft.Builder, source []byte) ([]*draft.Request, error) {
	var all []*draft.Request
	dec := json.NewDecoder(bytes.NewReader(source))
	for lines := (draft.LineCount{Source: source}); ; {
		var t struct {
			Method string              `json:"method"`
			URL    string              `json:"url"`
			Body   []byte              `json:"body"`
			Header map[string][]string `json:"header"`
		}
		if !dec.More() {
			return all, nil
		}
		line := lines.At(int(dec.InputOffset()))
		if err := dec.Decode(&t); err != nil {
			if wrong, ok := draft.WrongType(err); ok {
				return nil, fmt.Errorf("%s:%d: want a target of vegeta: %s", d.O.File, line, wrong)
			}
			return nil, fmt.Errorf("%s:%d: %w", d.O.File, line, err)
		}
		r, err := vegetaTarget(d, line, t.Method, t.URL)
		if err != nil {
			return nil, err
		}
		for _, name := range draft.SortedKeys(t.Header) {
			for _, v := range t.Header[name] {
				r.Headers = append(r.Headers, draft.Header{Name: name, Value: draft.Lit(v)})
			}
		}
		switch {
		case len(t.Body) > 0 && utf8.Valid(t.Body):
			r.Body = draft.Body{Text: draft.Lit(string(t.Body)), Sent: true}
		case len(t.Body) > 0:
			r.Body = draft.Body{Raw: t.Body, Sent: true}
		}
		all = append(all, r)
	}
}
