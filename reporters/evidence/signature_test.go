package evidence

import (
	"crypto/ed25519"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// newEd25519 creates a key without ssh-keygen.
func newEd25519(t *testing.T, random io.Reader, path string) (private, public string) {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(random)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "ann")
	if err != nil {
		t.Fatal(err)
	}
	sshPub, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	put(t, path, string(pem.EncodeToMemory(block)))
	put(t, path+".pub", string(ssh.MarshalAuthorizedKey(sshPub)))
	return path, path + ".pub"
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestSign_AsSSHKeygen checks that ssh-keygen verifies brunt's signatures, and brunt those of
// ssh-keygen, for every kind of key.
func TestSign_AsSSHKeygen(t *testing.T) {
	for _, kind := range [][]string{{"-t", "ed25519"}, {"-t", "rsa", "-b", "2048"}, {"-t", "ecdsa", "-b", "384"}} {
		t.Run(kind[1], func(t *testing.T) {
			private, public := newKey(t, append(kind, "-N", "")...)
			signer, err := OpenSigner(private, noEnv)
			if err != nil {
				t.Fatal(err)
			}
			dir := finishedRun(t, signer)
			key, err := os.ReadFile(public)
			if err != nil {
				t.Fatal(err)
			}
			allowed := filepath.Join(t.TempDir(), "allowed")
			put(t, allowed, "# those of the team\n\nann@example.org,bob namespaces=\"git,brunt\" "+string(key))
			check := exec.Command("ssh-keygen", "-Y", "verify", "-f", allowed, "-I", "ann@example.org", "-n", "brunt", "-s",
				filepath.Join(dir, signatureFile))
			sums, err := os.Open(filepath.Join(dir, sumsFile))
			if err != nil {
				t.Fatal(err)
			}
			defer sums.Close()
			check.Stdin = sums
			if out, err := check.CombinedOutput(); err != nil || !strings.Contains(string(out), "Good") {
				t.Errorf("ssh-keygen: %v: %s", err, out)
			}
			signers, err := ReadSigners(allowed)
			if err != nil {
				t.Fatal(err)
			}
			v, err := Verify(dir, signers, isDerived)
			if err != nil || len(v.Findings) > 0 || v.Signed == nil || v.Signed.Principal != "ann@example.org,bob" {
				t.Fatalf("%+v, %v", v, err)
			}
			// The other direction: ssh-keygen signs.
			if err := os.Remove(filepath.Join(dir, signatureFile)); err != nil {
				t.Fatal(err)
			}
			keygen(t, "-q", "-Y", "sign", "-f", private, "-n", "brunt", filepath.Join(dir, sumsFile))
			if got := findings(t, dir, signers); got != nil {
				t.Errorf("signed by ssh-keygen: %q", got)
			}
			// A signature of another namespace is refused.
			if err := os.Remove(filepath.Join(dir, signatureFile)); err != nil {
				t.Fatal(err)
			}
			keygen(t, "-q", "-Y", "sign", "-f", private, "-n", "git", filepath.Join(dir, sumsFile))
			if got := findings(t, dir, signers); len(got) != 1 || !strings.Contains(got[0], `it was made for "git"`) {
				t.Errorf("made for git: %q", got)
			}
		})
	}
}

func TestVerify_Signers(t *testing.T) {
	private, public := newKey(t)
	signer, err := OpenSigner(private, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	dir := finishedRun(t, signer)
	key, _ := os.ReadFile(public)
	mine := strings.TrimSpace(string(key))
	other := filepath.Join(t.TempDir(), "other")
	_, otherPublic := newEd25519(t, strings.NewReader(strings.Repeat("x", 64)), other)
	theirs, _ := os.ReadFile(otherPublic)
	for _, c := range []struct{ name, file, want string }{
		{"the public key", mine, ""},
		{"the public key among others", string(theirs) + mine, ""},
		{"an allowed signer", "ann " + mine, ""},
		{"a quoted one", `"ann lee" ` + mine, ""},
		{"for all that is brunt's", `ann namespaces="b*" ` + mine, ""},
		{"whose time is now", `ann valid-after="20200101",valid-before="29990101Z" ` + mine, ""},
		{"whose time is over", `ann valid-before="20200101" ` + mine, "whose time that file says is not now"},
		{"whose time is to come", `ann valid-after="29990101" ` + mine, "whose time that file says is not now"},
		{"another key", string(theirs), "it is by SHA256:"},
		{"for another purpose", `ann namespaces="git" ` + mine, "lists no key"},
		{"an authority", "ann cert-authority " + mine, "lists no key"},
		{"a time that is none", `ann valid-after="soon" ` + mine, `:1: "soon" is not a time`},
		{"an option that is not known", "ann no-pty " + mine, `:1: the option "no-pty" is not known`},
		{"a private key", "-----BEGIN OPENSSH PRIVATE KEY-----\n", ":1: this is a private key"},
		{"nothing", "# none\n", "lists no key"},
		{"garbage", "\n\nx y z", ":3: this line is neither"},
		{"one word", "ann", ":1: this line names no key"},
		{"an open quote", `"ann ` + mine, ":1: a quote is not closed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "signers")
			put(t, file, c.file)
			signers, err := ReadSigners(file)
			got := fmt.Sprint(err)
			if err == nil {
				got = strings.Join(findings(t, dir, signers), "\n")
			}
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
	// A signature of other sums is refused.
	sums := filepath.Join(dir, sumsFile)
	text, _ := os.ReadFile(sums)
	if err := os.Remove(filepath.Join(dir, hlogFile)); err != nil {
		t.Fatal(err)
	}
	var fewer []string
	for _, line := range strings.SplitAfter(string(text), "\n") {
		if !strings.Contains(line, hlogFile) {
			fewer = append(fewer, line)
		}
	}
	put(t, sums, strings.Join(fewer, ""))
	if got := findings(t, dir, nil); len(got) != 1 || !strings.Contains(got[0], "it is not of this SHA256SUMS") {
		t.Errorf("sums made again: %q", got)
	}
}

// TestOpenSigner checks that a key with a passphrase needs the agent; without an agent the
// error says what to do.
func TestOpenSigner(t *testing.T) {
	private, public := newKey(t, "-t", "ed25519", "-N", "open sesame")
	if _, err := OpenSigner(private, noEnv); err == nil || !strings.Contains(err.Error(), "ssh-add "+private) ||
		!strings.Contains(err.Error(), "SSH_AUTH_SOCK is not set") {
		t.Errorf("locked, without an agent: %v", err)
	}
	text, _ := os.ReadFile(private)
	key, err := ssh.ParseRawPrivateKeyWithPassphrase(text, []byte("open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	ring := agent.NewKeyring()
	sock := filepath.Join(t.TempDir(), "a")
	l, err := net.Listen("unix", sock)
	if err != nil {
		t.Skipf("no sockets of Unix here: %v", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = agent.ServeAgent(ring, c)
			_ = c.Close()
		}
	}()
	defer func() {
		_ = l.Close()
		<-done
	}()
	env := func(name string) string { return map[string]string{"SSH_AUTH_SOCK": sock}[name] }
	if _, err := OpenSigner(public, env); err == nil || !strings.Contains(err.Error(), "does not have the key") {
		t.Errorf("an agent without it: %v", err)
	}
	if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
	signers, err := ReadSigners(public)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{private, public} {
		s, err := OpenSigner(file, env)
		if err != nil {
			t.Fatal(err)
		}
		if got := findings(t, finishedRun(t, s), signers); got != nil {
			t.Errorf("%s: %q", file, got)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "not an SSH key"},
		{"garbage", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n", "not an SSH key"},
	} {
		file := filepath.Join(t.TempDir(), "k")
		put(t, file, c.text)
		if _, err := OpenSigner(file, noEnv); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := OpenSigner(filepath.Join(t.TempDir(), "none"), noEnv); err == nil {
		t.Error("a key that is not there is taken")
	}
}
