package leaks

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const overTLS = `
version: 1
name: leaks over TLS
target: {url: "@URL@", tls: {ca: cert.pem, cert: cert.pem, key: "@KEY@"}}
load:
  main: {executor: constant-arrival-rate, rate: 20/s, duration: 1s, flow: [{get: "/fail/tls?token={{query over TLS}}"}]}
slo: [ok.p50 < 10s]
`

// TestLeaks_TLS looks for the private key of a load: with a target that it is shown to, and in the message about a key
// that is damaged.
func TestLeaks_TLS(t *testing.T) {
	alone(t)
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "leaks"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:        true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der := must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	cert := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	private := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(key))}))
	e := &echo{own: map[string]string{}}
	s := httptest.NewUnstartedServer(e)
	s.TLS = &tls.Config{
		ClientAuth:   tls.RequireAnyClientCert,
		Certificates: []tls.Certificate{must(tls.X509KeyPair([]byte(cert), []byte(private)))},
	}
	s.StartTLS()
	defer s.Close()

	x := newTried(t, e, write(t, overTLS, "@URL@", s.URL, "@KEY@", "key.pem"))
	x.save(t, "cert.pem", cert)
	x.save(t, "key.pem", private)
	for i, line := range strings.Split(strings.TrimSpace(private), "\n") {
		if !strings.HasPrefix(line, "-") {
			x.secrets["key, line "+string(rune('1'+i))] = line
		}
	}
	out := filepath.Join(x.dir, "folder")
	if said := x.say("run", x.file, "-o", out); !strings.Contains(said, "status 500") {
		t.Errorf("it did not reach the target:\n%s", said)
	}
	x.folder("folder", out)
	damaged := newSecret(false)
	x.secrets["damaged key"] = damaged
	x.save(t, "key.pem", "-----BEGIN PRIVATE KEY-----\n"+damaged+"\n-----END PRIVATE KEY-----\n")
	x.say("validate", x.file)
	x.report(t, x.secrets)
}
