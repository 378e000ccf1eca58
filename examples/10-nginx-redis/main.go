// Command 10-nginx-redis is a small web service with its data in Redis: a counter of visits, and a page that shows
// it. It implements the protocol of Redis itself, over one connection at a time, so that the effect of a fault on
// Redis is easy to see.
//
//	GET /          the page; while Redis is away it shows the last known count
//	GET /healthz   200 once it listens
package main

import (
	"bufio"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

func main() {
	s := &site{redis: &redis{addr: os.Getenv("LINK_REDIS")}, cache: os.Getenv("CACHE") != "off"}
	http.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/", s.page)
	log.Fatal(http.ListenAndServe(os.Getenv("BRUNT_ADDR"), nil))
}

type site struct {
	redis *redis
	cache bool // show the last count while Redis is away

	mu   sync.Mutex
	last string
}

func (s *site) page(w http.ResponseWriter, _ *http.Request) {
	count, err := s.redis.do("INCR", "visits")
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.last = count
	case s.cache && s.last != "":
		count = s.last
	default:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintf(w, "{\"visits\": %s, \"by\": %q}\n", count, os.Getenv("BRUNT_UNIT"))
}

// within bounds the time for Redis, including the connect.
const within = 100 * time.Millisecond

// redis is one connection to Redis, reopened after a failure.
type redis struct {
	addr string
	mu   sync.Mutex
	conn net.Conn
	in   *bufio.Reader
	away time.Time // time of the last failure; no request for a moment after it
}

var errAway = errors.New("redis does not answer")

// do sends a command and returns its answer, a number.
func (r *redis) do(words ...string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.away) < within {
		return "", errAway
	}
	answer, err := r.ask(words)
	if err != nil {
		if r.conn != nil {
			_ = r.conn.Close()
		}
		r.conn, r.away = nil, time.Now()
	}
	return answer, err
}

func (r *redis) ask(words []string) (string, error) {
	if r.conn == nil {
		c, err := net.DialTimeout("tcp", r.addr, within)
		if err != nil {
			return "", err
		}
		r.conn, r.in = c, bufio.NewReader(c)
	}
	if err := r.conn.SetDeadline(time.Now().Add(within)); err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	if _, err := r.conn.Write([]byte(b.String())); err != nil {
		return "", err
	}
	line, err := r.in.ReadString('\n')
	if err != nil {
		return "", err
	}
	answer, ok := strings.CutPrefix(strings.TrimSpace(line), ":")
	if !ok {
		return "", fmt.Errorf("redis says %q", line)
	}
	return answer, nil
}
