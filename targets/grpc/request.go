package grpc

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/template"
)

// request is a call without placeholders in the form of HTTP/1.1, for one client.
type request struct {
	client *client
	bytes  []byte
}

// compose appends the call for it in the form of HTTP/1.1, which package h2 encodes. It also returns messages with
// placeholders as JSON, in the memory of text.
func (c *grpcCall) compose(dst, text []byte, it *template.Iter, by *client, b *binding) (all, json []byte, err error) {
	dst = append(append(append(dst, "POST "...), c.path...), " HTTP/1.1\r\nHost: "...)
	dst = append(append(dst, by.host...), "\r\ncontent-type: application/grpc\r\nte: trailers\r\nuser-agent: "...)
	dst = append(append(dst, by.o.Agent...), "\r\n"...)
	if c.deadline > 0 {
		dst = append(dst, "grpc-timeout: "...)
		dst = append(appendTimeout(dst, c.deadline), "\r\n"...)
	}
	for i := range c.metadata {
		h := &c.metadata[i]
		dst = append(append(dst, h.name...), ": "...)
		from := len(dst)
		if dst, err = h.Append(dst, it); err != nil {
			return dst, text, err
		}
		if strings.HasSuffix(h.name, "-bin") {
			value := base64.RawStdEncoding.EncodeToString(dst[from:])
			dst = append(dst[:from], value...)
		}
		dst = append(dst, "\r\n"...)
	}
	dst = append(dst, "\r\n"...)
	if b.fixed != nil {
		return append(dst, b.fixed...), text, nil
	}
	text = text[:0]
	for i, s := range c.sends {
		if i > 0 {
			text = append(text, '\n')
		}
		if dst, text, err = s.append(dst, text, it, b); err != nil {
			return dst, text, err
		}
	}
	return dst, text, nil
}

// mostDigits is the largest number in a grpc-timeout, which has at most 8 digits.
const mostDigits = 99_999_999

// appendTimeout appends a duration in the form of grpc-timeout, rounded up, in the smallest unit that can express it.
func appendTimeout(dst []byte, d time.Duration) []byte {
	for _, u := range []struct {
		size time.Duration
		name byte
	}{{time.Nanosecond, 'n'}, {time.Microsecond, 'u'}, {time.Millisecond, 'm'}, {time.Second, 'S'}, {time.Minute, 'M'}} {
		if n := (d + u.size - 1) / u.size; n <= mostDigits {
			return append(strconv.AppendInt(dst, int64(n), 10), u.name)
		}
	}
	return append(strconv.AppendInt(dst, int64((d+time.Hour-1)/time.Hour), 10), 'H')
}
