package main

import (
	"bytes"
	"context"
	"net"
	"time"
)

// slow is the server with which .ci/bench holds requests open. It answers each request after a time, with as little
// work as possible, until ctx ends.
func slow(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return usage("usage: ci slow ADDR DURATION")
	}
	wait, err := time.ParseDuration(args[1])
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go answer(c, wait)
	}
}

// answer answers the requests of a connection. Requests have no body, and none comes before the previous one is
// answered.
func answer(c net.Conn, wait time.Duration) {
	defer c.Close()
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nlate\n")
	buf := make([]byte, 2048)
	for n := 0; ; {
		m, err := c.Read(buf[n:])
		if err != nil {
			return
		}
		if n += m; !bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
			continue
		}
		n = 0
		time.Sleep(wait)
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}
