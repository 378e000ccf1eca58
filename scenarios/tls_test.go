package scenarios_test

import (
	"io/fs"
	"strings"
	"testing"

	"brunt/scenarios"
)

// testCert is a certificate made for this test, and testKey its key; oldCert and oldKey are an
// expired pair.
const (
	testCert = `-----BEGIN CERTIFICATE-----
MIIBFjCBvaADAgECAgEBMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMTCW9mIGEgdGVz
dDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFDESMBAGA1UEAxMJ
b2YgYSB0ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOkF/ggg89N1Gc3wK
CyBINcgPzzsPGxO06NptmlULZ9UOed2lXO/kejOUpXQhuXioqJJ+YiSvW3Y/OgIq
NPg99DAKBggqhkjOPQQDAgNIADBFAiEA9qfcCrdYFeoChUV3TmpYXDy2X0XPeSG5
s+FOSI2PNJwCIDZZ/Bv+0iEt5OJgcYIQTDxHWJOAqNlh66euOTjfYrrF
-----END CERTIFICATE-----
`
	testKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgwIl++rcXVrU26vMQ
reGxRkx9MNjShaUJFF8rMsjLF5ahRANCAAQ6QX+CCDz03UZzfAoLIEg1yA/POw8b
E7To2m2aVQtn1Q553aVc7+R6M5SldCG5eKiokn5iJK9bdj86Aio0+D30
-----END PRIVATE KEY-----
`
	oldCert = `-----BEGIN CERTIFICATE-----
MIIBFDCBu6ADAgECAgEBMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMTCW9mIGEgdGVz
dDAeFw0yMDAxMDEwMDAwMDBaFw0yMTAxMDEwMDAwMDBaMBQxEjAQBgNVBAMTCW9m
IGEgdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMJ9/x9lG3VfxpesmIjF
5VnGjlJbA688jBLRaA1+qI4J/xBgTgT0X2SqjRwR/qX3UuSpoUGcab3EPoeniHQi
DKowCgYIKoZIzj0EAwIDSAAwRQIhALqKComScizaB0d9Ytkpvbrg8tXwH9Z9ccun
e46IKX3JAiAdURLSCX2fULxnihQd0VO3j42plLImccIRMQEbn7uE3g==
-----END CERTIFICATE-----
`
	oldKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgUkLjDp0UVICeKV6l
h3Y7h0sOVe+n49vtmUMu6ODNKAmhRANCAATCff8fZRt1X8aXrJiIxeVZxo5SWwOv
PIwS0WgNfqiOCf8QYE4E9F9kqo0cEf6l91LkqaFBnGm9xD6Hp4h0Igyq
-----END PRIVATE KEY-----
`
)

// TestTLS checks which files are accepted as a load's certificate and where they are looked up,
// and that an expired certificate is noted but not refused.
func TestTLS(t *testing.T) {
	files := map[string]string{"lib/a.pem": testCert, "lib/a.key": testKey, "lib/old.pem": oldCert, "lib/old.key": oldKey}
	for _, c := range []struct{ name, tls, wrong, note string }{
		{name: "pair", tls: "{cert: a.pem, key: a.key, min_version: 1.3}"},
		{
			name: "expired", tls: "{cert: old.pem, key: old.key}",
			note: "the certificate of the load, lib/old.pem, expired at 2021-01-01 00:00 UTC",
		},
		{
			name: "no pair", tls: "{cert: a.pem, key: old.key}",
			wrong: "lib/s.yaml:2:53: tls: lib/a.pem and lib/old.key are not a pair: " +
				"private key does not match public key",
		},
		{
			name: "the wrong way round", tls: "{cert: a.key, key: a.pem}",
			wrong: "are not a pair: failed to find certificate PEM data in " +
				"certificate input, but did find a private key; PEM inputs may have been switched",
		},
		{name: "not there", tls: "{cert: b.pem, key: a.key}", wrong: "lib/s.yaml:2:53: tls: lib/b.pem: file does not exist"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "version: 1\ntarget: {url: \"https://127.0.0.1:8443\", tls: " + c.tls +
				"}\nload: {a: {executor: spike, flow: [{get: /}]}}\n"
			sc, err := scenarios.Parse("lib/s.yaml", scenarios.Options{Read: func(path string) ([]byte, error) {
				if path == "lib/s.yaml" {
					return []byte(text), nil
				}
				if b, ok := files[path]; ok {
					return []byte(b), nil
				}
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
			}})
			switch {
			case c.wrong == "" && err != nil, c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
				t.Errorf("got %v, want %q", err, c.wrong)
			case strings.Join(sc.Notes, "\n") != c.note:
				t.Errorf("notes %q, want %q", sc.Notes, c.note)
			case c.wrong == "" && (sc.Target.TLS.Cert == "" || !strings.HasPrefix(sc.Target.TLS.Key, "lib/")):
				t.Errorf("%+v", sc.Target.TLS)
			}
			if c.wrong != "" {
				return
			}
			if pair, err := sc.Target.TLS.Pair(); err != nil || pair == nil { // none of them is on disk
				t.Errorf("it is read again: %v", err)
			}
		})
	}
}
