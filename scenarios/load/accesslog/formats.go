package accesslog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/check"
)

// New returns a parser for a format. For auto it detects the format from the beginning
// of the log.
func New(b *bufio.Reader, format string, fields Fields) (Parser, error) {
	if format == "" || format == "auto" {
		head, err := b.Peek(b.Size())
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		format = formatOf(head)
	}
	lines := lineReader{r: b}
	switch format {
	case "json":
		return &jsonLog{lines: lines, fields: fields}, nil
	case "csv":
		return newCSVLog(b, fields)
	}
	return &combinedLog{lines: lines}, nil
}

// formatOf detects the format of a log from its beginning.
func formatOf(head []byte) string {
	lines := bytes.Split(head, []byte("\n"))
	if len(lines) > 20 {
		lines = lines[:20]
	}
	var c combinedLog
	for _, line := range lines {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if line[0] == '{' {
			return "json"
		}
		if _, err := c.parse(line); err == nil {
			return "combined"
		}
	}
	if bytes.ContainsAny(lines[0], ",;\t") && !bytes.ContainsAny(lines[0], "[") {
		return "csv"
	}
	return "combined"
}

// A stamp parses timestamps and detects their resolution.
type stamp struct {
	fine string // fraction digits of the finest timestamp so far
	text string // timestamp parsed last
	at   int64
}

// Resolution is the resolution of the timestamps so far, in nanoseconds; at most a second.
func (s *stamp) Resolution() int64 {
	r := int64(time.Second)
	for range min(len(s.fine), 9) {
		r /= 10
	}
	return r
}

// combinedTime is the time format of nginx and Apache.
const combinedTime = "02/Jan/2006:15:04:05 -0700"

var errTime = errors.New("its time can't be read")

// read parses a time: RFC 3339, the combined format, or a number since 1970, in seconds or, if it is large, in
// fractions of a second.
func (s *stamp) read(text string) (int64, error) {
	if text == s.text && text != "" { // many lines share a second
		return s.at, nil
	}
	at, err := s.parse(text)
	if err == nil {
		s.text, s.at = strings.Clone(text), at
	}
	return at, err
}

func (s *stamp) parse(text string) (int64, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, errTime
	}
	if strings.Trim(text, "0123456789.") == "" {
		return s.number(text)
	}
	for _, layout := range []string{
		combinedTime, time.RFC3339, "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05",
		"2006-01-02 15:04:05",
	} {
		if t, err := time.Parse(layout, text); err == nil {
			return s.known(t, text)
		}
	}
	return 0, errTime
}

// known records a time that was parsed from text.
func (s *stamp) known(t time.Time, text string) (int64, error) {
	if y := t.Year(); y < 1971 || y > 2200 {
		return 0, errTime
	}
	if i := strings.IndexAny(text, ".,"); i >= 0 {
		after := text[i+1:]
		s.finer(after[:len(after)-len(strings.TrimLeft(after, "0123456789"))])
	}
	return t.UnixNano(), nil
}

// number parses a time since 1970. Its magnitude shows whether it counts seconds, milliseconds,
// microseconds or nanoseconds.
func (s *stamp) number(text string) (int64, error) {
	whole, fraction, _ := strings.Cut(text, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || strings.Contains(fraction, ".") {
		return 0, errTime
	}
	digits := 0 // digits of the fraction of a second in n
	switch {
	case n >= 1e17:
		digits = 9
	case n >= 1e14:
		digits = 6
	case n >= 1e11:
		digits = 3
	}
	unit := int64(time.Second)
	for range digits {
		unit /= 10
	}
	s.finer(whole[len(whole)-digits:] + fraction)
	rest := (fraction + "000000000")[:9]
	part, err := strconv.ParseInt(rest, 10, 64)
	if err != nil {
		return 0, errTime
	}
	at := n*unit + part/int64(time.Second/time.Duration(unit))
	if at < int64(365*24*time.Hour) { // a duration, or another number
		return 0, errTime
	}
	return at, nil
}

// finer records the digits of a second's fraction. Trailing zeros don't count: a log that always
// writes .000 has a resolution of seconds.
func (s *stamp) finer(digits string) {
	digits = strings.TrimRight(digits, "0")
	if len(digits) > len(s.fine) {
		s.fine = strings.Clone(digits)
	}
}

// asked returns the path and query of a request target. It is empty if the request can't be repeated.
func asked(target string) string {
	if _, after, absolute := strings.Cut(target, "://"); absolute && !strings.HasPrefix(target, "/") {
		i := strings.IndexAny(after, "/?")
		switch {
		case i < 0:
			target = "/"
		case after[i] == '?':
			target = "/" + after[i:]
		default:
			target = after[i:]
		}
	}
	target, _, _ = strings.Cut(target, "#")
	if !strings.HasPrefix(target, "/") {
		return ""
	}
	return escaped(target)
}

// escaped percent-encodes characters that a URL can't contain.
func escaped(s string) string {
	const hex = "0123456789ABCDEF"
	unfit := func(c byte) bool { return c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}", c) >= 0 }
	n := 0
	for i := range len(s) {
		if unfit(s[i]) {
			n++
		}
	}
	if n == 0 {
		return strings.Clone(s)
	}
	out := make([]byte, 0, len(s)+2*n)
	for i := range len(s) {
		if c := s[i]; unfit(c) {
			out = append(out, '%', hex[c>>4], hex[c&15])
		} else {
			out = append(out, c)
		}
	}
	return string(out)
}

// requestLine parses METHOD target HTTP/1.1; the version is optional, as in HTTP/0.9.
func requestLine(s string) (method, target string) {
	method, rest, ok := strings.Cut(strings.TrimSpace(s), " ")
	if !ok || !check.IsToken(method) || strings.ToUpper(method) != method {
		return "", ""
	}
	if i := strings.LastIndexByte(rest, ' '); i >= 0 && strings.HasPrefix(rest[i+1:], "HTTP/") {
		rest = rest[:i]
	}
	return known(method), asked(rest)
}

// known returns a method, without allocation for the common ones.
func known(method string) string {
	for _, m := range [...]string{"GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		if m == method {
			return m
		}
	}
	return strings.Clone(method)
}

// combinedLog is the format of nginx and Apache, combined or common:
//
//	127.0.0.1 - ann [10/Oct/2026:13:55:36 +0200] "GET /posts?page=2 HTTP/1.1" 200 2326 "-" "curl/8"
type combinedLog struct {
	lines lineReader
	stamp
}

func (c *combinedLog) Next() (Entry, error) {
	line, err := c.lines.next()
	if err != nil {
		return Entry{}, err
	}
	e, err := c.parse(line)
	if err != nil {
		return Entry{}, BadLine{c.lines.n, err}
	}
	e.N = c.lines.n
	return e, nil
}

var errCombined = errors.New(`it is not of the form 127.0.0.1 - - [10/Oct/2026:13:55:36 +0200] "GET / HTTP/1.1" 200 2326`)

func (c *combinedLog) parse(line []byte) (Entry, error) {
	// A user name may contain any character, so the time is the last field before the first quote.
	before, after, ok := bytes.Cut(line, []byte{'"'})
	if !ok {
		return Entry{}, errCombined
	}
	open, end := bytes.LastIndexByte(before, '['), bytes.LastIndexByte(before, ']')
	if open < 0 || end < open {
		return Entry{}, errCombined
	}
	at, err := c.read(string(line[open+1 : end]))
	if err != nil {
		return Entry{}, err
	}
	request, ok := quotedText(after)
	if !ok {
		return Entry{}, errCombined
	}
	e := Entry{At: at}
	e.Method, e.Target = requestLine(request)
	return e, nil
}

// quotedText reads up to the closing quote and undoes the escapes of servers: a backslash before
// a quote or a backslash, and bytes as \x16.
func quotedText(b []byte) (string, bool) {
	var out []byte
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '"':
			return string(out), true
		case b[i] != '\\' || i+1 == len(b):
			out = append(out, b[i])
		case b[i+1] == 'x' && i+3 < len(b):
			n, err := strconv.ParseUint(string(b[i+2:i+4]), 16, 8)
			if err != nil {
				out = append(out, b[i])
				continue
			}
			out = append(out, byte(n))
			i += 3
		default:
			out = append(out, b[i+1])
			i++
		}
	}
	return "", false
}

// Field names that servers use.
var (
	timeNames = []string{
		"time", "timestamp", "@timestamp", "ts", "time_iso8601", "time_local", "msec", "datetime",
		"date", "StartUTC", "start_time",
	}
	methodNames = []string{
		"method", "request_method", "http_method", "verb", "RequestMethod", "request.method", "httpRequest.requestMethod",
		"http.request.method",
	}
	pathNames = []string{
		"path", "uri", "request_uri", "url", "RequestPath", "request.uri", "httpRequest.requestUrl",
		"url.original", "http.target", "request",
	}
)

// jsonLog has one object per line.
type jsonLog struct {
	lines  lineReader
	fields Fields
	stamp
}

func (j *jsonLog) Next() (Entry, error) {
	line, err := j.lines.next()
	if err != nil {
		return Entry{}, err
	}
	e, err := j.parse(line)
	if err != nil {
		return Entry{}, BadLine{j.lines.n, err}
	}
	e.N = j.lines.n
	return e, nil
}

func (j *jsonLog) parse(line []byte) (Entry, error) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(line, &object); err != nil {
		return Entry{}, errors.New("it is not a JSON object")
	}
	f := fieldsOf{fields: j.fields, get: func(name string) (string, bool) { return jsonText(object, name) }}
	return f.entry(&j.stamp)
}

// jsonText returns the text of a key, which may be nested in another.
func jsonText(object map[string]json.RawMessage, name string) (string, bool) {
	raw, ok := object[name]
	if !ok {
		outer, inner, nested := strings.Cut(name, ".")
		if raw, ok = object[outer]; !nested || !ok || len(raw) == 0 || raw[0] != '{' {
			return "", false
		}
		var within map[string]json.RawMessage
		if json.Unmarshal(raw, &within) != nil {
			return "", false
		}
		return jsonText(within, inner)
	}
	if len(raw) == 0 || raw[0] == '{' || raw[0] == '[' || string(raw) == "null" {
		return "", false
	}
	if raw[0] != '"' {
		return string(raw), true
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}

// fieldsOf finds the required fields in a line.
type fieldsOf struct {
	fields Fields
	get    func(name string) (string, bool)
}

// find returns a field by its configured name, else by the usual names.
func (f *fieldsOf) find(name string, usual []string) (string, bool) {
	if name != "" {
		return f.get(name)
	}
	for _, n := range usual {
		if v, ok := f.get(n); ok {
			return v, true
		}
	}
	return "", false
}

func (f *fieldsOf) entry(s *stamp) (Entry, error) {
	text, ok := f.find(f.fields.Time, timeNames)
	if !ok {
		return Entry{}, noField("time", f.fields.Time)
	}
	at, err := s.read(text)
	if err != nil {
		return Entry{}, err
	}
	path, ok := f.find(f.fields.Path, pathNames)
	if !ok {
		return Entry{}, noField("path", f.fields.Path)
	}
	e := Entry{At: at}
	method, ok := f.find(f.fields.Method, methodNames)
	if ok {
		e.Method, e.Target = known(strings.ToUpper(method)), asked(path)
	}
	if !ok || e.Target == "" {
		if m, target := requestLine(path); target != "" {
			e.Method, e.Target = m, target
		} else if !ok {
			e.Method, e.Target = "GET", asked(path)
		}
	}
	if !check.IsToken(e.Method) {
		e.Target = ""
	}
	return e, nil
}

func noField(what, name string) error {
	if name == "" {
		return fmt.Errorf("nothing in it is known for its %s; name it under fields: {%s: …}", what, what)
	}
	return fmt.Errorf("it has no %q", name)
}

// csvLog has its column names in the first line. Fields contain no line breaks.
type csvLog struct {
	lines   lineReader
	comma   byte
	columns map[string]int
	row     []string
	fields  Fields
	stamp
}

func newCSVLog(b *bufio.Reader, fields Fields) (*csvLog, error) {
	c := &csvLog{lines: lineReader{r: b}, comma: ',', columns: map[string]int{}, fields: fields}
	first, err := c.lines.next()
	if err != nil {
		return nil, fmt.Errorf("a log as CSV begins with a line that names its columns: %w", err)
	}
	first = bytes.TrimPrefix(first, []byte("\ufeff"))
	for _, comma := range []byte{';', '\t'} {
		if bytes.Count(first, []byte{comma}) > bytes.Count(first, []byte{c.comma}) {
			c.comma = comma
		}
	}
	names := splitCSV(first, c.comma, nil)
	for i, name := range names {
		c.columns[strings.TrimSpace(name)] = i
	}
	for _, f := range []struct {
		what, name string
		usual      []string
	}{{"time", fields.Time, timeNames}, {"path", fields.Path, pathNames}} {
		header := fieldsOf{get: func(name string) (string, bool) {
			_, ok := c.columns[name]
			return "", ok
		}}
		if _, ok := header.find(f.name, f.usual); !ok {
			return nil, fmt.Errorf("no column of %s is known for its %s; name one under fields: {%s: …}",
				strings.Join(names, ", "), f.what, f.what)
		}
	}
	return c, nil
}

func (c *csvLog) Next() (Entry, error) {
	line, err := c.lines.next()
	if err != nil {
		return Entry{}, err
	}
	c.row = splitCSV(line, c.comma, c.row[:0])
	f := fieldsOf{fields: c.fields, get: func(name string) (string, bool) {
		i, ok := c.columns[name]
		if !ok || i >= len(c.row) {
			return "", false
		}
		return c.row[i], true
	}}
	e, err := f.entry(&c.stamp)
	if err != nil {
		return Entry{}, BadLine{c.lines.n, err}
	}
	e.N = c.lines.n
	return e, nil
}

// splitCSV appends the fields of a line. A quoted field may contain commas, and a quote written
// twice (RFC 4180).
func splitCSV(line []byte, comma byte, into []string) []string {
	for {
		var field []byte
		i := 0
		if len(line) > 0 && line[0] == '"' {
			for i = 1; i < len(line); i++ {
				if line[i] == '"' {
					if i+1 == len(line) || line[i+1] != '"' {
						break
					}
					i++
				}
				field = append(field, line[i])
			}
			i = min(i+1, len(line))
		}
		end := bytes.IndexByte(line[i:], comma)
		if end < 0 {
			return append(into, string(field)+string(line[i:]))
		}
		into = append(into, string(field)+string(line[i:i+end]))
		line = line[i+end+1:]
	}
}
