package sockets_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"brunt/scenarios/truth"
)

// A textStore keeps writes for servers of text protocols. It loses every tenth if lossy, and has every seventh twice.
type textStore struct {
	lossy bool

	mu     sync.Mutex
	n      int
	copies map[string]int
	lost   int
	twice  int
}

func (s *textStore) put(id string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	if id == "" {
		id = strconv.Itoa(s.n)
	}
	switch {
	case s.lossy && s.n%10 == 0:
		s.lost++
	case s.n%7 == 0:
		s.copies[id] = 2
		s.twice++
	default:
		s.copies[id] = 1
	}
	return s.n
}

func (s *textStore) get(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.copies[id]
}

// cache speaks the text protocol of memcached: the head of a message says how long its body is.
func cache(r *bufio.Reader, w io.Writer, s *textStore) error {
	line, err := r.ReadString('\n')
	words := strings.Fields(line)
	switch {
	case err != nil:
		return err
	case len(words) == 5 && words[0] == "set":
		n, err := strconv.Atoi(words[4])
		body := make([]byte, n+2)
		if _, err2 := io.ReadFull(r, body); err != nil || err2 != nil || !strings.HasSuffix(string(body), "\r\n") {
			_, err = fmt.Fprint(w, "ERROR bad data chunk\r\n")
			return err
		}
		s.put(words[1])
		_, err = fmt.Fprint(w, "STORED\r\n")
		return err
	case len(words) == 2 && words[0] == "get":
		if s.get(words[1]) > 0 {
			fmt.Fprintf(w, "VALUE %s 0 6\r\na\r\nb\r\n\r\n", words[1])
		}
		_, err = fmt.Fprint(w, "END\r\n")
		return err
	}
	_, err = fmt.Fprint(w, "ERROR\r\n")
	return err
}

// records speaks in messages of 40 bytes: a word of four, and an id of 36.
func records(r *bufio.Reader, w io.Writer, s *textStore) error {
	m := make([]byte, 40)
	if _, err := io.ReadFull(r, m); err != nil {
		return err
	}
	answer := "OK"
	switch id := string(m[4:]); {
	case string(m[:4]) == "PUT ":
		s.put(id)
	case string(m[:4]) != "GET ":
		answer = "ERROR"
	case s.get(id) == 0:
		answer = "NONE"
	}
	_, err := fmt.Fprintf(w, "%-40s", answer)
	return err
}

// lines speaks in lines, and wants a password before it tells anything. It names the writes that have no name.
func lines() func(r *bufio.Reader, w io.Writer, s *textStore) error {
	known := false
	return func(r *bufio.Reader, w io.Writer, s *textStore) error {
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		word, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case word == "AUTH":
			known = id == "sesame"
			_, err = fmt.Fprintln(w, "HELLO")
		case word == "PUT":
			_, err = fmt.Fprintf(w, "ID %d\n", s.put(id))
		case word == "GET" && !known:
			_, err = fmt.Fprintln(w, "DENIED")
		case word == "GET" && s.get(id) == 0:
			_, err = fmt.Fprintln(w, "NONE")
		case word == "GET":
			_, err = fmt.Fprintln(w, "FOUND", id)
		case word == "COUNT":
			_, err = fmt.Fprintln(w, "COUNT", s.get(id))
		default:
			_, err = fmt.Fprintln(w, "ERROR")
		}
		return err
	}
}

type textLedger struct {
	name   string
	server func() func(r *bufio.Reader, w io.Writer, s *textStore) error
	write  string // settings of the step
	ledger string // beside write
	counts bool   // it tells one write from two
	note   string // the ledger is of no use; empty if it is
}

var textLedgers = []textLedger{
	{
		name: "a body with its end inside", server: func() func(*bufio.Reader, io.Writer, *textStore) error { return cache },
		write: `tcp: {until: "\r\n", body: "~ ^set .* ([0-9]+)$"}, send: "set ${ledger.id} 0 0 6\r\na\r\nb\r\n", check: {text: STORED}`,
		ledger: `id: "${ledger.id}", read: [{tcp: {until: "\r\n", body: "~ ^VALUE .* ([0-9]+)$"}, as: cache},` +
			` {send: "get ${id}", to: cache, absent: END, check: {text: "~ (?s)^VALUE .*a\r\nb\r\n$"}}]`,
	},
	{
		name: "messages of one length", server: func() func(*bufio.Reader, io.Writer, *textStore) error { return records },
		write:  `tcp: {bytes: 40}, send: "PUT ${ledger.id}", check: {text: "~ ^OK"}`,
		ledger: `id: "${ledger.id}", read: {tcp: {bytes: 40}, send: "GET ${id}", absent: "~ ^NONE", check: {text: "~ ^OK"}}`,
	},
	{
		name: "a count in a line", server: lines, counts: true, write: `tcp: lines, send: "PUT ${ledger.id}", check: {text: "~ ^ID"}`,
		ledger: `id: "${ledger.id}", read: {tcp: lines, send: "COUNT ${id}"}, count: "~ ^COUNT ([0-9]+)$"`,
	},
	{
		name: "numbers that the server gives, after a password", server: lines,
		write: `tcp: lines, send: PUT, check: {text: "~ ^ID"}, extract: {id: "~ ^ID (.*)"}`,
		ledger: `id: "${var.id}", read: [{tcp: lines, as: c}, {send: AUTH sesame, check: {text: HELLO}},` +
			` {send: "GET ${id}", absent: NONE, check: {text: "~ ^FOUND"}}]`,
	},
	{
		name: "without the password", server: lines, write: `tcp: lines, send: "PUT ${ledger.id}", check: {text: "~ ^ID"}`,
		ledger: `id: "${ledger.id}", read: [{tcp: lines, as: c}, {send: AUTH guess, check: {text: WELCOME}},` +
			` {send: "GET ${id}", absent: NONE}]`, note: "no answer from store",
	},
	{
		name: "without absent", server: lines, write: `tcp: lines, send: "PUT ${ledger.id}", check: {text: "~ ^ID"}`,
		ledger: `id: "${ledger.id}", read: {tcp: lines, send: "GET ${id}", expect: exists}`,
		note:   "finds a write that never existed",
	},
	{
		name: "a count that is nowhere", server: lines, write: `tcp: lines, send: "PUT ${ledger.id}", check: {text: "~ ^ID"}`,
		ledger: `id: "${ledger.id}", read: {tcp: lines, send: "COUNT ${id}"}, count: "~ ^NUMBER ([0-9]+)$"`,
		note:   "led nowhere",
	},
}

// TestTextLedgers: a ledger over text protocols finds what the store lost and has twice, and nothing else, and says of
// no good store that it finds a write that never existed.
func TestTextLedgers(t *testing.T) {
	for _, c := range textLedgers {
		for _, lossy := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, lossy %t", c.name, lossy), func(t *testing.T) {
				if testing.Short() && !lossy {
					t.Skip("one of the long cases")
				}
				t.Parallel()
				c.try(t, &textStore{lossy: lossy, copies: map[string]int{}})
			})
		}
	}
}

func (c textLedger) try(t *testing.T, s *textStore) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	defer all.Wait()
	defer l.Close()
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				r, answer := bufio.NewReader(conn), c.server()
				for answer(r, conn, s) == nil {
				}
			})
		}
	})
	r := play(t, fmt.Sprintf(`version: 1
target: {endpoints: {store: "tcp://%s"}}
load: {main: {executor: shared-iterations, vus: 2, iterations: 60, timeout: 4s, flow: [{%s, name: write}]}}
ledger: {write: write, %s, settle: 200ms, within: 4s}
slo: [lost = 0]
`, l.Addr(), c.write, c.ledger), nil)
	wrong := &truth.Complaints{}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch got := r.Ledger; {
	case got == nil:
		wrong.Errorf("there is no ledger")
	case c.note != "":
		if !strings.Contains(got.Note, c.note) || r.Verdict == "pass" || got.Lost > 0 && got.Read {
			wrong.Errorf("%s, %d lost: %q, want the note %q", r.Verdict, got.Lost, got.Note, c.note)
		}
	case got.Acknowledged != 60 || s.n != 60 || got.Lost != s.lost ||
		got.Lost == 0 && got.Note != "" || (got.Lost > 0) != s.lossy:
		wrong.Errorf("%d acknowledged of %d, %d lost, the store lost %d; %s", got.Acknowledged, s.n, got.Lost, s.lost, got.Note)
	case c.counts && got.Duplicated != s.twice || !c.counts && got.Duplicated+got.Stale > 0:
		wrong.Errorf("%d twice and %d stale, the store has %d twice", got.Duplicated, got.Stale, s.twice)
	}
	wrong.Report(t, "", func() string { return "\nreason: " + r.Reason + "\n" + r.stdout })
}
