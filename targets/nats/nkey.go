package nats

import (
	"crypto/ed25519"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"brunt/targets/crc16"
)

// An nkey is a key of Ed25519 in the form of NATS: base32 of one or two bytes of a prefix, the key, and its CRC-16. A
// seed, the private half, begins with S. https://github.com/nats-io/nkeys describes both.
type nkey struct {
	private ed25519.PrivateKey
	public  string // in the form of NATS
}

const (
	prefixSeed = 18 << 3 // S
	prefixUser = 20 << 3 // U, the only role with which a client logs in
)

var base32Bare = base32.StdEncoding.WithPadding(base32.NoPadding)

// parseSeed reads the seed of a user.
func parseSeed(text string) (k nkey, ok bool) {
	raw, err := base32Bare.DecodeString(text)
	const size = 2 + ed25519.SeedSize + 2
	if err != nil || len(raw) != size || binary.LittleEndian.Uint16(raw[size-2:]) != crc16.Of(raw[:size-2]) {
		return k, false
	}
	// the prefix of a seed leaves 3 bits of the first byte for the role
	if raw[0]&0xf8 != prefixSeed || raw[0]&7<<5|raw[1]>>3 != prefixUser {
		return k, false
	}
	k.private = ed25519.NewKeyFromSeed(raw[2 : size-2])
	public := append([]byte{prefixUser}, k.private.Public().(ed25519.PublicKey)...)
	k.public = base32Bare.EncodeToString(binary.LittleEndian.AppendUint16(public, crc16.Of(public)))
	return k, true
}

// sign returns the signature of the server's nonce.
func (k *nkey) sign(nonce string) string {
	return base64.RawURLEncoding.EncodeToString(ed25519.Sign(k.private, []byte(nonce)))
}

// prove fills in how the client proves who it is: by user and password, by a token, by the seed of an nkey, or by a JWT
// and its seed.
func (c *connect) prove(user, password string, both bool, nonce string) {
	seed := user
	if both {
		seed = password
	}
	switch k, is := parseSeed(seed); {
	case is && both && strings.HasPrefix(user, "eyJ"): // a JWT is JSON in base64
		c.JWT, c.Signature = user, k.sign(nonce)
	case is && !both:
		c.NKey, c.Signature = k.public, k.sign(nonce)
	case both:
		c.User, c.Password = user, password
	default:
		c.Token = user
	}
}
