// Lines is a TCP server with a protocol of its own that brunt starts and breaks: it answers each line `ask WORD` with
// `re WORD`.
package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"time"
)

func main() {
	delay, _ := time.ParseDuration(os.Getenv("DELAY"))
	l, err := net.Listen("tcp", os.Getenv("BRUNT_ADDR"))
	if err != nil {
		log.Fatal(err)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(c, delay)
	}
}

func serve(c net.Conn, delay time.Duration) {
	defer c.Close()
	for in := bufio.NewScanner(c); in.Scan(); {
		time.Sleep(delay) // simulates a slow build of the server
		word, asked := strings.CutPrefix(in.Text(), "ask ")
		answer := "re " + word
		if !asked {
			answer = "what?"
		}
		if _, err := fmt.Fprintln(c, answer); err != nil {
			return
		}
	}
}
