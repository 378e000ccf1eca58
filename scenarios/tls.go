package scenarios

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"brunt/scenarios/disk"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// TLS sets the TLS versions, how the target's certificate is checked, and the client certificate.
type TLS struct {
	syntax.Place
	// a file of PEM certificates to trust, in addition to the system's
	CA string `yaml:"ca"`
	// name that the target's certificate must have; zero is the host of the URL
	ServerName         string `yaml:"server_name"`
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify"` // accept any certificate
	// a file with the PEM certificates that the load presents, starting with its own
	Cert       string     `yaml:"cert"`
	Key        string     `yaml:"key"`         // a file with the PEM private key of cert
	MinVersion TLSVersion `yaml:"min_version"` // minimum version; zero is 1.2
	MaxVersion TLSVersion `yaml:"max_version"` // maximum version; zero is 1.3

	ca, cert, key []byte // the files, as read with the scenario; nil means that they are read on demand
}

// Roots returns the certificates to trust; nil means the system's.
func (t *TLS) Roots() (*x509.CertPool, error) {
	if t.CA == "" {
		return nil, nil
	}
	ca, err := held(t.ca, t.CA)
	if err != nil {
		return nil, fmt.Errorf("reading the CA: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s holds no PEM certificate", t.CA)
	}
	return pool, nil
}

// Pair returns the certificate that the load presents, with its key; nil means none.
func (t *TLS) Pair() (*tls.Certificate, error) {
	if t.Cert == "" {
		return nil, nil
	}
	cert, err := held(t.cert, t.Cert)
	if err != nil {
		return nil, err
	}
	key, err := held(t.key, t.Key)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	return &pair, err
}

// maxCertificate is the maximum size of a file of certificates or a key, in bytes.
const maxCertificate = 16 << 20

// held returns text, or the content of the file at path if text is nil.
func held(text []byte, path string) ([]byte, error) {
	if text != nil {
		return text, nil
	}
	return disk.Read(path, maxCertificate)
}

// TLSVersion is a version of TLS, with the number that crypto/tls has for it; zero means not set.
type TLSVersion uint16

var tlsVersions = map[string]TLSVersion{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

// String returns the version as a scenario writes it.
func (v TLSVersion) String() string { return strings.TrimPrefix(tls.VersionName(uint16(v)), "TLS ") }

func (v *TLSVersion) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	syntax.DecodeScalar(n, m, func(s string) (TLSVersion, error) {
		if v, ok := tlsVersions[strings.TrimSpace(s)]; ok {
			return v, nil
		}
		return 0, fmt.Errorf("want a version of TLS, 1.2 or 1.3, not %q", syntax.Clip(s, 40))
	}, func(x TLSVersion) { *v = x })
}

func (*TLSVersion) Schema() syntax.Schema {
	return syntax.Scalar(syntax.Schema{"enum": []any{1.2, 1.3, "1.2", "1.3"}})
}

// tls reads the files that a target's tls names, so that their errors are found before anything starts.
func (p *files) tls(sc *Scenario, n *syntax.Node) {
	t := sc.Target.TLS
	if t == nil || n == nil || n.Kind != syntax.Map {
		return
	}
	if t.MinVersion != 0 && t.MaxVersion != 0 && t.MinVersion > t.MaxVersion {
		p.m.Add(t.Of("max_version"), "max_version %s lies under min_version %s", t.MaxVersion, t.MinVersion)
	}
	ca, ok := p.pem(n, "ca", &t.CA)
	if ok && ca != nil && !x509.NewCertPool().AppendCertsFromPEM(ca) {
		p.m.Add(n.Get("ca").Pos, "tls: %s holds no PEM certificate", t.CA)
	}
	t.ca = ca
	switch {
	case t.Has("cert") && !t.Has("key"):
		p.m.Add(t.Of("cert"), "tls: the private key of cert is missing: key: FILE")
	case t.Has("key") && !t.Has("cert"):
		p.m.Add(t.Of("key"), "tls: the certificate of key is missing: cert: FILE")
	}
	cert, ok1 := p.pem(n, "cert", &t.Cert)
	key, ok2 := p.pem(n, "key", &t.Key)
	if !ok1 || !ok2 || cert == nil || key == nil {
		return
	}
	t.cert, t.key = cert, key
	pair, err := t.Pair()
	if err != nil {
		p.m.Add(n.Get("cert").Pos, "tls: %s and %s are not a pair: %s", t.Cert, t.Key,
			strings.TrimPrefix(err.Error(), "tls: "))
		return
	}
	const day = "2006-01-02 15:04 MST"
	// An invalid certificate is presented as well: the test may be about how the target handles it.
	switch now, leaf := time.Now(), pair.Leaf; {
	case leaf == nil:
	case now.After(leaf.NotAfter):
		sc.Notes = append(sc.Notes, fmt.Sprintf("the certificate of the load, %s, expired at %s", t.Cert,
			leaf.NotAfter.UTC().Format(day)))
	case now.Before(leaf.NotBefore):
		sc.Notes = append(sc.Notes, fmt.Sprintf("the certificate of the load, %s, is not valid before %s", t.Cert,
			leaf.NotBefore.UTC().Format(day)))
	}
}

// pem reads the file that a key of tls names. It returns nil and true if the key is missing.
func (p *files) pem(n *syntax.Node, key string, path *string) (text []byte, ok bool) {
	at := n.Get(key)
	if at == nil || *path == "" {
		return nil, true
	}
	*path = p.beside(at.Pos, *path)
	text, err := p.readFile(*path, template.MaxText)
	if err != nil {
		p.m.Add(at.Pos, "tls: %v", err)
		return nil, false
	}
	return text, true
}
