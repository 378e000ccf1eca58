package main

import (
	"bytes"
	"encoding/pem"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// rootsFile is where Go's programs look for certificate authorities first, on Debian and elsewhere.
const rootsFile = "etc/ssl/certs/ca-certificates.crt"

// roots are the certificate authorities that Mozilla trusts, in PEM: an image FROM scratch has none, so that brunt
// could not check any server's certificate there. Those that Mozilla trusts only for certificates made before some day
// are left out, since a file can't say that.
func roots() []byte {
	var out bytes.Buffer
	for r := range bundle.Roots() {
		if r.Constraint == nil {
			_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate}) // into memory
		}
	}
	return out.Bytes()
}
