package nats_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"brunt/targets"
	"brunt/targets/crc16"
	"brunt/targets/nats"
)

// A key is a pair of Ed25519 in the form of NATS. Its random part is the same byte 32 times.
type key struct {
	private      ed25519.PrivateKey
	seed, public string
}

// The roles of keys: the prefix of their public half.
const (
	operatorKey = 14 << 3 // O
	accountKey  = 0       // A
	userKey     = 20 << 3 // U
)

func newKey(role, b byte) key {
	raw := bytes.Repeat([]byte{b}, ed25519.SeedSize)
	k := key{private: ed25519.NewKeyFromSeed(raw)}
	form := func(b []byte) string {
		b = binary.LittleEndian.AppendUint16(b, crc16.Of(b))
		return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
	}
	k.seed = form(append([]byte{18<<3 | role>>5, role << 3}, raw...))
	k.public = form(append([]byte{role}, k.private.Public().(ed25519.PublicKey)...))
	return k
}

// token returns the JWT that says something about the holder of a key.
func (k key) token(of key, name string, claims map[string]any) string {
	part := func(v any) string {
		b, _ := json.Marshal(v) // of texts and numbers, without an error
		return base64.RawURLEncoding.EncodeToString(b)
	}
	claims["version"] = 2
	text := part(map[string]string{"typ": "JWT", "alg": "ed25519-nkey"}) + "." + part(map[string]any{
		"jti": name, "iat": 1_700_000_000, "iss": k.public, "sub": of.public, "name": name, "nats": claims,
	})
	return text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(k.private, []byte(text)))
}

// TestReal_Keys: nats-server accepts the seed of an nkey that it knows, and a JWT with its seed, and refuses others.
func TestReal_Keys(t *testing.T) {
	operator, account := newKey(operatorKey, 1), newKey(accountKey, 2)
	user, other := newKey(userKey, 3), newKey(userKey, 4)
	limits := map[string]any{
		"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
	}
	ofUser := account.token(user, "user", map[string]any{"type": "user", "subs": -1, "data": -1, "payload": -1})
	byKeys := fmt.Sprintf("authorization {users: [{nkey: %s}]}\n", user.public)
	byTokens := fmt.Sprintf("operator: %s\nresolver: MEMORY\nresolver_preload: {%s: %s}\n",
		operator.token(operator, "operator", map[string]any{"type": "operator"}), account.public,
		operator.token(account, "account", map[string]any{"type": "account", "limits": limits}))
	const no = "error, error authorization violation"
	for _, c := range []struct{ name, config, user, want string }{
		{"nkey", byKeys, user.seed, "ok"},
		{"nkey, another", byKeys, other.seed, no},
		{"nkey, none", byKeys, "", no},
		{"nkey, half of it", byKeys, user.seed[:30], no},
		{"JWT", byTokens, ofUser + ":" + user.seed, "ok"},
		{"JWT, the seed of another", byTokens, ofUser + ":" + other.seed, no},
		{"JWT, without a seed", byTokens, ofUser, no},
		{"JWT, of the user itself", byTokens, user.token(user, "user", map[string]any{"type": "user"}) + ":" + user.seed, no},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "nats.conf")
			if err := os.WriteFile(file, []byte(c.config), 0o600); err != nil {
				t.Fatal(err)
			}
			n := startNode(t, "", freePort(t), "-c", file)
			f := newFixture(t, targets.Options{Base: "nats://" + c.user + "@" + n.addr}, `{nats.publish: a, message: hi}`)
			out := f.Flow.Open(t, f.Client, f.T0, 0).Do(0, long)
			if got := f.Got(out); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestSeed: a seed is one of a user whose checksum is right.
func TestSeed(t *testing.T) {
	good := newKey(userKey, 3)
	for _, c := range []struct {
		name, text string
		want       bool
	}{
		{"of a user", good.seed, true},
		{"of an account", newKey(accountKey, 3).seed, false},
		{"the public half", good.public, false},
		{"another letter", good.seed[:20] + "A" + good.seed[21:], false},
		{"a token", "sesame", false},
		{"nothing", "", false},
	} {
		if got := nats.IsSeed(c.text); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
