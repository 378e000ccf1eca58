package http

import (
	"strconv"
	"strings"

	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http/auth"
)

// rendered is a request with its placeholders filled in. It is kept until the call ends, so that a redirect sends the
// same values again.
type rendered struct {
	url     []byte // of the call, after the base URL's path
	host    []byte
	values  []byte        // of the author's headers, one after the other
	ends    []int         // where each value ends
	body    []byte        // without the parts that are files
	cuts    []int         // where in body each part ends
	traceAt int           // offset of its traceparent in the request
	proof   []auth.Header // headers with credentials and signature
}

// fill renders the call for it, except for the URL, which target renders.
func (f *rendered) fill(c *Call, it *template.Iter) (err error) {
	f.host, f.values, f.ends, f.body = f.host[:0], f.values[:0], f.ends[:0], f.body[:0]
	if c.host != nil {
		if f.host, err = c.host.Append(f.host, it); err != nil {
			return err
		}
	}
	for i := range c.headers {
		if f.values, err = c.headers[i].Append(f.values, it); err != nil {
			return err
		}
		f.ends = append(f.ends, len(f.values))
	}
	if c.body != nil {
		f.body, err = c.body.Append(f.body, it)
	} else if c.segments != nil {
		err = f.fillSegments(c, it)
	}
	return err
}

// value returns the value of the author's header i.
func (f *rendered) value(i int) []byte {
	from := 0
	if i > 0 {
		from = f.ends[i-1]
	}
	return f.values[from:f.ends[i]]
}

// target renders the URL and returns its origin, and its path and query.
func (f *rendered) target(c *Call, it *template.Iter, client *client) (o *origin, target []byte, err error) {
	if f.url, err = c.url.Append(append(f.url[:0], client.basePath...), it); err != nil {
		return nil, nil, err
	}
	rel := f.url[len(client.basePath):]
	if len(rel) > 0 && rel[0] == '/' {
		if client.base == nil {
			return nil, nil, targets.ErrNoBase
		}
		return client.base, f.url, nil
	}
	prefix, target := targets.SplitURL(rel)
	if o, err = client.origin(prefix); err != nil {
		return nil, nil, err
	}
	return o, withSlash(target), nil
}

// withSlash adds a leading slash to a path that has none.
func withSlash(target []byte) []byte {
	if len(target) == 0 || target[0] != '/' {
		return append([]byte("/"), target...)
	}
	return target
}

// wire holds the other inputs for writing a request to an origin.
type wire struct {
	method string
	origin *origin
	target []byte // path and query
	cookie string // of the virtual user's jar
	bare   bool   // a redirect dropped the body
	trace  uint64 // low half of its trace id; 0: no trace
	away   bool   // a redirect led to another origin, which must not receive secrets of the first
}

// secretive reports whether a header is only sent to the origin it was written for.
func secretive(header string) bool {
	return strings.EqualFold(header, "Authorization") || strings.EqualFold(header, "Cookie") ||
		strings.EqualFold(header, "Proxy-Authorization")
}

// compose appends the request in wire format.
func (c *Call) compose(dst []byte, f *rendered, w *wire, client *client) []byte {
	dst = append(append(dst, w.method...), ' ')
	if w.origin.viaPlain() {
		dst = append(append(dst, "http://"...), w.origin.host...)
	}
	dst = append(append(dst, w.target...), " HTTP/1.1\r\nHost: "...)
	if c.host != nil && !w.away {
		dst = append(dst, f.host...)
	} else {
		dst = append(dst, w.origin.host...)
	}
	dst = append(dst, "\r\n"...)
	if c.stream != nil && !c.has("Accept") {
		dst = header(dst, "Accept", eventStream)
	}
	if !c.has("User-Agent") {
		dst = header(dst, "User-Agent", client.o.Agent)
	}
	if w.origin.viaPlain() && w.origin.via.Auth != "" && !c.has("Proxy-Authorization") {
		dst = header(dst, "Proxy-Authorization", w.origin.via.Auth)
	}
	if !client.keepAlive {
		dst = header(dst, "Connection", "close")
	}
	cookie := w.cookie
	for i := range c.headers {
		name := c.headers[i].name
		if w.away && secretive(name) || w.bare && strings.EqualFold(name, "Content-Type") {
			continue
		}
		dst = append(append(append(dst, name...), ": "...), f.value(i)...)
		if cookie != "" && strings.EqualFold(name, "Cookie") { // a request has only one Cookie header
			dst = append(append(dst, "; "...), cookie...)
			cookie = ""
		}
		dst = append(dst, "\r\n"...)
	}
	if cookie != "" {
		dst = header(dst, "Cookie", cookie)
	}
	for _, p := range f.proof {
		dst = append(append(append(append(dst, p.Name...), ": "...), p.Value...), "\r\n"...)
	}
	if w.trace != 0 {
		dst = append(dst, TraceHeader+": "...)
		f.traceAt = len(dst)
		dst = append(client.traces.Append(dst, w.trace), "\r\n"...)
	}
	if !c.sends() || w.bare {
		if w.method == "POST" || w.method == "PUT" || w.method == "PATCH" {
			dst = header(dst, "Content-Length", "0")
		}
		return append(dst, "\r\n"...)
	}
	if c.bodyType != "" {
		dst = header(dst, "Content-Type", c.bodyType)
	}
	length := f.length(c)
	dst = strconv.AppendInt(append(dst, "Content-Length: "...), int64(length), 10)
	dst = append(dst, "\r\n\r\n"...)
	switch {
	case c.segments == nil:
		return append(dst, f.body...)
	case length > gathered: // the body follows part by part
		return dst
	}
	for piece := range f.pieces(c) {
		dst = append(dst, piece...)
	}
	return dst
}

func header(dst []byte, name, value string) []byte {
	dst = append(append(dst, name...), ": "...)
	return append(append(dst, value...), "\r\n"...)
}

// A readyRequest is a request without placeholders, in wire format for one origin.
type readyRequest struct {
	client  *client
	origin  *origin
	target  []byte
	bytes   []byte
	traceAt int // offset of its traceparent in bytes, if it has one
}
