package dns_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/dns"
	"brunt/targets/targetstest"
)

// TestReal: nsd agrees with each kind of question, over UDP and over TCP. An answer that UDP has no room for comes over
// TCP.
func TestReal(t *testing.T) {
	path := suite.Program(t, "nsd", "nsd", "/usr/sbin/nsd")
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	dir := t.TempDir()
	var zone strings.Builder
	zone.WriteString("$ORIGIN bench.test.\n@ 60 SOA ns hostmaster 1 60 60 60 60\n@ 60 NS ns\nns 60 A 127.0.0.1\n" +
		"www 60 A 127.0.0.7\n")
	for i := range 20 {
		fmt.Fprintf(&zone, "long 60 TXT \"%d %s\"\n", i, strings.Repeat("x", 200))
	}
	config := fmt.Sprintf("server:\n  ip-address: 127.0.0.1@%s\n  username: \"\"\n  database: \"\"\n  zonelistfile: %q\n"+
		"  xfrdfile: %q\n  pidfile: %q\n  rrl-ratelimit: 0\n  server-count: 1\nremote-control:\n  control-enable: no\n"+
		"zone:\n  name: bench.test\n  zonefile: %q\n", port, filepath.Join(dir, "zones"), filepath.Join(dir, "xfrd"),
		filepath.Join(dir, "pid"), filepath.Join(dir, "zone"))
	for name, text := range map[string]string{"zone": zone.String(), "nsd.conf": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := exec.Command(path, "-d", "-c", filepath.Join(dir, "nsd.conf"))
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt)
		_ = server.Wait()
	})
	suite.Until(t, "nsd to listen", func() bool {
		c, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	steps := []struct {
		step string
		ok   bool
	}{
		{"{dns: www.bench.test A, check: {answers: 1}}", true},
		{"{dns: www.bench.test AAAA, check: {rcode: NOERROR, answers: 0}}", true},
		{"{dns: nobody.bench.test A, check: {rcode: NXDOMAIN}}", true},
		{"{dns: nobody.bench.test A}", false},
		{"{dns: elsewhere.test A}", false}, // REFUSED
		{"{dns: long.bench.test TXT, check: {answers: 20}}", true},
	}
	var texts []string
	for _, s := range steps {
		texts = append(texts, s.step)
	}
	for _, scheme := range []string{"dns", "dns+tcp"} {
		flow := targetstest.Compile(t, dns.Descriptor(), "", texts...)
		o := targets.Options{Base: scheme + "://" + l.Addr().String(), Timeout: long, T0: time.Now()}
		c, err := dns.Descriptor().Client(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		u := flow.Open(t, c, o.T0, 0)
		for i, s := range steps {
			if out := u.Do(i, long); (out.Kind == scenarios.OK) != s.ok || !out.Answered {
				t.Errorf("%s over %s: %v, %s", s.step, scheme, out.Kind, flow.Causes().Name(out.Cause))
			}
		}
	}
}
