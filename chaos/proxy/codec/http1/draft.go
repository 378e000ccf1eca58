package http1

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A Draft is what is changed of a message. The zero value is nothing.
type Draft struct {
	Path    PathDraft          // of a request
	Status  int                // of an answer, from 200 to 599; 0 stays
	Headers map[string]*string // in place of what has the name; nil is to have none
	Body    *string            // nil stays
}

// A PathDraft changes the path of a request, as it is without escapes. The query stays.
type PathDraft struct {
	To    string         // the new path; with Match as [regexp.Regexp.Expand] has it
	Match *regexp.Regexp // what of the path is replaced, every time; nil is all
}

// Zero tells that nothing is changed.
func (d PathDraft) Zero() bool { return d.To == "" && d.Match == nil }

// Of gives the path that there is to be in place of another.
func (d PathDraft) Of(path string) string {
	switch {
	case d.Zero():
		return path
	case d.Match == nil:
		return d.To
	}
	to := d.Match.ReplaceAllString(path, d.To)
	if !strings.HasPrefix(to, "/") {
		to = "/" + to
	}
	return to
}

// Zero tells that nothing is changed.
func (d *Draft) Zero() bool {
	return d.Path.Zero() && d.Status == 0 && len(d.Headers) == 0 && d.Body == nil
}

func (d *Draft) Check() error {
	var errs []error
	if d.Status != 0 && (d.Status < 200 || d.Status > 599) {
		errs = append(errs, fmt.Errorf("status %d can't be an answer's; from 200 to 599", d.Status))
	}
	if d.Path.Match == nil && d.Path.To != "" && d.Path.To[0] != '/' {
		errs = append(errs, errors.New("a path begins with /"))
	}
	if strings.ContainsAny(d.Path.To, "?#") {
		errs = append(errs, errors.New("a path ends before the query"))
	}
	for _, name := range slices.Sorted(maps.Keys(d.Headers)) {
		value := ""
		if v := d.Headers[name]; v != nil {
			value = *v
		}
		errs = append(errs, CheckHeader(name, value))
	}
	return errors.Join(errs...)
}

// CheckHeader tells what keeps a header from being set.
func CheckHeader(name, value string) error {
	switch canonical := textproto.CanonicalMIMEHeaderKey(name); {
	case name == "" || strings.ContainsFunc(name, notToken):
		return fmt.Errorf("%q is no name of a header", name)
	case canonical == "Content-Length" || canonical == "Transfer-Encoding" || canonical == "Connection":
		return fmt.Errorf("the header %s is the proxy's own to set", canonical)
	case strings.ContainsFunc(value, isControl):
		return fmt.Errorf("the value of header %s has a control character", name)
	}
	return nil
}

// A revision is what becomes of the message that is under way in one direction.
type Revision struct {
	head []byte // in place of the header; nil is as it came
	size int    // of the header that came
	mute bool   // its body is dropped
}

// Apply gives what is passed on of b.
func (v *Revision) Apply(b []byte, first bool) []byte {
	switch {
	case first && v.head != nil:
		out := v.head
		if !v.mute {
			out = append(out, b[v.size:]...)
		}
		return out
	case v.mute:
		return nil
	}
	return b
}

// dialed is told that the message has ended. What follows one that could not be read to
// its end belongs to it, and goes where its body went.
func (v *Revision) Finish(f *Framer) {
	if !f.Raw || !v.mute {
		*v = Revision{}
	}
}

// merge lays d over what was to be changed before.
func (d *Draft) merge(over *Draft) {
	if over.Status != 0 {
		d.Status = over.Status
	}
	if over.Body != nil {
		d.Body = over.Body
	}
	for name, v := range over.Headers {
		if d.Headers == nil {
			d.Headers = map[string]*string{}
		}
		d.Headers[textproto.CanonicalMIMEHeaderKey(name)] = v
	}
}

// ofBody are headers that say something of a body, and nothing of another one.
var ofBody = []string{
	"Content-Length", "Transfer-Encoding", "Trailer", "Content-Encoding", "Content-Range", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest",
}

// rewriteHeader gives a header with its first line and others changed. Without are headers
// to leave out besides those of the draft; with are lines to add.
func rewriteHeader(head []byte, first string, d *Draft, without []string, with string) []byte {
	out := append([]byte(first), "\r\n"...)
	lines := bytes.SplitAfter(bytes.TrimLeft(head, "\r\n"), []byte("\n"))
	gone := false
	for _, line := range lines[1:] {
		if text := bytes.TrimRight(line, "\r\n"); len(text) == 0 {
			break
		} else if text[0] != ' ' && text[0] != '\t' { // or it goes on with the one before
			name, _, _ := bytes.Cut(text, []byte(":"))
			canonical := textproto.CanonicalMIMEHeaderKey(string(bytes.TrimSpace(name)))
			_, named := d.Headers[canonical]
			gone = named || slices.Contains(without, canonical)
		}
		if !gone {
			out = append(out, line...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Headers)) {
		if v := d.Headers[name]; v != nil {
			out = fmt.Appendf(out, "%s: %s\r\n", name, *v)
		}
	}
	return append(append(out, with...), "\r\n"...)
}

// firstLine is the first line of a header, without its end.
func firstLine(head []byte) string {
	line, _, _ := bytes.Cut(bytes.TrimLeft(head, "\r\n"), []byte("\n"))
	return string(bytes.TrimSuffix(line, []byte("\r")))
}

// ReviseRequest makes what becomes of a request that editors chose.
func ReviseRequest(head []byte, drafts []*Draft) Revision {
	var d Draft
	line := firstLine(head)
	for _, over := range drafts {
		d.merge(over)
		line = withPath(line, over.Path)
	}
	v := Revision{size: len(head)}
	switch {
	case d.Body != nil:
		v.mute = true
		v.head = rewriteHeader(head, line, &d, ofBody, fmt.Sprintf("Content-Length: %d\r\n", len(*d.Body)))
		v.head = append(v.head, *d.Body...)
	case d.Headers != nil || line != firstLine(head):
		v.head = rewriteHeader(head, line, &d, nil, "")
	}
	return v
}

// withPath gives a request's first line with another path. A target that is no path
// stays.
func withPath(line string, d PathDraft) string {
	method, rest, _ := strings.Cut(line, " ")
	i := strings.LastIndexByte(rest, ' ')
	if d.Zero() || i < 0 || rest[0] != '/' {
		return line
	}
	escaped, query, asked := strings.Cut(rest[:i], "?")
	path, err := url.PathUnescape(escaped)
	to := d.Of(path)
	if err != nil || to == path {
		return line
	}
	if to = (&url.URL{Path: to}).EscapedPath(); asked {
		to += "?" + query
	}
	return method + " " + to + rest[i:]
}

// ReviseAnswer makes what becomes of the last answer to a request that editors chose.
func ReviseAnswer(head []byte, h *http.Response, method string, drafts []*Draft) Revision {
	var d Draft
	for _, over := range drafts {
		d.merge(over)
	}
	v := Revision{size: len(head)}
	if d.Zero() {
		return v
	}
	line, status := firstLine(head), h.StatusCode
	if d.Status != 0 {
		status = d.Status
		line = line[:len("HTTP/1.1")] + fmt.Sprintf(" %03d %s", status, http.StatusText(status))
	}
	whole := method != http.MethodHead
	switch {
	case d.Body == nil && BodyAllowed(status) == BodyAllowed(h.StatusCode):
		v.head = rewriteHeader(head, line, &d, nil, "")
		return v
	case d.Body == nil: // by its status it had none, or is to have none
		d.Body = new(string)
	}
	v.mute = true
	without, with := ofBody, ""
	if BodyAllowed(status) {
		with = "Content-Length: " + strconv.Itoa(len(*d.Body)) + "\r\n"
	}
	if whole && BodyAllowed(h.StatusCode) && h.ContentLength < 0 && len(h.TransferEncoding) == 0 {
		// The old body ends with the connection, which nothing else can go over.
		without = append(slices.Clone(ofBody), "Connection")
		with += "Connection: close\r\n"
	}
	v.head = rewriteHeader(head, line, &d, without, with)
	if whole && BodyAllowed(status) {
		v.head = append(v.head, *d.Body...)
	}
	return v
}
