package run_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/run"
)

// pairs writes a CA and the key pairs that it signed into a folder: NAME.pem and NAME.key. They are
// valid for 127.0.0.1 as a server, and for any client.
func pairs(t *testing.T, dir string, names ...string) {
	t.Helper()
	var ca *x509.Certificate
	var signer *ecdsa.PrivateKey
	for i, name := range append([]string{"ca"}, names...) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		c := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
			NotAfter:    time.Now().Add(time.Hour),
			IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		}
		if ca == nil {
			c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil
			ca, signer = c, key
		}
		der, err := x509.CreateCertificate(rand.Reader, c, ca, &key.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		private, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		for ext, b := range map[string]*pem.Block{
			".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "PRIVATE KEY", Bytes: private},
		} {
			if err := os.WriteFile(filepath.Join(dir, name+ext), pem.EncodeToMemory(b), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestNginx_TLS loads a real server that requires client certificates: nginx logs the TLS version
// and the client, and refuses clients without a certificate.
func TestNginx_TLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pairs(t, dir, "server", "load")
	n := startNginxWith(t, "ssl", strings.ReplaceAll(`
    ssl_certificate PAIRS/server.pem;
    ssl_certificate_key PAIRS/server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_client_certificate PAIRS/ca.pem;
    ssl_verify_client on;
    add_header X-Spoken $ssl_protocol always;
    add_header X-Client $ssl_client_s_dn always;`, "PAIRS", dir))
	for _, c := range []struct{ name, tls, check string }{
		{
			"the highest", "cert: DIR/load.pem, key: DIR/load.key",
			"{status: 200, header: {X-Spoken: TLSv1.3, X-Client: CN=load}}",
		},
		{
			"1.3 only", "cert: DIR/load.pem, key: DIR/load.key, min_version: 1.3",
			"{status: 200, header: {X-Spoken: TLSv1.3, X-Client: CN=load}}",
		},
		{
			"1.2 at most", "cert: DIR/load.pem, key: DIR/load.key, max_version: 1.2",
			"{status: 200, header: {X-Spoken: TLSv1.2, X-Client: CN=load}}",
		},
		{
			"nobody", "min_version: 1.3",
			`{status: 400, header: {X-Spoken: TLSv1.3}, body: "~ No required SSL certificate was sent"}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			try(t, func(wrong *complaints) {
				wrong.passed(runOnce(t, fmt.Sprintf(`
version: 1
name: nginx that asks who is there
target: {url: "https://%s", tls: {ca: %s/ca.pem, %s}}
load:
  main: {executor: shared-iterations, vus: 2, iterations: 20, flow: [{get: /, check: %s}]}
slo: [errors <= 0%%]
`, n.addr, dir, strings.ReplaceAll(c.tls, "DIR", dir), c.check), run.Options{}))
			})
		})
	}
}
