package http1

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A CannedResponse is a fixed response in each form that a request can require. All requests for
// the same form share its bytes.
type CannedResponse [2][3][]byte // without and with the body; plain, close, keep-alive

// NewCannedResponse returns the response with a status, headers and a body, encoded once.
func NewCannedResponse(status int, headers map[string]string, body string) *CannedResponse {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %03d %s\r\n", status, http.StatusText(status))
	typed := false
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		typed = typed || strings.EqualFold(name, "Content-Type")
		fmt.Fprintf(&b, "%s: %s\r\n", name, headers[name])
	}
	if !BodyAllowed(status) {
		body = ""
	} else {
		if body != "" && !typed {
			b.WriteString("Content-Type: text/plain; charset=utf-8\r\n")
		}
		b.WriteString("Content-Length: " + strconv.Itoa(len(body)) + "\r\n")
	}
	var a CannedResponse
	for i, connection := range []string{"", "Connection: close\r\n", "Connection: keep-alive\r\n"} {
		head := b.String() + connection + "\r\n"
		a[0][i] = []byte(head)
		a[1][i] = []byte(head + body)
	}
	return &a
}

// For returns the response to a request with the method. closes reports that the connection ends
// with it, old that the request is HTTP/1.0.
func (a *CannedResponse) For(method string, closes, old bool) []byte {
	body, connection := 1, 0
	if method == http.MethodHead {
		body = 0
	}
	switch {
	case closes:
		connection = 1
	case old:
		connection = 2
	}
	return a[body][connection]
}

// BodyAllowed reports whether a response with the status can have a body.
func BodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}
