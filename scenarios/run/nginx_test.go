package run_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"brunt/scenarios/run"
	"brunt/scenarios/suite"
)

// An nginx is a real web server with a configuration of its own.
type nginx struct {
	addr string
	log  string // its access log: connection, request on it, status, encoding
}

func startNginx(t *testing.T) nginx { return startNginxWith(t, "", "") }

// startNginxWith starts one with options of its listen directive and directives of its server block.
func startNginxWith(t *testing.T, listen, server string) nginx {
	t.Helper()
	path, err := exec.LookPath("nginx")
	if err != nil {
		path = "/usr/sbin/nginx"
	}
	if _, err := os.Stat(path); err != nil {
		suite.Lack(t, "needs nginx: apt-get install nginx-light")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "html"), 0o755); err != nil {
		t.Fatal(err)
	}
	page := `{"items": [` + strings.Repeat(`{"id": 7, "text": "what is the same again and again"},`, 100) + `{"id": 8}]}`
	if err := os.WriteFile(filepath.Join(dir, "html", "index.json"), []byte(page), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := nginx{addr: l.Addr().String(), log: filepath.Join(dir, "access.log")}
	_ = l.Close()
	config := strings.NewReplacer("DIR", dir, "ADDR", n.addr, "LISTEN", listen, "SERVER", server).Replace(`
daemon off;
master_process off;
pid DIR/nginx.pid;
error_log stderr warn;
events { worker_connections 2048; }
http {
  log_format brunt '$connection $connection_requests $status $sent_http_content_encoding';
  access_log DIR/access.log brunt;
  client_body_temp_path DIR/body;
  proxy_temp_path DIR/proxy;
  fastcgi_temp_path DIR/fastcgi;
  uwsgi_temp_path DIR/uwsgi;
  scgi_temp_path DIR/scgi;
  default_type application/json;
  gzip on;
  gzip_types application/json;
  gzip_min_length 0;
  keepalive_requests 100000;
  server {
    listen ADDR backlog=1024 LISTEN;
    SERVER
    root DIR/html;
    index index.json;
  }
}
`)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "-p", dir, "-c", file)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("nginx: %s", said.String())
		}
	})
	suite.Until(t, "nginx listens", func() bool {
		c, err := net.Dial("tcp", n.addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return n
}

// requests parses the log: requests by connection, and how many were answered with an encoding.
func (n nginx) requests(t *testing.T) (total, connections, gzipped int) {
	t.Helper()
	b, err := os.ReadFile(n.log)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) != 4 || f[2] != strconv.Itoa(200) {
			t.Errorf("nginx logged %q", line)
			continue
		}
		total++
		seen[f[0]] = true
		if f[3] == "gzip" {
			gzipped++
		}
	}
	return total, len(seen), gzipped
}

// TestNginx loads a real server through a link that is slow for a while, over kept connections and
// with compressed bodies.
func TestNginx(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		keep bool
		gzip bool
	}{{"kept and compressed", true, true}, {"neither", false, false}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			encoding := map[bool]string{true: "gzip", false: "identity"}[c.gzip]
			try(t, func(wrong *complaints) {
				n := startNginx(t)
				res := runOnce(t, fmt.Sprintf(`
version: 1
name: nginx behind a slow link
target: {url: "http://%s", ready: {get: /}}
load:
  main:
    executor: constant-arrival-rate
    rate: 100/s
    duration: 4s
    timeout: 2s
    connections: {keep_alive: %v}
    flow: [{get: /, headers: {Accept-Encoding: %s}, check: {status: 200, "$.items[0].id": 7, "$.items[100].id": 8}}]
chaos:
  slow: {at: 1500ms, for: 1s, network.latency: {from: load, to: target, delay: 100ms}}
slo: [errors < 5%%, p95 < 2s, p50 < 1s in slow]
`, n.addr, c.keep, encoding), run.Options{})
				if wrong.passed(res); len(res.Faults) != 1 {
					t.Fatalf("%d faults", len(res.Faults))
				}
				if run, ok := cellOf(res, "run", "*"), cellOf(res, "run", "ok"); run.Count != 400 || ok.Count != 400 {
					wrong.addf("%d requests, %d of them ok: %+v", run.Count, ok.Count, res.Errors)
				}
				checkLinkFault(t, wrong, res, res.Faults[0], "load->target", res.Duration+1, slowed(.1))
				total, connections, gzipped := n.requests(t)
				own := total - 400 // the readiness check and brunt's probes
				t.Logf("%d requests over %d connections, %d compressed; brunt opened %d", total, connections, gzipped,
					res.Generator.Connections)
				if own < 1 || own > 30 {
					wrong.addf("nginx had %d requests, and the load made 400", total)
				}
				if opened := int(res.Generator.Connections); opened+own < connections || c.keep && opened > 100 ||
					!c.keep && opened != 400 {
					wrong.addf("nginx had %d connections, and brunt opened %d for 400 requests", connections, opened)
				}
				if c.gzip && gzipped < 400 || !c.gzip && gzipped > own {
					wrong.addf("%d of %d answers were compressed", gzipped, total)
				}
				if b := cellOf(res, "run", "*").Bytes / 400; c.gzip != (b < 1000) {
					wrong.addf("an answer has %d bytes", b)
				}
			})
		})
	}
}

// TestNginx2 loads a real server by HTTP/2 that ends each connection after a hundred requests, by
// GOAWAY. No request is lost, and none is sent twice.
func TestNginx2(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, scheme, listen, version, spoken string }{
		{"h2", "https", "ssl http2", "auto", "HTTP/2"},
		{"h2c", "http", "http2", "h2c", "h2c"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			pairs(t, dir, "server")
			n := startNginxWith(t, c.listen, strings.ReplaceAll("keepalive_requests 100; ssl_certificate PAIRS/server.pem; "+
				"ssl_certificate_key PAIRS/server.key;", "PAIRS", dir))
			res := runOnce(t, fmt.Sprintf(`
version: 1
name: nginx over HTTP/2
target: {url: "%s://%s", tls: {ca: %s/ca.pem}, ready: {get: /}}
load:
  main:
    executor: constant-arrival-rate
    rate: 500/s
    duration: 4s
    timeout: 10s
    connections: {http: %s}
    flow: [{get: /, headers: {Accept-Encoding: gzip}, check: {status: 200, "$.items[0].id": 7, "$.items[100].id": 8, header: {Content-Encoding: gzip}}}]
`, c.scheme, n.addr, dir, c.version), run.Options{})
			if run, ok := cellOf(res, "run", "*"), cellOf(res, "run", "ok"); run.Count != 2000 || ok.Count != 2000 {
				t.Errorf("%d requests, %d of them ok: %+v", run.Count, ok.Count, res.Errors)
			}
			total, connections, _ := n.requests(t)
			opened := res.Generator.Connections
			t.Logf("nginx had %d requests on %d connections; brunt opened %d, %q", total, connections, opened, res.Notes)
			if own := total - 2000; own < 1 || own > 10 { // the readiness check
				t.Errorf("nginx had %d requests, and the load made 2000", total)
			}
			if opened < 18 || opened > 40 || !slices.Equal(res.Generator.Spoken, []string{c.spoken}) {
				t.Errorf("%d connections of %q", opened, res.Generator.Spoken)
			}
		})
	}
}
