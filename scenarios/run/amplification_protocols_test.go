package run_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/slo"

	"github.com/jackc/pgx/v5/pgproto3"
)

// spoken names the protocols between [caller] and [called]. The last one is not read by brunt's proxies.
var spoken = []string{"http", "grpc", "redis", "sql", "lines"}

// A callLogger writes the times of requests and calls to a file.
type callLogger struct {
	mu   sync.Mutex
	file *os.File
}

func newCallLogger() (*callLogger, error) {
	f, err := os.Create(os.Getenv("LOG"))
	return &callLogger{file: f}, err
}

func (l *callLogger) note(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.file, "%s %d\n", what, time.Now().UnixNano())
}

// caller is a server that makes as many calls to store for each request as its path says, such as 5 for /5, over
// connections that it keeps open. It probes store every 100 ms. It writes the time of each request to LOG.
func caller() error {
	log, err := newCallLogger()
	if err != nil {
		return err
	}
	call, err := callsBy(os.Getenv("SPEAKS"), os.Getenv("LINK_STORE"))
	if err != nil {
		return err
	}
	var mu sync.Mutex
	one := func(what string) error {
		mu.Lock()
		defer mu.Unlock()
		return call(what)
	}
	go func() {
		for one("probe") == nil {
			time.Sleep(100 * time.Millisecond) // simulates the interval of probes
		}
	}()
	http.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		log.note("request")
		n, err := strconv.Atoi(r.URL.Path[1:])
		for ; n > 0 && err == nil; n-- {
			err = one("call")
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	})
	return http.ListenAndServe(os.Getenv("BRUNT_ADDR"), nil)
}

// callsBy returns a function that makes a call, or a probe.
func callsBy(protocol, to string) (func(what string) error, error) {
	if protocol == "http" || protocol == "grpc" {
		two := new(http.Protocols)
		two.SetUnencryptedHTTP2(protocol == "grpc")
		two.SetHTTP1(protocol == "http")
		client := &http.Client{Transport: &http.Transport{Protocols: two}}
		return func(what string) error {
			resp, err := client.Post("http://"+to+"/s.S/"+what, "application/grpc", bytes.NewReader(make([]byte, 5)))
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
			}
			return err
		}, nil
	}
	c, err := net.Dial("tcp", to)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewReader(c)
	if protocol != "sql" {
		format := map[string]string{"redis": "*1\r\n$5\r\n%-5s\r\n", "lines": "%-5s\n"}[protocol]
		return func(what string) error {
			fmt.Fprintf(c, format, what)
			_, err := lines.ReadString('\n')
			return err
		}, nil
	}
	front := pgproto3.NewFrontend(lines, c)
	idle := func() error {
		if err := front.Flush(); err != nil {
			return err
		}
		for {
			m, err := front.Receive()
			if _, ready := m.(*pgproto3.ReadyForQuery); ready || err != nil {
				return err
			}
		}
	}
	front.Send(&pgproto3.StartupMessage{
		ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "ann"},
	})
	return func(what string) error {
		front.Send(&pgproto3.Query{String: "select " + what})
		return idle()
	}, idle()
}

// called answers the calls of [caller], and writes the time of each to LOG. Probes are not in the log.
func called() error {
	log, err := newCallLogger()
	if err != nil {
		return err
	}
	note := func(what string) {
		if strings.HasSuffix(strings.TrimSpace(what), "call") {
			log.note("call")
		}
	}
	protocol := os.Getenv("SPEAKS")
	if protocol == "http" || protocol == "grpc" {
		s := &http.Server{Addr: os.Getenv("BRUNT_ADDR"), Protocols: new(http.Protocols)}
		s.Protocols.SetHTTP1(true)
		s.Protocols.SetUnencryptedHTTP2(true)
		s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { note(r.URL.Path) })
		return s.ListenAndServe()
	}
	l, err := net.Listen("tcp", os.Getenv("BRUNT_ADDR"))
	if err != nil {
		return err
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			if protocol == "sql" {
				serveSQL(c, note)
				return
			}
			for lines := bufio.NewScanner(c); lines.Scan(); {
				if text := strings.TrimSpace(lines.Text()); text == "call" || text == "probe" {
					note(text)
					fmt.Fprint(c, "+OK\r\n")
				}
			}
		}()
	}
}

func serveSQL(c net.Conn, note func(string)) {
	back := pgproto3.NewBackend(c, c)
	if _, err := back.ReceiveStartupMessage(); err != nil {
		return
	}
	back.Send(&pgproto3.AuthenticationOk{})
	for {
		back.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
		if err := back.Flush(); err != nil {
			return
		}
		m, err := back.Receive()
		if err != nil {
			return
		}
		if q, ok := m.(*pgproto3.Query); ok {
			note(q.String)
			back.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 0")})
		}
	}
}

// TestAmplification_Protocols holds the calls per request, in a protocol each, against the log of the server that is
// called: one call before the fault and three in it, as the load asks for. Probes are taken off. Where brunt does not
// read the protocol, the link has bytes, and the objective is not decided. An objective on one link makes brunt count
// the calls on all.
func TestAmplification_Protocols(t *testing.T) {
	if testing.Short() {
		t.Skip("runs of 12 s")
	}
	t.Parallel()
	for _, protocol := range spoken {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			asked, calls := filepath.Join(dir, "asked.log"), filepath.Join(dir, "calls.log")
			res := runOnce(t, fmt.Sprintf(`version: 1
name: protocols
seed: 7
target:
  processes:
    web:
      command: [%[1]q, role, caller]
      env: {SPEAKS: %[2]s, LOG: %[3]q}
      links: [store, other]
      ready: {get: /healthz}
    store: {command: [%[1]q, role, called], env: {SPEAKS: %[2]s, LOG: %[4]q}}
    other: {command: [%[1]q, role, echo], ready: {get: /}}
  entry: web
load:
  one: {executor: constant-arrival-rate, rate: 25/s, duration: 9s, flow: [{get: /1, name: one}]}
  five: {executor: constant-arrival-rate, rate: 25/s, start: 3s, duration: 3s, flow: [{get: /5, name: five}]}
chaos: {more: {at: 3s, for: 3s, network.latency: {from: load, to: web, delay: 1ms}}}
judge: {hold: 1s}
slo:
  - amplification(web -> store) < 2 in baseline
  - amplification(web -> store) < 2 in more
  - amplification(web -> store) < 2 in recovery/more
`, os.Args[0], protocol, asked, calls), run.Options{State: t.TempDir(), Proxies: self("proxies")})
			requests, log := readCallLog(t, asked).requests, readCallLog(t, calls).calls
			perCall, unit := 1., result.UnitCalls
			if protocol == "lines" {
				perCall, unit = float64(len("call \n")+len("+OK\r\n")), result.UnitBytes
			}
			on := slices.IndexFunc(res.Amplification, func(a result.Amplification) bool { return a.To == "store" })
			other := slices.IndexFunc(res.Links, func(l result.Link) bool { return l.To == "other[0]" })
			if on < 0 || other < 0 || res.Amplification[on].Unit != unit {
				t.Fatalf("%+v; %+v", res.Amplification, res.Objectives)
			}
			for i, phase := range []slo.Phase{{Kind: slo.BaselinePhase}, res.Faults[0].Phase()} {
				a, o := res.Amplification[on].In(phase), &res.Objectives[i]
				span := phaseOf(t, res, phase)
				from, to := res.T0.Add(span.Start.D()), res.T0.Add(span.End.D())
				sent := within(requests, from, to)
				truth := within(log, from, to) / sent
				// requests and calls near an end of the phase may count on either side of it
				near := func(t time.Time) float64 {
					return within(log, t.Add(-countedWithin), t.Add(countedWithin))
				}
				slack := (near(from) + near(to)) / sent
				if low, high := float64(a.Low)/perCall-slack, float64(a.High)/perCall+slack; truth < low || truth > high {
					t.Errorf("%s: %v in %v to %v %s; by the log of the server %v calls of %v",
						phase, a.Value, a.Low, a.High, unit, truth, perCall)
				}
				if want := []float64{1, 3}[i]; math.Abs(truth-want) > .4 {
					t.Errorf("%s: %v calls by the log, and the load asks for %v", phase, truth, want)
				}
				want := []scenarios.Verdict{scenarios.Pass, scenarios.Fail}[i]
				if protocol == "lines" {
					want = scenarios.Inconclusive
				}
				if o.Verdict != want || (protocol == "lines") != strings.Contains(o.Note, "a protocol that brunt does not read") {
					t.Errorf("%s: %s: %s", o.Text, o.Verdict, o.Note)
				}
				t.Logf("%s: %.3f in %.3f to %.3f %s, by the log %.3f calls",
					phase, a.Value, a.Low, a.High, unit, truth)
			}
			if o := &res.Objectives[2]; protocol != "lines" && o.Verdict != scenarios.Pass {
				t.Errorf("%s: %s: %s", o.Text, o.Verdict, o.Note)
			}
			if l := &res.Links[other]; !l.Calls || !l.Silent() {
				t.Errorf("the calls of a link that no objective names were not counted: %+v", l)
			}
		})
	}
}
