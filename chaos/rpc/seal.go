package rpc

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net"
)

// lastingProtocol names the version of the protocol in the handshake of TLS (ALPN, RFC 7301).
const lastingProtocol = "brunt-lasting/3"

// errRefused is the answer of a listening end to a key that it does not know.
var errRefused = errors.New("the other end refuses the key: it belongs to another run")

// errAnother says that the listening end is not the one of the first connection.
var errAnother = errors.New("the other end is not the one that the conversation began with")

// A sealed connection is a TLS connection on which both ends have shown a certificate. Close closes the connection
// below at once: it need not wait for an alert, because packets mark the end of a conversation.
type sealed struct {
	*tls.Conn
	below net.Conn
}

func (s sealed) Close() error { return s.below.Close() }

// peer returns the certificate of the other end.
func (s sealed) peer() *x509.Certificate { return s.ConnectionState().PeerCertificates[0] }

// sealing returns the TLS configuration of an end with a key, for a conversation with a name. Certificates are
// self-signed, and no authority vouches for them: each end compares the key of [sealed.peer]. TLS proves that the other
// end has the private half.
func sealing(key ed25519.PrivateKey, name string) (*tls.Config, error) {
	of := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}}
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{lastingProtocol}, SessionTicketsDisabled: true,
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		ClientAuth:   tls.RequireAnyClientCert, InsecureSkipVerify: true,
	}, nil
}

// seal makes a TLS connection, with the constructor for its end.
func seal(of func(net.Conn, *tls.Config) *tls.Conn, below net.Conn, c *tls.Config) (sealed, error) {
	s := sealed{of(below, c), below}
	if err := s.Handshake(); err != nil { // the connection has a deadline
		return s, fmt.Errorf("the other end shows no certificate of this version of brunt: %w", err)
	}
	return s, nil
}

// ParseKey reads the public half of a run's key, as hexadecimal digits.
func ParseKey(text string) (ed25519.PublicKey, error) {
	key, err := hex.DecodeString(text)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("the key %q is not one: want %d hexadecimal digits", text, 2*ed25519.PublicKeySize)
	}
	return key, nil
}
