// Shop is a system of two services that brunt starts and breaks: web serves prices, which stock knows.
//
//	shop web     asks stock at $STOCK, and keeps the last price for the times when stock is away
//	shop stock   knows one price
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: shop web|stock")
	}
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	switch os.Args[1] {
	case "web":
		http.HandleFunc("/price", price(os.Getenv("STOCK"), os.Getenv("CACHE") != "off"))
	case "stock":
		http.HandleFunc("/price", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, `{"cents": 1999}`) })
	default:
		log.Fatalf("there is no service %q", os.Args[1])
	}
	log.Fatal(http.ListenAndServe(os.Getenv("BRUNT_ADDR"), nil))
}

// price asks stock, for at most 100 ms. Without an answer it returns the last known price, or fails if the cache is
// off.
func price(stock string, cache bool) http.HandlerFunc {
	client := http.Client{Timeout: 100 * time.Millisecond}
	var last atomic.Int64
	return func(w http.ResponseWriter, _ *http.Request) {
		cents, err := ask(&client, stock)
		switch {
		case err == nil:
			last.Store(cents)
		case cache && last.Load() != 0:
			cents = last.Load()
		default:
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"cents": cents, "fresh": err == nil})
	}
}

func ask(client *http.Client, stock string) (int64, error) {
	resp, err := client.Get(stock + "/price")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var p struct{ Cents int64 }
	err = json.NewDecoder(resp.Body).Decode(&p)
	return p.Cents, err
}
