package main

import (
	"bytes"
	"net"
	"time"
)

// slow is the server that .ci/bench holds requests open with: it answers each after a time, and does as little as it
// can besides.
func slow(args []string) error {
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
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go answer(c, wait)
	}
}

// answer answers request after request. None has a body, and none comes before the
// one before it is answered.
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
