package stream_test

import (
	"net"
	"os/exec"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/suite"
)

// TestTCP_Memcached: a real memcached is asked by frames whose values hold the end of a frame, and says what is not
// there.
func TestTCP_Memcached(t *testing.T) {
	suite.Program(t, "memcached", "memcached")
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command("memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", port, "-U", "0")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	within(t, "memcached listens", func() bool {
		c, err := net.Dial("tcp4", addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	const how = `tcp: {until: "\r\n", body: "~ ^(?:VALUE|set) .* ([0-9]+)$"}`
	f := newFixture(t, "tcp://"+addr,
		`{`+how+`, send: "set order 0 0 8\r\na\r\nb\r\nc\n", expect: exists, check: {text: STORED}}`,
		`{`+how+`, as: cache, name: cache}`,
		`{send: get order, to: cache, expect: ~ ^VALUE, check: {text: "VALUE order 0 8\r\na\r\nb\r\nc\n"}}`,
		`{await: END, from: cache}`,
		`{send: get other, to: cache, expect: ~ ^VALUE, absent: END, name: missing}`,
		`{send: nonsense, to: cache, expect: exists, check: {text: ~ ^OK}, name: wrong}`,
	)
	u := f.user(t, 0)
	for i := range 5 {
		good(t, u, i)
	}
	if out := u.Do(5, long); out.Kind != scenarios.Error || out.Cause != scenarios.Check(2) {
		t.Errorf("%v %q: %+v", out.Kind, out.Cause, out)
	}
	ended(u)
}
