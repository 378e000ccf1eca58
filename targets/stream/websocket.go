package stream

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/targets/stream/websocket"

	"github.com/gobwas/ws"
)

// handshake holds the values with which a WebSocket is opened, with placeholders filled in.
type handshake struct {
	url     string
	headers []string // lines
}

// shake makes the handshake on a connection. Br has the bytes after the answer; nil means none. Compressed reports
// that messages may be compressed.
func (h *handshake) shake(on io.ReadWriter, c *call, agent string) (br *bufio.Reader, compressed bool, err error) {
	u, err := url.Parse(h.url)
	if err != nil {
		return nil, false, err
	}
	lines := h.headers
	if agent != "" && !slices.ContainsFunc(lines,
		func(line string) bool { return strings.HasPrefix(line, "User-Agent:") }) {
		lines = append(slices.Clip(lines), "User-Agent: "+agent)
	}
	var refused *StatusError
	d := ws.Dialer{
		Protocols: c.subprotocols, Header: ws.HandshakeHeaderString(strings.Join(append(slices.Clip(lines), ""), "\r\n")),
		OnStatusError: func(status int, reason []byte, _ io.Reader) {
			refused = &StatusError{
				Cause: scenarios.Status(status), Status: int32(status),
				Text: fmt.Sprintf("the handshake is refused: status %d %s", status, reason),
			}
		},
	}
	if c.compress {
		websocket.Offer(&d)
	}
	br, got, err := d.Upgrade(on, u)
	switch {
	case err == nil:
		compressed, err = websocket.Agreed(&got)
		return br, compressed, err
	case refused != nil:
		return nil, false, refused
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, false, io.ErrUnexpectedEOF
	}
	return nil, false, err
}
