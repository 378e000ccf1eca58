// Command rabbitmq is the worker of the example 53: it takes orders from a queue of RabbitMQ by STOMP, and posts a
// webhook for each. It takes a message off the queue once the webhook was answered.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	client := &http.Client{Timeout: 2 * time.Second}
	for { // until the process ends
		if err := work(os.Getenv("BROKER"), client); err != nil {
			log.Print(err)
		}
		time.Sleep(200 * time.Millisecond) // until the next try
	}
}

// work handles messages until the connection ends.
func work(broker string, client *http.Client) error {
	conn, err := net.DialTimeout("tcp", broker, 2*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	fmt.Fprint(conn, "CONNECT\naccept-version:1.2\nhost:/\nlogin:guest\npasscode:guest\n\n\x00")
	fmt.Fprint(conn, "SUBSCRIBE\nid:0\ndestination:/queue/orders\nack:client-individual\nprefetch-count:20\n\n\x00")
	for r := bufio.NewReader(conn); ; {
		frame, err := r.ReadBytes(0)
		if err != nil {
			return err
		}
		head, body, _ := bytes.Cut(bytes.TrimLeft(bytes.TrimSuffix(frame, []byte{0}), "\n"), []byte("\n\n"))
		switch command, fields, _ := strings.Cut(string(head), "\n"); command {
		case "ERROR":
			return fmt.Errorf("the broker says %q", frame)
		case "MESSAGE":
			resp, err := client.Post(os.Getenv("BRUNT_HOOK_ORDER"), "application/json", bytes.NewReader(body))
			if err != nil {
				return err // the broker delivers it again
			}
			resp.Body.Close()
			fmt.Fprintf(conn, "ACK\nid:%s\n\n\x00", header(fields, "ack"))
		}
	}
}

// header returns the value of a header of a frame.
func header(fields, name string) string {
	for line := range strings.Lines(fields) {
		if value, is := strings.CutPrefix(strings.TrimSpace(line), name+":"); is {
			return value
		}
	}
	return ""
}
