// The server that .ci/bench holds requests open with: it answers each after the
// time given on the command line, and does as little as it can besides.
//
//	go run .ci/slow.go 127.0.0.1:8089 500ms
package main

import (
	"bytes"
	"log"
	"net"
	"os"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: slow ADDR DURATION")
	}
	wait, err := time.ParseDuration(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			log.Fatal(err)
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
