// Shop is a system of two services with metrics, for a drill of the alerts on these metrics: web serves prices, which
// stock knows.
//
//	shop web     asks stock at $STOCK for each price
//	shop stock   knows one price
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: shop web|stock")
	}
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	switch os.Args[1] {
	case "web":
		http.HandleFunc("/price", price(os.Getenv("STOCK")))
		http.Handle("/metrics", promhttp.Handler())
	case "stock":
		http.HandleFunc("/price", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, 1999) })
	default:
		log.Fatalf("there is no service %q", os.Args[1])
	}
	log.Fatal(http.ListenAndServe(os.Getenv("BRUNT_ADDR"), nil))
}

// price asks stock for at most 200 ms.
func price(stock string) http.HandlerFunc {
	requests := promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "shop_requests_total", Help: "Requests answered, by status code.",
	}, []string{"code"})
	inFlight := promauto.NewGauge(prometheus.GaugeOpts{Name: "shop_in_flight", Help: "Requests that are being answered."})
	client := http.Client{Timeout: 200 * time.Millisecond}
	return func(w http.ResponseWriter, _ *http.Request) {
		inFlight.Inc()
		defer inFlight.Dec()
		code := http.StatusBadGateway
		if resp, err := client.Get(stock + "/price"); err == nil {
			code = resp.StatusCode
			defer resp.Body.Close()
			w.WriteHeader(code)
			_, _ = io.Copy(w, resp.Body)
		} else {
			http.Error(w, err.Error(), code)
		}
		requests.WithLabelValues(strconv.Itoa(code)).Inc()
	}
}
