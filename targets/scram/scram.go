// Package scram proves a user to a server by SCRAM, as RFC 5802 and RFC 7677 describe it.
package scram

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/targets"
)

// The range of iterations that a server may ask for. The least is that of RFC 7677; more than the most takes seconds.
const (
	leastIterations = 4096
	mostIterations  = 1 << 20
)

// Prove proves a user by the hash function sum, such as sha256.New. Send sends a message of the mechanism and returns
// the server's answer. An answer that is invalid is an error with the cause [scenarios.Protocol].
func Prove(sum func() hash.Hash, user, password string, send func(string) (string, error)) error {
	nonce := rand.Text()
	bare := "n=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(user) + ",r=" + nonce
	first, err := send("n,," + bare)
	if err != nil {
		return err
	}
	said := fields(first)
	salt, failed := base64.StdEncoding.DecodeString(said["s"])
	n, wrong := strconv.Atoi(said["i"])
	if failed != nil || wrong != nil || !strings.HasPrefix(said["r"], nonce) {
		return bad("the server's first message of SCRAM is invalid")
	}
	if n < leastIterations || n > mostIterations {
		return bad("the server asks for %d iterations of SCRAM; brunt makes %d to %d", n, leastIterations, mostIterations)
	}
	salted, err := pbkdf2.Key(sum, password, salt, n, sum().Size())
	if err != nil {
		return err
	}
	mac := func(key []byte, text string) []byte {
		h := hmac.New(sum, key)
		_, _ = h.Write([]byte(text))
		return h.Sum(nil)
	}
	key := mac(salted, "Client Key")
	h := sum()
	_, _ = h.Write(key)
	final := "c=biws,r=" + said["r"]
	signed := bare + "," + first + "," + final
	proof := mac(h.Sum(nil), signed)
	subtle.XORBytes(proof, proof, key)
	last, err := send(final + ",p=" + base64.StdEncoding.EncodeToString(proof))
	if err != nil {
		return err
	}
	want := mac(mac(salted, "Server Key"), signed)
	if got, err := base64.StdEncoding.DecodeString(fields(last)["v"]); err != nil || !hmac.Equal(got, want) {
		return bad("the server's signature of SCRAM is wrong: it does not know the password")
	}
	return nil
}

// fields reads the fields of a message.
func fields(message string) map[string]string {
	all := map[string]string{}
	for f := range strings.SplitSeq(message, ",") {
		if name, value, ok := strings.Cut(f, "="); ok {
			all[name] = value
		}
	}
	return all
}

func bad(format string, args ...any) error {
	return &targets.Error{Cause: scenarios.Protocol, Text: fmt.Sprintf(format, args...)}
}
