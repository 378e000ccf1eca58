package http2

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"brunt/chaos/proxy/codec/http1"

	"golang.org/x/net/http2/hpack"
)

// An Answer is the proxy's own answer to a request.
type Answer struct {
	Fields []hpack.HeaderField
	Body   string
	Early  bool // sent before the end of the request
}

// NewAnswer returns an HTTP answer with a status, like [http1.NewCannedResponse].
func NewAnswer(status int, headers map[string]string, body string) *Answer {
	a := &Answer{Fields: []hpack.HeaderField{{Name: ":status", Value: fmt.Sprintf("%03d", status)}}}
	typed := false
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		lower := strings.ToLower(name)
		typed = typed || lower == "content-type"
		a.Fields = append(a.Fields, hpack.HeaderField{Name: lower, Value: headers[name]})
	}
	if !http1.BodyAllowed(status) {
		return a
	}
	if a.Body = body; body != "" && !typed {
		a.Fields = append(a.Fields, hpack.HeaderField{Name: "content-type", Value: "text/plain; charset=utf-8"})
	}
	a.Fields = append(a.Fields, hpack.HeaderField{Name: "content-length", Value: strconv.Itoa(len(body))})
	return a
}

// NewStatus returns a gRPC answer that consists only of a status. It is sent early, since a call may never end.
func NewStatus(code int, message string) *Answer {
	a := &Answer{Early: true, Fields: []hpack.HeaderField{
		{Name: ":status", Value: strconv.Itoa(http.StatusOK)},
		{Name: "content-type", Value: "application/grpc"},
		{Name: "grpc-status", Value: strconv.Itoa(code)},
	}}
	if message != "" {
		a.Fields = append(a.Fields, hpack.HeaderField{Name: "grpc-message", Value: percentEncoded(message)})
	}
	return a
}

// percentEncoded encodes the text of a status as gRPC sends it.
func percentEncoded(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c >= ' ' && c <= '~' && c != '%' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
