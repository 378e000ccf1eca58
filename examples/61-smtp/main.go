// Command 61-smtp is a small relay of mail. It takes mails by SMTP and tells the webhook of each a moment later. With
// SPOOL it has a mail in a file of that folder before it says that it has taken it, unless KEEP is memory.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/mail"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// late is how long a mail waits before it is passed on.
const late = 300 * time.Millisecond

func main() {
	spool, waiting := os.Getenv("SPOOL"), make(chan string, 10_000)
	if os.Getenv("KEEP") == "memory" {
		spool = ""
	}
	if spool != "" {
		if err := os.MkdirAll(spool, 0o700); err != nil {
			log.Fatal(err)
		}
		left, err := os.ReadDir(spool)
		if err != nil {
			log.Fatal(err)
		}
		for _, f := range left {
			waiting <- f.Name()
		}
	}
	go passOn(spool, waiting)
	l, err := net.Listen("tcp", os.Getenv("BRUNT_ADDR"))
	if err != nil {
		log.Fatal(err)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(c, spool, waiting)
	}
}

// serve takes the mails of a connection.
func serve(c net.Conn, spool string, waiting chan<- string) {
	defer c.Close()
	answer := "220 relay ESMTP"
	for in := textproto.NewReader(bufio.NewReader(c)); ; {
		if _, err := fmt.Fprintf(c, "%s\r\n", answer); err != nil {
			return
		}
		line, err := in.ReadLine()
		if err != nil {
			return
		}
		if answer = "250 ok"; !strings.EqualFold(line, "DATA") {
			continue
		}
		if _, err := fmt.Fprint(c, "354 go on\r\n"); err != nil {
			return
		}
		text, err := in.ReadDotBytes()
		if err != nil {
			return
		}
		m, err := mail.ReadMessage(bytes.NewReader(text))
		if err != nil {
			answer = "554 it is no mail"
			continue
		}
		id := m.Header.Get("X-Id")
		if spool != "" {
			if err := os.WriteFile(filepath.Join(spool, filepath.Base(id)), text, 0o600); err != nil {
				answer = "452 " + err.Error()
				continue
			}
		}
		waiting <- id
		answer = "250 2.0.0 Ok: queued as " + id
	}
}

// passOn tells the webhook of each mail, in turn.
func passOn(spool string, waiting <-chan string) {
	hook := cmp.Or(os.Getenv("BRUNT_HOOK_MAIL"), "http://127.0.0.1:9099/hook")
	for id := range waiting {
		at := time.Now().Add(late)
		time.Sleep(max(0, time.Until(at)-time.Duration(len(waiting))*late/10)) // it is quicker the more wait
		body, _ := json.Marshal(map[string]string{"id": id})
		for {
			resp, err := http.Post(hook, "application/json", bytes.NewReader(body))
			if err == nil {
				_ = resp.Body.Close()
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if spool != "" {
			_ = os.Remove(filepath.Join(spool, filepath.Base(id)))
		}
	}
}
