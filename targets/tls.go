package targets

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"

	"brunt/scenarios"
)

// tlsConfig makes what every connection over TLS begins with.
func tlsConfig(o *scenarios.TLS) (*tls.Config, error) {
	c := &tls.Config{NextProtos: []string{"http/1.1"}}
	if o == nil {
		return c, nil
	}
	c.ServerName, c.InsecureSkipVerify = o.ServerName, o.InsecureSkipVerify
	c.MinVersion, c.MaxVersion = uint16(o.MinVersion), uint16(o.MaxVersion)
	var err error
	if c.RootCAs, err = o.Roots(); err != nil {
		return nil, err
	}
	pair, err := o.Pair()
	if err != nil {
		return nil, fmt.Errorf("the load's certificate: %w", err)
	}
	if pair != nil {
		// subtle: of Certificates, crypto/tls leaves out one whose issuer the server did
		// not ask for. Whoever names one wants to see what the target makes of it.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair, nil }
	}
	return c, nil
}

// tlsError is a handshake that failed.
type tlsError struct{ err error }

func (e *tlsError) Error() string { return "TLS handshake: " + e.err.Error() }
func (e *tlsError) Unwrap() error { return e.err }

// alerted tells that the other side ended TLS by an alert. Under TLS 1.3 that is how a
// server refuses a certificate after the client's part of the handshake is over.
func alerted(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}

// saidOfTLS gives what mends an error of TLS, where that is known.
func saidOfTLS(err error) string {
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); unknown {
		return "; a CA of your own goes under target: {tls: {ca: FILE}}"
	}
	if _, other := errors.AsType[x509.HostnameError](err); other {
		return "; the name in the certificate goes under target: {tls: {server_name: NAME}}"
	}
	if alerted(err) && strings.Contains(err.Error(), "certificate required") {
		return "; a certificate for the load goes under target: {tls: {cert: FILE, key: FILE}}"
	}
	return ""
}
