package redis_test

import (
	"bufio"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/targets"
)

// TestLogin_Full: that a server has no room for another connection is told as its error, whether it says so before it
// is asked or afterwards, and later connections still ask for RESP3.
func TestLogin_Full(t *testing.T) {
	for _, early := range []bool{false, true} {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var full atomic.Bool
		full.Store(true)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				in := bufio.NewReader(c)
				if !full.Load() {
					go func() {
						for {
							words, err := readCommand(in)
							if err != nil {
								return
							}
							_, _ = io.WriteString(c, map[bool]string{true: "%0\r\n", false: "+" + words[0] + "\r\n"}[words[0] == "HELLO"])
						}
					}()
					continue
				}
				if !early {
					_, _ = readCommand(in)
				}
				_, _ = io.WriteString(c, "-ERR max number of clients reached\r\n")
				_ = c.Close()
			}
		}()
		t.Cleanup(func() { _ = l.Close() })
		f := newFixture(t, targets.Options{Base: "redis://" + l.Addr().String()}, "redis: [PING]")
		u := f.User(t, 0)
		for range 5 {
			if got := f.Got(u.Do(0, long)); got != "error, error ERR" {
				t.Errorf("early %v: %s", early, got)
			}
		}
		full.Store(false)
		if got := f.Got(u.Do(0, long)); got != "ok" || fmt.Sprint(f.Spoken().Versions) != "[RESP3]" {
			t.Errorf("early %v: %s, spoken %v", early, got, f.Spoken().Versions)
		}
	}
}

// TestCluster_Asking: of a pipeline that a node sends elsewhere by ASK, each command has ASKING before it.
func TestCluster_Asking(t *testing.T) {
	nodes := startShards(t)
	var asked bool
	say := nodes[1].say
	nodes[1].say = func(words []string) string {
		if words[0] == "INCR" && !asked {
			return "-MOVED 3300 " + nodes[0].Addr().String() + "\r\n"
		}
		asked = words[0] == "ASKING"
		return say(words)
	}
	ask := "-ASK 3300 " + nodes[1].Addr().String() + "\r\n"
	nodes[0].move.Store(&ask)
	f := newFixture(t, targets.Options{Base: "redis+cluster://" + nodes[0].Addr().String()},
		"redis: {pipeline: [[INCR, b], [INCR, '{b}2'], [INCR, b]]}", "redis: {multi: [[INCR, b]]}")
	u := f.User(t, 0)
	if out := u.Do(0, long); f.Got(out) != "ok" || out.Attempts != 2 {
		t.Errorf("%s, %d attempts", f.Got(out), out.Attempts)
	}
}

// TestCluster_Deadline: a call waits for the slots until its own deadline, and not until that of the call that asks for
// them.
func TestCluster_Deadline(t *testing.T) {
	hold := make(chan struct{})
	s := start(t, options{say: func([]string) string { <-hold; return "-ERR no\r\n" }})
	f := newFixture(t, targets.Options{Base: "redis+cluster://" + s.Addr().String()}, "redis: [GET, a]")
	first := make(chan string)
	go func() { first <- f.Got(f.User(t, 0).Do(0, long)) }()
	suite.Until(t, "the first call", func() bool { return s.Requests() > 0 })
	began := time.Now()
	if got := f.Got(f.User(t, 1).Do(0, 200*time.Millisecond)); got != "error, timeout" ||
		time.Since(began) > 10*time.Second {
		t.Errorf("%s after %s", got, time.Since(began))
	}
	close(hold)
	if got := <-first; got != "error, error ERR" {
		t.Error(got)
	}
}

// TestCluster_TLS: the certificate of a node is one for the address that the cluster announces, and not for another
// node's.
func TestCluster_TLS(t *testing.T) {
	suite.Needs(t, suite.Localhost)
	var s *server
	host := "127.0.0.1"
	s = start(t, options{secure: true, say: func(words []string) string {
		_, port, _ := strings.Cut(s.Addr().String(), ":")
		if words[0] == "CLUSTER" {
			return slots(host+":"+port, host+":"+port)
		}
		return "+a\r\n"
	}})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.certificate}),
		0o600); err != nil {
		t.Fatal(err)
	}
	// which the certificate is not for
	for announced, want := range map[string]string{"127.0.0.1": "ok", "localhost": "error, tls"} {
		host = announced
		f := newFixture(t, targets.Options{Base: "rediss+cluster://" + s.Addr().String(), TLS: &scenarios.TLS{CA: ca}},
			"redis: [GET, a]")
		if got := f.Got(f.User(t, 0).Do(0, long)); got != want {
			t.Errorf("%s: %s, want %s", announced, got, want)
		}
	}
}
