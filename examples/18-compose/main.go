// Command 18-compose is a shop of two services in one program, small enough for an image FROM scratch:
//
//	api     GET /items     the store's items; while it is away or slow, the last answer
//	store   GET /items     the stock
//	both    GET /healthz   200 once it listens
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"sync"
	"time"
)

func main() {
	http.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	if len(os.Args) > 1 && os.Args[1] == "store" {
		http.HandleFunc("/items", func(w http.ResponseWriter,
			_ *http.Request,
		) {
			fmt.Fprintln(w, `{"items": ["apple", "pear"]}`)
		})
	} else {
		a := &api{store: os.Getenv("STORE"), cache: os.Getenv("CACHE") != "off", client: http.Client{Timeout: within}}
		http.HandleFunc("/items", a.items)
	}
	log.Fatal(http.ListenAndServe(":8080", nil))
}

// within bounds the time for the store.
const within = 250 * time.Millisecond

// api asks the store for each request.
type api struct {
	store  string // its URL
	cache  bool   // give the last answer while the store is away
	client http.Client

	mu   sync.Mutex
	last []byte
}

func (a *api) items(w http.ResponseWriter, _ *http.Request) {
	text, err := a.ask()
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err == nil:
		a.last = text
	case a.cache && a.last != nil:
		text = a.last
	default:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write(text) // a client that is gone needs no answer
}

// ask returns the store's items.
func (a *api) ask() ([]byte, error) {
	resp, err := a.client.Get(a.store + "/items")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the store answers %s", resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, 1<<20))
}
