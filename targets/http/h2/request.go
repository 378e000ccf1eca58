package h2

import (
	"bytes"

	"golang.org/x/net/http2/hpack"
)

// rawField is a header line in the form of HTTP/1.1.
type rawField struct{ name, value []byte }

var (
	crlf  = []byte("\r\n")
	colon = []byte(": ")
)

// encode builds the header block of a request in the form of HTTP/1.1, and returns its body. So code that renders
// requests needs only one form.
func (w *writing2) encode(req []byte, scheme string) (body []byte) {
	line, rest, _ := bytes.Cut(req, crlf)
	method, line, _ := bytes.Cut(line, []byte(" "))
	target := line[:max(0, bytes.LastIndexByte(line, ' '))]
	var host []byte
	w.fields = w.fields[:0]
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, crlf)
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, colon)
		switch w.name(name) {
		case "host":
			host = value
		case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade": // they exist only in HTTP/1.1
		case "te":
			if string(value) == "trailers" { // the only value that HTTP/2 allows
				w.fields = append(w.fields, rawField{name, value})
			}
		default:
			w.fields = append(w.fields, rawField{name, value})
		}
	}
	w.block.Reset()
	w.bound = 0
	w.field(":method", method)
	w.field(":scheme", []byte(scheme))
	w.field(":authority", host)
	w.field(":path", target)
	for _, f := range w.fields {
		w.field(w.name(f.name), f.value)
	}
	return rest
}

// name returns the name of a header in lower case.
func (w *writing2) name(written []byte) string {
	n, ok := w.names[string(written)]
	if !ok {
		n = string(bytes.ToLower(written))
		w.names[string(written)] = n
	}
	return n
}

// field appends a header field. Most fields equal the field at the same place in the previous request. Their strings
// are reused, because the compression needs strings that persist.
func (w *writing2) field(name string, value []byte) {
	i := w.bound
	w.bound++
	if i == len(w.last) {
		w.last = append(w.last, hpack.HeaderField{})
	}
	f := &w.last[i]
	if f.Name != name || f.Value != string(value) {
		*f = hpack.HeaderField{Name: name, Value: string(value)}
	}
	f.Sensitive = name == "traceparent" // its value never repeats, so it is kept out of the table
	_ = w.hpack.WriteField(*f)
}
