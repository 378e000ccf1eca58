package evidence

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"brunt/scenarios/disk"
)

// mostKey bounds a file of a key, in bytes.
const mostKey = 1 << 20

// namespace is the namespace of brunt's signatures: ssh-keygen -Y verify -n brunt.
const namespace = "brunt"

// A Signer signs the manifest of a folder with an SSH key.
type Signer struct {
	key  ssh.Signer
	conn net.Conn // to the agent that holds the key; nil: brunt itself holds the key
}

// OpenSigner reads an SSH key: a private key, or a public key whose private half an SSH agent holds. If the private
// key has a passphrase, the agent must hold it too. Getenv returns SSH_AUTH_SOCK, the address of the agent.
func OpenSigner(file string, getenv func(string) string) (*Signer, error) {
	text, err := disk.Read(file, mostKey)
	if err != nil {
		return nil, err
	}
	if public, _, _, _, perr := ssh.ParseAuthorizedKey(text); perr == nil {
		return agentSigner(file, public, getenv)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err == nil {
		return &Signer{key: key}, nil
	}
	locked, ok := errors.AsType[*ssh.PassphraseMissingError](err)
	if !ok {
		return nil, fmt.Errorf("%s is not an SSH key: %w", file, err)
	}
	public := locked.PublicKey
	if public == nil { // older formats keep it in a separate file
		beside, err := disk.Read(file+".pub", mostKey)
		if err == nil {
			public, _, _, _, err = ssh.ParseAuthorizedKey(beside)
		}
		if err != nil {
			return nil, fmt.Errorf("%s has a passphrase, and %s.pub, by which the agent would know it, can't be read: %w", file,
				file, err)
		}
	}
	s, err := agentSigner(file, public, getenv)
	if err != nil {
		return nil, fmt.Errorf("%s has a passphrase, which brunt does not ask for: `ssh-add %s` first; %w", file, file, err)
	}
	return s, nil
}

// agentSigner finds the key in the agent.
func agentSigner(file string, public ssh.PublicKey, getenv func(string) string) (*Signer, error) {
	at := getenv("SSH_AUTH_SOCK")
	if at == "" {
		return nil, errors.New("there is no SSH agent: SSH_AUTH_SOCK is not set")
	}
	conn, err := net.DialTimeout("unix", at, 5*time.Second)
	if err != nil {
		return nil, fmt.Errorf("the SSH agent of SSH_AUTH_SOCK: %w", err)
	}
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	keys, err := agent.NewClient(conn).Signers()
	_ = conn.SetDeadline(time.Time{}) // signing may take long, because the agent may ask its user
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the SSH agent: %w", err), conn.Close())
	}
	for _, k := range keys {
		if bytes.Equal(k.PublicKey().Marshal(), public.Marshal()) {
			return &Signer{k, conn}, nil
		}
	}
	_ = conn.Close()
	return nil, fmt.Errorf("the SSH agent does not have the key of %s, %s", file, ssh.FingerprintSHA256(public))
}

// Close closes the connection to the agent.
func (s *Signer) Close() error {
	if s == nil || s.conn == nil {
		return nil
	}
	return s.conn.Close()
}

// sign returns the signature of text in the format of ssh-keygen -Y sign.
func (s *Signer) sign(text []byte) ([]byte, error) {
	sig, err := sshsig.Sign(bytes.NewReader(text), s.key, sshsig.HashSHA512, namespace)
	if err != nil {
		return nil, err
	}
	return sshsig.Armor(sig), nil
}

// Signers holds the keys whose signatures [Verify] accepts.
type Signers struct {
	file string
	keys []allowedSigner
}

// An allowedSigner is a line of a file of allowed signers.
type allowedSigner struct {
	principal string // empty: the file is only a public key
	key       ssh.PublicKey
	from      time.Time // zero: no limit
	to        time.Time // zero: no limit
}

// ReadSigners reads the accepted keys. The file is a public key in the format of ssh-keygen, or a file of allowed
// signers in the format of ssh-keygen -Y verify. It ignores lines of certificate authorities.
func ReadSigners(file string) (*Signers, error) {
	text, err := disk.Read(file, mostKey)
	if err != nil {
		return nil, err
	}
	s := &Signers{file: file}
	for n, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		a, use, err := readAllowed(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, n+1, err)
		}
		if use {
			s.keys = append(s.keys, a)
		}
	}
	if len(s.keys) == 0 {
		return nil, fmt.Errorf("%s lists no key that may sign a run", file)
	}
	return s, nil
}

// readAllowed reads a line: a public key, or principals with options and a key. Use is false if the key may not sign
// in brunt's namespace.
func readAllowed(line string) (a allowedSigner, use bool, err error) {
	if strings.HasPrefix(line, "-----BEGIN") {
		return a, false, errors.New("this is a private key; name its public half, whose name ends in .pub")
	}
	kind, _, _ := strings.Cut(line, " ")
	rest := line
	if !isKeyType(kind) {
		if a.principal, rest, err = firstWord(line); err != nil {
			return a, false, err
		}
	}
	var options []string
	if a.key, _, options, _, err = ssh.ParseAuthorizedKey([]byte(rest)); err != nil {
		return a, false, errors.New("this line is neither a public key nor that of an allowed signer, such as " +
			"`ann@example.org ssh-ed25519 AAAA…`")
	}
	for _, o := range options {
		name, value, _ := strings.Cut(o, "=")
		value = strings.Trim(value, `"`)
		switch strings.ToLower(name) {
		case "cert-authority":
			return a, false, nil
		case "namespaces":
			if !slices.ContainsFunc(strings.Split(value, ","),
				func(p string) bool { ok, _ := path.Match(p, namespace); return ok }) {
				return a, false, nil
			}
		case "valid-after":
			a.from, err = keyTime(value)
		case "valid-before":
			a.to, err = keyTime(value)
		default:
			err = fmt.Errorf("the option %q is not known", name)
		}
		if err != nil {
			return a, false, err
		}
	}
	return a, true, nil
}

func isKeyType(s string) bool {
	return strings.HasPrefix(s, "ssh-") || strings.HasPrefix(s, "ecdsa-") || strings.HasPrefix(s, "sk-")
}

// firstWord returns the first word of a line, which may be quoted, and the rest.
func firstWord(line string) (word, rest string, err error) {
	if quoted, ok := strings.CutPrefix(line, `"`); ok {
		word, rest, ok = strings.Cut(quoted, `"`)
		if !ok {
			return "", "", errors.New("a quote is not closed")
		}
		return word, strings.TrimSpace(rest), nil
	}
	i := strings.IndexAny(line, " \t")
	if i < 0 {
		return "", "", errors.New("this line names no key")
	}
	return line[:i], strings.TrimSpace(line[i:]), nil
}

// keyTime parses a time from a file of allowed signers: YYYYMMDD, then optionally HHMM or HHMMSS, then optionally Z.
// Without Z the time is in the local zone.
func keyTime(s string) (time.Time, error) {
	zone := time.Local
	digits, utc := strings.CutSuffix(s, "Z")
	if utc {
		zone = time.UTC
	}
	const form = "20060102150405"
	if n := len(digits); n == 8 || n == 12 || n == 14 {
		if t, err := time.ParseInLocation(form[:n], digits, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time such as 20261231Z", s)
}

// A Signature identifies the key that signed a folder.
type Signature struct {
	Key       string // fingerprint, in the format of ssh-keygen -l
	Principal string // name from the file of allowed signers; empty: the file has none
}

// check returns the key that signed a file. Without signers (nil) it checks the signature with the key in the signature
// itself. If by is not empty, and the file of allowed signers names the owner of the key, by must be one of the owner's
// names.
func (s *Signers) check(by, file string, text, signature []byte) (*Signature, error) {
	sig, err := sshsig.Unarmor(signature)
	if err != nil {
		return nil, fmt.Errorf("it is not a signature: %w", err)
	}
	if !isArmored(signature, sig.Marshal()) {
		return nil, errors.New("it is not as a signature is written")
	}
	if sig.Namespace != namespace {
		return nil, fmt.Errorf("it was made for %q, and not for %q", sig.Namespace, namespace)
	}
	if err := sshsig.Verify(bytes.NewReader(text), sig, sig.PublicKey, sig.HashAlgorithm, namespace); err != nil {
		return nil, fmt.Errorf("it is not of this %s: %w", file, err)
	}
	out := &Signature{Key: ssh.FingerprintSHA256(sig.PublicKey)}
	if s == nil {
		return out, nil
	}
	now, late, others := time.Now(), "", ""
	for _, a := range s.keys {
		if !bytes.Equal(a.key.Marshal(), sig.PublicKey.Marshal()) {
			continue
		}
		if !a.from.IsZero() && now.Before(a.from) || !a.to.IsZero() && !now.Before(a.to) {
			late = ", whose time that file says is not now"
			continue
		}
		if by != "" && a.principal != "" && !isPrincipal(by, a.principal) {
			others = a.principal
			continue
		}
		out.Principal = a.principal
		return out, nil
	}
	if others != "" {
		return nil, fmt.Errorf("it says that %s made it, and %s gives its key, %s, to %s", by, s.file, out.Key, others)
	}
	return nil, fmt.Errorf("it is by %s, which is not among those of %s%s", out.Key, s.file, late)
}

// isArmored reports whether text consists of exactly the signature, with the line length of sshsig (64) or of
// ssh-keygen (70).
func isArmored(text, signature []byte) bool {
	for _, width := range []int{64, 70} { // of this library, and of ssh-keygen
		var b strings.Builder
		b.WriteString("-----BEGIN SSH SIGNATURE-----\n")
		for rest := base64.StdEncoding.EncodeToString(signature); rest != ""; {
			n := min(width, len(rest))
			b.WriteString(rest[:n] + "\n")
			rest = rest[n:]
		}
		b.WriteString("-----END SSH SIGNATURE-----")
		if strings.TrimSuffix(string(text), "\n") == b.String() {
			return true
		}
	}
	return false
}
