package http_test

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http"
)

// forLoad creates a client certificate for a load, and writes the pair to files.
func (a *authority) forLoad(name string) (cert, key string) {
	a.t.Helper()
	c := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(3), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{name},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	der, err := x509.MarshalECPrivateKey(c.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		a.t.Fatal(err)
	}
	dir := a.t.TempDir()
	cert, key = filepath.Join(dir, "load.pem"), filepath.Join(dir, "load.key")
	for file, b := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: c.Certificate[0]}, key: {Type: "EC PRIVATE KEY", Bytes: der},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(b), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	return cert, key
}

// secure starts a TLS server whose answers name the TLS version and the client.
func (a *authority) secure(c *tls.Config) *httptest.Server {
	a.t.Helper()
	s := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		_, _ = io.WriteString(w, tls.VersionName(r.TLS.Version))
		for _, c := range r.TLS.PeerCertificates {
			_, _ = io.WriteString(w, " "+c.DNSNames[0])
		}
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	c.Certificates = []tls.Certificate{a.leaf(time.Hour, "api.test")}
	s.TLS = c
	s.StartTLS()
	a.t.Cleanup(s.Close)
	return s
}

// TestHTTP_TLSVersions checks that a connection uses the highest version that both sides
// allow, and no other.
func TestHTTP_TLSVersions(t *testing.T) {
	const v12, v13 = tls.VersionTLS12, tls.VersionTLS13
	ca := newAuthority(t)
	for _, c := range []struct {
		name     string
		min, max scenarios.TLSVersion
		server   [2]uint16
		want     string // empty: refused
	}{
		{"the highest", 0, 0, [2]uint16{v12, v13}, "TLS 1.3"},
		{"an old server", 0, 0, [2]uint16{v12, v12}, "TLS 1.2"},
		{"an older one", 0, 0, [2]uint16{tls.VersionTLS10, tls.VersionTLS11}, ""},
		{"1.2 at most", 0, v12, [2]uint16{v12, v13}, "TLS 1.2"},
		{"1.2 at most, of a server that wants 1.3", 0, v12, [2]uint16{v13, v13}, ""},
		{"1.3 only", v13, 0, [2]uint16{v12, v13}, "TLS 1.3"},
		{"1.3 only, of an old server", v13, 0, [2]uint16{v12, v12}, ""},
		{"1.2 only", v12, v12, [2]uint16{v12, v13}, "TLS 1.2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := ca.secure(&tls.Config{MinVersion: c.server[0], MaxVersion: c.server[1]})
			k := &samples{}
			r := newFixture(t, targets.Options{
				Base: s.URL, Sampler: k, TLS: &scenarios.TLS{CA: ca.file, MinVersion: c.min, MaxVersion: c.max},
			},
				`{get: /, extract: {v: "~ (.*)"}}`)
			u := r.user(0)
			o := u.Do(0, long)
			if c.want == "" {
				r.want(o, "tls")
				if o.WasSent || !strings.Contains(k.last().Message, "version") {
					t.Errorf("sent %v: %q", o.WasSent, k.last().Message)
				}
				return
			}
			if r.want(o, "ok 200"); u.Var("v") != c.want {
				t.Errorf("spoken %q, want %q", u.Var("v"), c.want)
			}
		})
	}
}

// TestHTTP_ClientCertificate sends the load's certificate to a server that requests one, and
// reports a TLS error if the server rejects it or requires another.
func TestHTTP_ClientCertificate(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	known, strange := x509.NewCertPool(), [2]string{}
	known.AddCert(ca.cert)
	var pair [2]string
	pair[0], pair[1] = ca.forLoad("load.test")
	strange[0], strange[1] = other.forLoad("strange.test")
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, c := range []struct {
			name string
			pair [2]string
			auth tls.ClientAuthType
			want string // the body, or part of the error
			hint bool
		}{
			{"asked and shown", pair, tls.RequireAndVerifyClientCert, "load.test", false},
			{"shown where any will do", strange, tls.RequireAnyClientCert, "strange.test", false},
			{"not asked", pair, tls.NoClientCert, "", false},
			{"of another issuer", strange, tls.RequireAndVerifyClientCert, "tls: unknown certificate authority", false},
			{"none", [2]string{}, tls.RequireAndVerifyClientCert, "tls: ", version == tls.VersionTLS13},
		} {
			t.Run(tls.VersionName(version)+"/"+c.name, func(t *testing.T) {
				s := ca.secure(&tls.Config{MinVersion: version, MaxVersion: version, ClientAuth: c.auth, ClientCAs: known})
				k := &samples{}
				r := newFixture(t, targets.Options{
					Base: s.URL, Sampler: k, TLS: &scenarios.TLS{CA: ca.file, Cert: c.pair[0], Key: c.pair[1]},
				},
					`{get: /, extract: {v: "~ TLS 1.[23] ?(.*)"}}`)
				u := r.user(0)
				o := u.Do(0, long)
				if o.Kind == scenarios.OK {
					if u.Var("v") != c.want {
						t.Errorf("the server saw %q, want %q", u.Var("v"), c.want)
					}
					return
				}
				r.want(o, "tls")
				said := k.last().Message
				if hint := strings.Contains(said, "target: {tls: {cert: FILE, key: FILE}}"); !strings.Contains(said, "tls: ") ||
					c.want == "" ||
					!strings.Contains(said, c.want) || hint != c.hint {
					t.Errorf("%q, want %q", said, c.want)
				}
			})
		}
	}
	if _, err := http.Descriptor().Client(targets.Options{
		TLS: &scenarios.TLS{Cert: pair[0], Key: strange[1]},
	}); err == nil ||
		!strings.Contains(err.Error(), "the load's certificate") {
		t.Errorf("a key of another certificate: %v", err)
	}
}
