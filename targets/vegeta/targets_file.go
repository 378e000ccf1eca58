package vegeta

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/http"
)

// Bounds on a targets file.
const (
	MaxTargets = 64 << 20 // bytes of the file
	mostWrong  = 20       // mistakes reported per file; a file of another format has one in every line
)

// ReadTargets reads a vegeta targets file in the format http or json. The first line that is not blank decides the
// format. The function file reads the file of a body. ReadTargets notes mistakes in m, with their lines.
//
//	POST http://127.0.0.1:8080/posts         {"method": "POST", "url": "http://127.0.0.1:8080/posts",
//	Content-Type: application/json            "header": {"Content-Type": ["application/json"]}, "body": "e30="}
//	@post.json
//
// It accepts everything that vegeta accepts, and more: a target may follow another target's headers without a blank
// line, and a URL may be a path relative to the target's URL.
func ReadTargets(name string, text []byte, file func(path string) ([]byte, error), m *syntax.Mistakes) []http.Recorded {
	r := targetsReader{file: file, m: m, at: syntax.Pos{File: name, Col: 1}}
	before := m.Len()
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	for line := range bytes.Lines(text) {
		r.at.Line++
		line = bytes.TrimSpace(line)
		if r.isJSON == nil && len(line) > 0 && line[0] != '#' {
			json := line[0] == '{'
			r.isJSON = &json
		}
		switch {
		case r.isJSON == nil:
		case *r.isJSON:
			r.json(line)
		default:
			r.http(string(line))
		}
		if r.wrong > mostWrong {
			r.m.Add(r.at, "what follows was not looked at: is this a file of targets?")
			return nil
		}
	}
	if len(r.out) == 0 && m.Len() == before {
		m.Add(syntax.Pos{File: name, Line: 1, Col: 1}, "there is no target in this file")
	}
	return r.out
}

type targetsReader struct {
	file   func(path string) ([]byte, error)
	m      *syntax.Mistakes
	at     syntax.Pos
	isJSON *bool // nil: not known yet
	out    []http.Recorded
	open   bool // the following lines belong to the last target
	wrong  int
}

func (r *targetsReader) mistake(hint, format string, args ...any) {
	r.wrong++
	r.m.AddHint(r.at, hint, format, args...)
}

// targetLine is the pattern by which vegeta recognizes the first line of a target.
var targetLine = regexp.MustCompile(`^([A-Z]+)\s(.*)$`)

// http parses a line of the format http.
func (r *targetsReader) http(line string) {
	if line == "" {
		r.open = false
		return
	}
	if line[0] == '#' {
		return
	}
	if parts := targetLine.FindStringSubmatch(line); parts != nil {
		r.target(parts[1], strings.TrimSpace(parts[2]))
		return
	}
	switch {
	case !r.open:
		r.mistake("such as GET http://127.0.0.1:8080/", "%q is not a target", targets.Clip(line, 60))
	case line[0] == '@':
		r.open = false
		body, err := r.file(line[1:])
		if err != nil {
			r.mistake("", "the body: %v", err)
			return
		}
		r.last().Body = body
	default:
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || name == "" || value == "" {
			r.mistake("such as Accept: text/html", "%q is not a header", targets.Clip(line, 60))
			return
		}
		r.header(name, value)
	}
}

// last returns the target that was read last.
func (r *targetsReader) last() *http.Recorded { return &r.out[len(r.out)-1] }

func (r *targetsReader) target(method, target string) {
	r.open = true
	r.out = append(r.out, http.Recorded{At: r.at, Method: method, URL: target})
	if _, err := url.ParseRequestURI(target); err != nil {
		r.mistake("", "%v", errors.Unwrap(err))
	}
}

func (r *targetsReader) header(name, value string) {
	switch {
	case !check.IsToken(name):
		r.mistake("", "%q is not a header name", targets.Clip(name, 60))
	case !targets.IsOneLine(strings.ReplaceAll(value, "\t", " ")):
		r.mistake("", "the value of header %s is not one line", name)
	case http.IsOwnHeader(name):
		r.mistake("leave it out", "header %s is brunt's to set", name)
	default:
		r.last().Header = append(r.last().Header, http.Field{Name: name, Value: value})
	}
}

// jsonSuch shows a target of the format json.
const jsonSuch = `such as {"method": "GET", "url": "http://127.0.0.1:8080/"}`

// json parses a line of the format json.
func (r *targetsReader) json(line []byte) {
	if len(line) == 0 {
		return
	}
	var t struct {
		Method string              `json:"method"`
		URL    string              `json:"url"`
		Body   []byte              `json:"body"`
		Header map[string][]string `json:"header"`
	}
	d := json.NewDecoder(bytes.NewReader(line))
	err := d.Decode(&t)
	if err == nil && !utf8.Valid(line) {
		err = errors.New("it is not UTF-8") // the decoder would change it in silence
	}
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			err = nil
		} else {
			err = errors.New("something follows the target; each has a line of its own")
		}
	}
	unknown := unknownKey(line)
	switch {
	case unknown != "":
		text := fmt.Sprintf("unknown key %q", unknown)
		if hint := syntax.DidYouMean(unknown, jsonKeys); hint != "" {
			text += "; " + hint
		}
		r.mistake(jsonSuch, "%s", text)
		return
	case err != nil:
		r.mistake(jsonSuch, "this line is not a target of the format json: %s", strings.TrimPrefix(err.Error(), "json: "))
		return
	case t.Method == "":
		r.mistake("", "the target has no method")
	case !check.IsToken(t.Method):
		r.mistake("", "%q is not a method", targets.Clip(t.Method, 60))
	case t.URL == "":
		r.mistake("", "the target has no url")
	default:
		r.target(t.Method, t.URL)
		for _, name := range slices.Sorted(maps.Keys(t.Header)) {
			for _, value := range t.Header[name] {
				r.header(name, value)
			}
		}
		r.last().Body = t.Body
	}
}

// jsonKeys are the keys of a target. Vegeta ignores all others, also those that differ in case alone.
var jsonKeys = []string{"body", "header", "method", "url"}

// unknownKey returns the first key of a target, by its letters, that vegeta does not know. The decoder of its values
// ignores case. It is empty without one, and for a line that has no keys.
func unknownKey(line []byte) string {
	var all map[string]json.RawMessage
	if err := json.NewDecoder(bytes.NewReader(line)).Decode(&all); err != nil {
		return ""
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !slices.Contains(jsonKeys, key) {
			return key
		}
	}
	return ""
}
