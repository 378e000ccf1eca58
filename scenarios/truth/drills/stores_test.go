//go:build linux

package drills

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestEtcdStore_Refused: a request does not fail because it is the turn of a member that is dead.
func TestEtcdStore_Refused(t *testing.T) {
	dead := httptest.NewServer(nil)
	dead.Close()
	alive := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }))
	defer alive.Close()
	s := newEtcdStore([]string{dead.Listener.Addr().String(), alive.Listener.Addr().String()})
	if err := s.put(t.Context(), "1"); err != nil {
		t.Error(err)
	}
}

// TestRedisStore_TwoPrimaries: writes are read from the primary that most sentinels name, and not from the one before,
// which answers still.
func TestRedisStore_TwoPrimaries(t *testing.T) {
	before := serveRedis(t, map[string]string{
		"ROLE": "*1\r\n$6\r\nmaster\r\n", "GET": "$1\r\n1\r\n", "KEYS": "*1\r\n$1\r\na\r\n",
	})
	now := serveRedis(t, map[string]string{"ROLE": "*1\r\n$6\r\nmaster\r\n", "GET": "$-1\r\n", "KEYS": "*0\r\n"})
	name := func(addr string) string {
		host, port, _ := net.SplitHostPort(addr)
		return serveRedis(t, map[string]string{
			"SENTINEL": fmt.Sprintf("*2\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(host), host, len(port), port),
		})
	}
	sentinels := []string{name(before), name(now), name(now)}
	s := newRedisStore(sentinels)
	s.pool.addr = before // found before the failover
	if n, err := s.count(t.Context(), "a"); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if ids, err := redisIDs(t.Context(), sentinels); len(ids) != 0 || err != nil {
		t.Errorf("%v, %v", ids, err)
	}
	if _, err := redisIDs(t.Context(), []string{name(before), name(now), name("127.0.0.1:1")}); err == nil {
		t.Error("sentinels that disagree name a primary")
	}
}

// serveRedis answers commands by their first word.
func serveRedis(t *testing.T, answers map[string]string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for lines := bufio.NewScanner(c); lines.Scan(); {
					if a := answers[strings.TrimSpace(lines.Text())]; a != "" {
						fmt.Fprint(c, a)
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}
