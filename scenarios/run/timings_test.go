package run_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// TestTimings holds what result.json says of the phases of requests against the log of the server: a handshake, a first
// byte and a body that take a planned time, on a new connection for each request.
func TestTimings(t *testing.T) {
	t.Parallel()
	above := .01 // seconds by which a mean may exceed the server's
	if testing.Short() {
		above = .1 // with the race detector, the cryptography of a handshake takes this long
	}
	const handshake, first, body = 30 * time.Millisecond, 40 * time.Millisecond, 20 * time.Millisecond
	try(t, func(wrong *complaints) {
		var mu sync.Mutex
		sum, n := map[string]time.Duration{}, map[string]int64{}
		work := func(phase string, d time.Duration) {
			began := time.Now()
			time.Sleep(d) // simulates the server's work
			mu.Lock()
			defer mu.Unlock()
			sum[phase] += time.Since(began)
			n[phase]++
		}
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			work("first_byte", first)
			_, _ = io.WriteString(w, "one")
			_ = http.NewResponseController(w).Flush()
			work("receive", body)
			_, _ = io.WriteString(w, "two")
		}))
		s.Config.ErrorLog = log.New(io.Discard, "", 0) // brunt looks whether the port is open
		s.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			work("tls", handshake)
			return nil, nil
		}}
		s.StartTLS()
		defer s.Close()
		res := runOnce(t, fmt.Sprintf(`
version: 1
name: phases of requests
target: {url: "%s", tls: {insecure_skip_verify: true}}
load:
  main: {executor: constant-arrival-rate, rate: 20/s, duration: 3s, connections: {keep_alive: false, http: "1.1"}, flow: [{get: /, name: read}]}
slo: ["errors = 0%%"]
`, s.URL), run.Options{})
		wrong.passed(res)
		got := cellOf(res, "run", "*").Timings
		if got == nil {
			wrong.addf("no timings")
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for phase, of := range map[string]*result.Timing{
			"tls": got.TLS, "first_byte": got.FirstByte, "receive": got.Receive,
		} {
			if of == nil || of.Count != n[phase] {
				wrong.addf("%s: %+v, the server saw %d", phase, of, n[phase])
				continue
			}
			truth := sum[phase].Seconds() / float64(n[phase])
			if mean := float64(of.Total) / float64(of.Count); mean < truth-.003 || mean > truth+above {
				wrong.addf("%s: %.4f s in the mean, the server saw %.4f", phase, mean, truth)
			}
		}
		if got.Connect == nil || got.Connect.Count != n["tls"] || got.DNS != nil || got.Login != nil {
			wrong.addf("%d handshakes: connect %+v, dns %+v, login %+v", n["tls"], got.Connect, got.DNS, got.Login)
		}
		for i := range res.Slowest { // on a busy machine, brunt reads the first byte late, and has the less to receive
			q := &res.Slowest[i]
			if t := q.Timings; t == nil || t.TLS < .03 || t.FirstByte < .04 || t.FirstByte+t.Receive < .059 ||
				t.TLS+t.Connect+t.Send+t.FirstByte+t.Receive > q.Response {
				wrong.addf("the slowest: %+v of %v", t, q.Response)
			}
		}
	})
}
