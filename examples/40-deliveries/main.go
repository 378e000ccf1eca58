// Deliveries is a small system that brunt breaks: an API takes orders, and a sender posts a webhook for each of them.
// Both run this program, with the role as its argument:
//
//	POST /orders --> api: the outbox <-- GET /outbox?from=N, PUT /sent?n=N -- send --> the webhook
//
// SENDER plants a defect in the sender: forget marks orders as sent before they are, again marks only every 200th,
// and parallel sends four at once.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// An order is what the API takes, and what the webhook says.
type order struct {
	ID       string `json:"order_id"`
	Customer string `json:"customer"`
}

func main() {
	mux := http.NewServeMux()
	if len(os.Args) > 1 && os.Args[1] == "send" {
		go send(os.Getenv("API"), os.Getenv("BRUNT_HOOK_ORDER"), os.Getenv("SENDER"))
	} else {
		serveOutbox(mux)
	}
	log.Fatal(http.ListenAndServe(os.Getenv("BRUNT_ADDR"), mux))
}

// serveOutbox keeps the orders, and up to which of them the sender has sent. It outlives the sender.
func serveOutbox(mux *http.ServeMux) {
	var mu sync.Mutex
	var outbox []order
	sent := 0
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		var o order
		if err := json.NewDecoder(r.Body).Decode(&o); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		outbox = append(outbox, o)
		w.WriteHeader(http.StatusAccepted)
	})
	mux.HandleFunc("GET /outbox", func(w http.ResponseWriter, r *http.Request) {
		from, err := strconv.Atoi(r.FormValue("from"))
		mu.Lock()
		defer mu.Unlock()
		if err != nil { // a sender that begins
			from = sent
		}
		from = min(from, len(outbox))
		_ = json.NewEncoder(w).Encode(batch{from, outbox[from:min(len(outbox), from+200)]})
	})
	mux.HandleFunc("PUT /sent", func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if n, err := strconv.Atoi(r.FormValue("n")); err == nil {
			sent = n
		}
	})
}

// A batch is a part of the outbox.
type batch struct {
	From   int
	Orders []order
}

// send sends the orders of the outbox for ever.
func send(api, hook, defect string) {
	from := ""
	for {
		var b batch
		if fetch(http.MethodGet, api+"/outbox?from="+from, &b) != nil || len(b.Orders) == 0 {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		if defect == "forget" { // the orders are only in this process from here on
			mark(api, b.From+len(b.Orders))
		}
		var under sync.WaitGroup
		turns := make(chan struct{}, 4)
		for i, o := range b.Orders {
			if defect == "parallel" {
				turns <- struct{}{}
				under.Go(func() {
					time.Sleep(rand.N(40 * time.Millisecond))
					post(hook, o)
					<-turns
				})
				continue
			}
			post(hook, o)
			if n := b.From + i + 1; defect == "" || defect == "again" && n%200 == 0 {
				mark(api, n)
			}
		}
		under.Wait()
		if defect == "parallel" {
			mark(api, b.From+len(b.Orders))
		}
		from = strconv.Itoa(b.From + len(b.Orders))
	}
}

// post sends an order until it is taken, which needs 5 ms of work besides.
func post(hook string, o order) {
	time.Sleep(5 * time.Millisecond)
	body, _ := json.Marshal(o)
	for {
		r, err := http.Post(hook, "application/json", bytes.NewReader(body))
		if err == nil {
			_, _ = io.Copy(io.Discard, r.Body)
			r.Body.Close()
			if r.StatusCode < 300 {
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// mark says that the first n orders are sent.
func mark(api string, n int) { _ = fetch(http.MethodPut, api+"/sent?n="+strconv.Itoa(n), nil) }

func fetch(method, url string, into any) error {
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		return err
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", r.Status)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(r.Body).Decode(into)
}
