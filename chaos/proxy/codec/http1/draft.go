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

// A Draft describes changes to a message. The zero value changes nothing.
type Draft struct {
	Path    PathDraft          // for requests
	Status  int                // for responses, from 200 to 599; 0 keeps the status
	Headers map[string]*string // replaces headers by name; nil removes a header
	Body    *string            // nil keeps the body
}

// A PathDraft changes the unescaped path of a request. The query stays.
type PathDraft struct {
	To    string         // the new path; with Match, a template of [regexp.Regexp.Expand]
	Match *regexp.Regexp // the parts of the path to replace; nil is the whole path
}

// Zero reports whether the draft changes nothing.
func (d PathDraft) Zero() bool { return d.To == "" && d.Match == nil }

// Of returns the new path for a path.
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

// Zero reports whether the draft changes nothing.
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

// CheckHeader returns an error if a header can't be set.
func CheckHeader(name, value string) error {
	switch canonical := textproto.CanonicalMIMEHeaderKey(name); {
	case name == "" || strings.ContainsFunc(name, notToken):
		return fmt.Errorf("%q is not a name of a header", name)
	case canonical == "Content-Length" || canonical == "Transfer-Encoding" || canonical == "Connection":
		return fmt.Errorf("the header %s is the proxy's own to set", canonical)
	case strings.ContainsFunc(value, isControl):
		return fmt.Errorf("the value of header %s has a control character", name)
	}
	return nil
}

// A Revision holds the changes to the message in progress in one direction.
type Revision struct {
	head []byte // replaces the header; nil keeps it
	size int    // length of the original header in bytes
	mute bool   // drop the body
}

// Apply returns the bytes to forward in place of b.
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

// Finish resets the revision at the end of a message. After a message that could not be parsed to
// its end, the remaining bytes are treated like its body.
func (v *Revision) Finish(f *Framer) {
	if !f.Raw || !v.mute {
		*v = Revision{}
	}
}

// Merge joins drafts into one; a later draft overrides. It does not merge paths: each draft changes the path that the
// one before returns.
func Merge(drafts []*Draft) Draft {
	var d Draft
	for _, over := range drafts {
		d.merge(over)
	}
	return d
}

// merge applies over on top of d.
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

// OfBody lists headers that describe a body and would be wrong for another one.
var OfBody = []string{
	"Content-Length", "Transfer-Encoding", "Trailer", "Content-Encoding", "Content-Range", "Content-Md5", "Digest",
	"Content-Digest", "Repr-Digest",
}

// rewriteHeader returns a header with a new first line and the draft's headers. without lists more
// headers to omit; with holds lines to add.
func rewriteHeader(head []byte, first string, d *Draft, without []string, with string) []byte {
	out := append([]byte(first), "\r\n"...)
	lines := bytes.SplitAfter(bytes.TrimLeft(head, "\r\n"), []byte("\n"))
	gone := false
	for _, line := range lines[1:] {
		if text := bytes.TrimRight(line, "\r\n"); len(text) == 0 {
			break
		} else if text[0] != ' ' && text[0] != '\t' { // otherwise the line continues the previous one
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

// firstLine returns the first line of a header, without its line end.
func firstLine(head []byte) string {
	line, _, _ := bytes.Cut(bytes.TrimLeft(head, "\r\n"), []byte("\n"))
	return string(bytes.TrimSuffix(line, []byte("\r")))
}

// ReviseRequest returns the revision of a request by the drafts that apply to it.
func ReviseRequest(head []byte, drafts []*Draft) Revision {
	d, line := Merge(drafts), firstLine(head)
	for _, over := range drafts {
		line = withPath(line, over.Path)
	}
	v := Revision{size: len(head)}
	switch {
	case d.Body != nil:
		v.mute = true
		v.head = rewriteHeader(head, line, &d, OfBody, fmt.Sprintf("Content-Length: %d\r\n", len(*d.Body)))
		v.head = append(v.head, *d.Body...)
	case d.Headers != nil || line != firstLine(head):
		v.head = rewriteHeader(head, line, &d, nil, "")
	}
	return v
}

// withPath returns a request line with another path.
func withPath(line string, d PathDraft) string {
	method, rest, _ := strings.Cut(line, " ")
	i := strings.LastIndexByte(rest, ' ')
	if i < 0 {
		return line
	}
	return method + " " + d.Target(rest[:i]) + rest[i:]
}

// Target returns the target of a request with another path. One that is not a path stays unchanged.
func (d PathDraft) Target(target string) string {
	if d.Zero() || !strings.HasPrefix(target, "/") {
		return target
	}
	escaped, query, asked := strings.Cut(target, "?")
	path, err := url.PathUnescape(escaped)
	to := d.Of(path)
	if err != nil || to == path {
		return target
	}
	if to = (&url.URL{Path: to}).EscapedPath(); asked {
		to += "?" + query
	}
	return to
}

// ReviseAnswer returns the revision of the final response to a request by the drafts that apply to
// it.
func ReviseAnswer(head []byte, h *http.Response, method string, drafts []*Draft) Revision {
	d := Merge(drafts)
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
	case d.Body == nil: // the status allows no body, or the response has none
		d.Body = new(string)
	}
	v.mute = true
	without, with := OfBody, ""
	if BodyAllowed(status) {
		with = "Content-Length: " + strconv.Itoa(len(*d.Body)) + "\r\n"
	}
	if whole && BodyAllowed(h.StatusCode) && h.ContentLength < 0 && len(h.TransferEncoding) == 0 {
		// The old body ends with the connection, which can't be used again.
		without = append(slices.Clone(OfBody), "Connection")
		with += "Connection: close\r\n"
	}
	v.head = rewriteHeader(head, line, &d, without, with)
	if whole && BodyAllowed(status) {
		v.head = append(v.head, *d.Body...)
	}
	return v
}
