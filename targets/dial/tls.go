package dial

import (
	"crypto/tls"
	"fmt"

	"brunt/scenarios"
)

// TLSConfig is the TLS configuration of a load, without a server name unless the scenario
// sets one. It offers HTTP/1.1. A nil o is the default.
func TLSConfig(o *scenarios.TLS) (*tls.Config, error) {
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
		// subtle: crypto/tls does not send a certificate of Certificates whose issuer the
		// server did not request. A scenario that names one tests how the target reacts to it.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair, nil }
	}
	return c, nil
}
