package http_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http"
)

// authority is a CA for tests.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string // its certificate in PEM
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t}
	der := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour),
		IsCA:     true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	var err error
	if a.cert, err = x509.ParseCertificate(der.Certificate[0]); err != nil {
		t.Fatal(err)
	}
	a.key = der.PrivateKey.(*ecdsa.PrivateKey)
	a.file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der.Certificate[0]}),
		0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// sign creates a certificate, signed by the authority if that has one itself.
func (a *authority) sign(c *x509.Certificate) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func (a *authority) leaf(until time.Duration, names ...string) tls.Certificate {
	a.t.Helper()
	return a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(until),
		DNSNames:    names,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
}

func TestHTTP_TLS(t *testing.T) {
	ca := newAuthority(t)
	good, expired := ca.leaf(time.Hour, "api.test"), ca.leaf(-time.Hour, "api.test")
	garbage := filepath.Join(t.TempDir(), "garbage.pem")
	if err := os.WriteFile(garbage, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	resolve := map[string]string{"api.test": "127.0.0.1", "other.test": "127.0.0.1"}
	for _, c := range []struct {
		name string
		host string // zero means api.test
		cert tls.Certificate
		tls  *scenarios.TLS
		want string
		sni  string
		says string // part of the error
	}{
		{name: "own CA", cert: good, tls: &scenarios.TLS{CA: ca.file}, want: "ok 200", sni: "api.test"},
		{name: "by address", host: "127.0.0.1", cert: good, tls: &scenarios.TLS{CA: ca.file}, want: "ok 200"},
		{name: "unknown CA", cert: good, want: "tls", sni: "api.test", says: "unknown authority"},
		{name: "unchecked", cert: good, tls: &scenarios.TLS{InsecureSkipVerify: true}, want: "ok 200", sni: "api.test"},
		{
			name: "wrong name", host: "other.test", cert: good, tls: &scenarios.TLS{CA: ca.file}, want: "tls", sni: "other.test",
			says: "not other.test",
		},
		{
			name: "another name asked for", host: "other.test", cert: good,
			tls: &scenarios.TLS{CA: ca.file, ServerName: "api.test"}, want: "ok 200", sni: "api.test",
		},
		{name: "expired", cert: expired, tls: &scenarios.TLS{CA: ca.file}, want: "tls", sni: "api.test", says: "expired"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			sni := ""
			s := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
				if r.ProtoMajor != 2 {
					t.Errorf("spoken %s", r.Proto)
				}
				_, _ = io.WriteString(w, r.Host)
			}))
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.TLS = &tls.Config{
				Certificates: []tls.Certificate{c.cert}, NextProtos: []string{"h2", "http/1.1"},
				GetConfigForClient: func(h *tls.ClientHelloInfo) (*tls.Config, error) {
					mu.Lock()
					defer mu.Unlock()
					sni = h.ServerName
					return nil, nil
				},
			}
			s.StartTLS()
			defer s.Close()
			if c.host == "" {
				c.host = "api.test"
			}
			k := &samples{}
			base := "https://" + c.host + ":" + portOf(s.URL)
			r := newFixture(t, targets.Options{Base: base, TLS: c.tls, Resolve: resolve, Sampler: k}, `get: /`,
				`{get: /, headers: {Host: virtual.test}, check: {body: virtual.test}}`)
			u := r.user(0)
			o := u.Do(0, long)
			r.want(o, c.want)
			if o.WasSent != (o.Kind == scenarios.OK) || !strings.Contains(k.last().Message, c.says) {
				t.Errorf("sent %v, message %q", o.WasSent, k.last().Message)
			}
			mu.Lock()
			if sni != c.sni {
				t.Errorf("asked for %q, want %q", sni, c.sni)
			}
			mu.Unlock()
			if c.want == "ok 200" {
				for range 3 {
					r.want(u.Do(1, long), "ok 200")
				}
				if r.Opened() != 1 {
					t.Errorf("%d connections", r.Opened())
				}
			}
		})
	}
	for _, file := range []string{garbage, garbage + ".none"} {
		if _, err := http.Descriptor().Client(targets.Options{TLS: &scenarios.TLS{CA: file}}); err == nil {
			t.Errorf("%s was taken for a CA", file)
		}
	}
}

func TestHTTP_TLSMixedUp(t *testing.T) {
	plain := script(t, each(func(string) string { return hello }))
	secure := httptest.NewUnstartedServer(nethttp.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	r := newFixture(t, targets.Options{}, "get: "+strings.Replace(plain, "http:", "https:", 1),
		"get: "+strings.Replace(secure.URL, "https:", "http:", 1))
	u := r.user(0)
	o := u.Do(0, 2*time.Second)
	if s := r.says(o); s != "tls" && s != "timeout" || o.WasSent { // it waits for a line that never ends
		t.Errorf("got %q, sent %v", s, o.WasSent)
	}
	r.want(u.Do(1, long), "status 400")
}

func TestHTTP_TimeoutInTheHandshake(t *testing.T) {
	url := script(t, func(p *peer) { p.request() })
	r := newFixture(t, targets.Options{Base: strings.Replace(url, "http:", "https:", 1)}, "get: /")
	u := r.user(0)
	o := u.Do(0, 40*time.Millisecond)
	r.want(o, "timeout")
	if o.End != u.It.Deadline || o.WasSent {
		t.Errorf("%+v", o)
	}
}

// Over TLS too, an idle connection that was closed causes no error.
func TestHTTP_TLSClosedWhileIdle(t *testing.T) {
	s := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		_,
			_ = io.WriteString(w, "hello")
	}))
	s.StartTLS()
	defer s.Close()
	r := newFixture(t, targets.Options{Base: s.URL, TLS: &scenarios.TLS{InsecureSkipVerify: true}}, "get: /")
	u := r.user(0)
	for i := range int64(5) {
		r.want(u.Do(0, long), "ok 200")
		if r.Opened() != i+1 {
			t.Errorf("%d connections", r.Opened())
		}
		s.CloseClientConnections()
	}
}

// A request that times out during its write leaves half a TLS record. The connection is then
// closed without an alert: the server would take the alert for the rest of the record, and
// report a bad record.
func TestHTTP_TLSTornRecord(t *testing.T) {
	thaw, read := make(chan bool), make(chan []byte, 1)
	cert := newAuthority(t).leaf(time.Hour)
	url := script(t, func(p *peer) {
		_ = tls.Server(p.Conn, &tls.Config{Certificates: []tls.Certificate{cert}}).Handshake()
		<-thaw
		all, _ := io.ReadAll(p.Conn)
		read <- all
	})
	o := targets.Options{Base: strings.Replace(url, "http:", "https:", 1), TLS: &scenarios.TLS{InsecureSkipVerify: true}}
	r := newFixture(t, o, `{post: /, body: {file: "`+written(t, "body", make([]byte, 32<<20))+`"}}`)
	began := time.Now()
	r.want(r.user(0).Do(0, 200*time.Millisecond), "timeout")
	if took := time.Since(began); took > 4*time.Second { // crypto/tls tries to send an alert for 5 s
		t.Errorf("it took %v", took)
	}
	close(thaw)
	all := <-read
	const alert = "\x17\x03\x03\x00\x13" // and 19 bytes
	if n := len(all); n < 1<<10 || n > 31<<20 || string(all[n-24:n-19]) == alert {
		t.Errorf("of %d bytes the last are %x", n, all[max(0, n-24):])
	}
}
