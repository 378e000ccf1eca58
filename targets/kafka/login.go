package kafka

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/targets"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// login asks a broker for the versions that it knows, and proves the user to it.
func (c *client) login(ctx context.Context, on *conn) error {
	targets.StagesOf(ctx).Enter(scenarios.InLogin)
	resp, err := on.call(ctx, kmsg.NewPtrApiVersionsRequest())
	if err != nil {
		return err
	}
	all := resp.(*kmsg.ApiVersionsResponse)
	if err := refused("the versions that the broker knows", all.ErrorCode); err != nil {
		return err
	}
	speaks := map[int16][2]int16{}
	for _, k := range all.ApiKeys {
		speaks[k.ApiKey] = [2]int16{k.MinVersion, k.MaxVersion}
	}
	on.speaks = speaks
	if c.at.mechanism == "" {
		return nil
	}
	shake := kmsg.NewPtrSASLHandshakeRequest()
	shake.Mechanism = strings.ToUpper(c.at.mechanism)
	if resp, err = on.call(ctx, shake); err != nil {
		return err
	}
	offers := resp.(*kmsg.SASLHandshakeResponse)
	if err := refused("the login by "+shake.Mechanism, offers.ErrorCode); err != nil {
		if len(offers.SupportedMechanisms) > 0 {
			const most = 200
			err = &targets.Error{
				Cause: causeOf(offers.ErrorCode),
				Text: err.Error() + " It offers " +
					targets.Clip(strings.Join(offers.SupportedMechanisms, ", "), most),
			}
		}
		return err
	}
	prove := func(message string) (string, error) {
		auth := kmsg.NewPtrSASLAuthenticateRequest()
		auth.SASLAuthBytes = []byte(message)
		resp, err := on.call(ctx, auth)
		if err != nil {
			return "", fmt.Errorf("during the login by %s, where some brokers close the connection if they refuse it: %w",
				shake.Mechanism, err)
		}
		said := resp.(*kmsg.SASLAuthenticateResponse)
		return string(said.SASLAuthBytes), refused("the login by "+shake.Mechanism, said.ErrorCode)
	}
	switch c.at.mechanism {
	case "scram-sha-256":
		return scram(sha256.New, c.at.user, c.at.password, prove)
	case "scram-sha-512":
		return scram(sha512.New, c.at.user, c.at.password, prove)
	}
	_, err = prove("\x00" + c.at.user + "\x00" + c.at.password)
	return err
}

// The range of iterations that a server may ask for. The least is that of RFC 7677; more than the most takes seconds.
const (
	leastIterations = 4096
	mostIterations  = 1 << 20
)

// scram proves a user by SCRAM (RFC 5802). Prove sends a message and returns the answer.
func scram(sum func() hash.Hash, user, password string, prove func(string) (string, error)) error {
	nonce := rand.Text()
	bare := "n=" + strings.NewReplacer("=", "=3D", ",", "=2C").Replace(user) + ",r=" + nonce
	first, err := prove("n,," + bare)
	if err != nil {
		return err
	}
	fields := scramFields(first)
	salt, failed := base64.StdEncoding.DecodeString(fields["s"])
	n, wrong := strconv.Atoi(fields["i"])
	if failed != nil || wrong != nil || !strings.HasPrefix(fields["r"], nonce) {
		return bad("the broker's first message of SCRAM is invalid")
	}
	if n < leastIterations || n > mostIterations {
		return bad("the broker asks for %d iterations of SCRAM; brunt makes %d to %d", n, leastIterations, mostIterations)
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
	final := "c=biws,r=" + fields["r"]
	signed := bare + "," + first + "," + final
	proof := mac(h.Sum(nil), signed)
	subtle.XORBytes(proof, proof, key)
	last, err := prove(final + ",p=" + base64.StdEncoding.EncodeToString(proof))
	if err != nil {
		return err
	}
	want := mac(mac(salted, "Server Key"), signed)
	if got, err := base64.StdEncoding.DecodeString(scramFields(last)["v"]); err != nil || !hmac.Equal(got, want) {
		return bad("the broker's signature of SCRAM is wrong: it does not know the password")
	}
	return nil
}

// scramFields reads the fields of a message.
func scramFields(message string) map[string]string {
	fields := map[string]string{}
	for f := range strings.SplitSeq(message, ",") {
		if name, value, ok := strings.Cut(f, "="); ok {
			fields[name] = value
		}
	}
	return fields
}
