// Command 45-http3 is a small server of HTTP/3, and of HTTP/2 at the same port of TCP. Its certificate is made
// at each start.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/quic-go/quic-go/http3"
)

func main() {
	own, err := certificate()
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"id": r.PathValue("id"), "over": r.Proto})
	})
	at, config := os.Getenv("BRUNT_ADDR"), &tls.Config{Certificates: []tls.Certificate{own}}
	failed := make(chan error)
	udp, tcp := http3.Server{Addr: at, TLSConfig: config}, http.Server{Addr: at, TLSConfig: config}
	go func() { failed <- udp.ListenAndServe() }()
	go func() { failed <- tcp.ListenAndServeTLS("", "") }()
	log.Fatal(<-failed)
}

// certificate makes a certificate that signs itself.
func certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
