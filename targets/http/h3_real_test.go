package http_test

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
)

// TestHTTP3_Caddy: a real server of HTTP/3 answers, and its own log says by which version it was asked.
func TestHTTP3_Caddy(t *testing.T) {
	suite.Program(t, "caddy", "caddy")
	dir := t.TempDir()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	_, port, _ := net.SplitHostPort(addr)
	log := filepath.Join(dir, "access.log")
	config := filepath.Join(dir, "Caddyfile")
	text := fmt.Sprintf("{\n admin off\n auto_https disable_redirects\n skip_install_trust\n default_sni localhost\n"+
		"}\nhttps://localhost:%s {\n tls internal\n log {\n  output file %s\n }\n respond /hello \"hello {http.request.proto}\"\n}\n", port, log)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("caddy", "run", "--config", config, "--adapter", "caddyfile")
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	u := open3(t, "localhost:"+port, nil, `{get: /hello, check: {status: 200, body: hello HTTP/3.0}}`)
	var out scenarios.Outcome
	if !suite.Within(long3, func() bool {
		out = u.Do(0, time.Second)
		return out.Kind == scenarios.OK
	}) {
		t.Fatalf("%v %q: %+v", out.Kind, out.Cause, out)
	}
	for range 20 {
		if out := u.Do(0, long3); out.Kind != scenarios.OK {
			t.Errorf("%v %q", out.Kind, out.Cause)
		}
	}
	if !suite.Within(long3, func() bool {
		b, _ := os.ReadFile(log)
		return strings.Count(string(b), `"proto":"HTTP/3.0"`) >= 21
	}) {
		b, _ := os.ReadFile(log)
		t.Errorf("%s", b)
	}
}
