// Command 43-rabbitmq is a worker: it takes orders from a queue of RabbitMQ, tells the customer of each by a webhook,
// and acknowledges fifty at once. It keeps the ids of orders that it has told of in a file, so that it tells of none
// again.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/rabbitmq/amqp091-go"
)

func main() {
	url := flag.String("broker", "", "URL of the broker")
	known := flag.String("known", "on", "off: forget which orders were told of")
	data := flag.String("data", ".", "folder of the file with their ids")
	flag.Parse()
	w := &worker{hook: os.Getenv("BRUNT_HOOK_ORDER"), known: map[string]bool{}}
	if *known == "on" {
		w.remember(filepath.Join(*data, "known"))
	}
	go func() { log.Fatal(http.ListenAndServe(os.Getenv("BRUNT_ADDR"), nil)) }() // so that brunt sees that it runs
	for {
		log.Print(w.work(*url))
		time.Sleep(100 * time.Millisecond)
	}
}

// batch is how many orders are acknowledged at once.
const batch = 50

type worker struct {
	hook  string
	known map[string]bool
	file  *os.File // nil: nothing is remembered
}

// remember reads the ids in a file, and opens it for more.
func (w *worker) remember(name string) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		w.known[lines.Text()] = true
	}
	w.file = f
}

// work takes orders until the connection is lost.
func (w *worker) work(url string) error {
	conn, err := amqp091.Dial(url)
	if err != nil {
		return err
	}
	defer conn.Close()
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	if err := ch.Qos(2*batch, 0, false); err != nil {
		return err
	}
	orders, err := ch.Consume("orders", "", false, false, false, false, nil)
	if err != nil {
		return err
	}
	told := 0
	for o := range orders {
		if err := w.tell(o.Body); err != nil {
			return err // the broker sends again what is not acknowledged
		}
		if told++; told%batch == 0 {
			_ = o.Ack(true) // an error ends the deliveries too
		}
	}
	return fmt.Errorf("the broker is gone")
}

// tell calls the webhook, unless the order is known.
func (w *worker) tell(body []byte) error {
	var order struct{ ID string }
	if err := json.Unmarshal(body, &order); err != nil || w.known[order.ID] {
		return err
	}
	time.Sleep(2 * time.Millisecond) // simulates work
	resp, err := http.Post(w.hook, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if w.file == nil {
		return nil
	}
	w.known[order.ID] = true
	_, err = fmt.Fprintln(w.file, order.ID)
	return err
}
