package secret

import (
	"bytes"
	"slices"
	"strings"
)

// Words are the parts that make a name secret. A name is compared in lower case, without its dashes, underscores,
// dots and blanks: X-Api-Key contains the word apikey.
func Words() []string { return slices.Clone(words) }

// WholeNames are names that are secret as a whole, but not as part of a longer name.
func WholeNames() []string { return slices.Clone(wholeNames) }

var (
	words = []string{
		"password", "passwort", "passwd", "passphrase", "secret", "token", "authorization", "cookie", "apikey", "accesskey",
		"privatekey",
		"credential", "signature", "sessionid", "sessid", "sessionkey", "subscriptionkey", "applicationkey", "functionskey",
		"authkey", "passcode", "xauth", "jwt",
	}
	wholeNames = []string{"pwd", "pass", "pin", "otp", "sig", "sid", "auth", "userinfo"}
	// Endings of names that describe a secret but do not hold one.
	plainEndings = []string{
		"type", "url", "uri", "endpoint", "count", "length", "size", "limit", "ttl", "age", "expires", "expiresin",
		"expiresat", "expiry", "name",
		"policy", "algorithm",
	}
	plainNames = []string{
		"maxtokens", "mintokens", "totaltokens", "prompttokens", "completiontokens", "tokens", "tokenizer", "cookies",
	}
)

// longestWhole is the length of the longest of wholeNames.
const longestWhole = len("userinfo")

// hasWord reports whether a name contains one of the words.
func hasWord(name []byte) bool {
	for i, c := range name {
		switch c { // the first letters of the words
		case 'p', 's', 't', 'a', 'c', 'f', 'x', 'j':
			for _, w := range words {
				if w[0] == c && len(name)-i >= len(w) && string(name[i:i+len(w)]) == w {
					return true
				}
			}
		}
	}
	return false
}

// longestName is the maximum length of a name in bytes.
const longestName = 80

// IsName reports whether the value of a header, a field, a parameter, a variable or a column with
// this name is secret.
func IsName(name string) bool {
	if len(name) < 3 || len(name) > longestName {
		return false
	}
	var buf [longestName]byte
	plain := buf[:0]
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'A' && c <= 'Z':
			plain = append(plain, c+'a'-'A')
		case c != '-' && c != '_' && c != '.' && c != ' ' && c != '[' && c != ']':
			plain = append(plain, c)
		}
	}
	if len(plain) <= longestWhole && slices.Contains(wholeNames, string(plain)) || bytes.HasSuffix(plain, []byte("pwd")) {
		return true
	}
	if !hasWord(plain) {
		return false
	}
	text := string(plain)
	return !slices.Contains(plainNames, text) &&
		!slices.ContainsFunc(plainEndings, func(end string) bool { return strings.HasSuffix(text, end) })
}

// The least length, in bytes, of a value that is masked wherever it appears. A shorter value is masked only at its
// place, or not at all: masking every 1 would make a report unreadable.
const (
	ShortestGiven  = 3  // from the environment or a file
	Shortest       = 6  // secret by its name
	ShortestDigits = 12 // secret by its name, but digits only: it may be a count or a time
)

// IsLong reports whether a value with a secret name is masked wherever it appears.
func IsLong(value string) bool {
	if len(value) < Shortest || value[0] == '$' && strings.HasPrefix(value, "${") {
		return false
	}
	digits, same := true, true
	for i := range len(value) {
		digits = digits && value[i] >= '0' && value[i] <= '9'
		same = same && value[i] == value[0]
	}
	if !strings.ContainsAny(value, "0123456789") && IsName(value) { // it is the name of a secret
		return false
	}
	return !same && (!digits || len(value) >= ShortestDigits) && !slices.Contains(plainValues, strings.ToLower(value))
}

// plainValues are words that appear in place of secrets but are not secret.
var plainValues = []string{
	"bearer", "digest", "negotiate", "exists", "required", "expired", "invalid", "missing", "string", "number", "boolean",
	"not empty", "undefined",
}

// IsToken reports whether a value looks like a token, whatever its name: it has at least 16 bytes with letters,
// digits and much variety.
func IsToken[T string | []byte](value T) bool {
	const short, variety = 16, 10
	if len(value) < short || value[0] == '/' {
		return false
	}
	var seen [256]bool
	different, digits, letters := 0, false, false
	for i := range len(value) {
		c := value[i]
		if c == ' ' {
			return false
		}
		if !seen[c] {
			seen[c] = true
			different++
		}
		digits = digits || c >= '0' && c <= '9'
		letters = letters || c|0x20 >= 'a' && c|0x20 <= 'z'
	}
	return digits && letters && different >= variety
}
