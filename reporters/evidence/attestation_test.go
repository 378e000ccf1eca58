package evidence

import (
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

var attestedAt = time.Date(2099, 7, 14, 10, 15, 0, 5e8, time.FixedZone("CEST", 2*3600))

// attestedRun creates the folder of a run that ann has attested, and the file of allowed signers: ann and bob.
func attestedRun(t *testing.T) (dir string, ann, bob *Signer, allowed string) {
	t.Helper()
	allowed = filepath.Join(t.TempDir(), "allowed")
	var lines string
	open := func(name string) *Signer {
		private, public := newEd25519(t, rand.Reader, filepath.Join(t.TempDir(), name))
		key, err := os.ReadFile(public)
		if err != nil {
			t.Fatal(err)
		}
		lines += name + "@example.org," + name + " " + string(key)
		s, err := OpenSigner(private, noEnv)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ann, bob = open("ann"), open("bob")
	put(t, allowed, lines)
	dir = finishedRun(t, ann)
	attest(t, dir, ann, "ann@example.org")
	return dir, ann, bob, allowed
}

func attest(t *testing.T, dir string, by *Signer, name string) string {
	t.Helper()
	file, err := Attest(dir, by, Attestation{
		By: name, At: attestedAt, States: "recovery in 4 s <as> expected & \"fine\"",
	})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func readAllowedFile(t *testing.T, file string) *Signers {
	t.Helper()
	s, err := ReadSigners(file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAttest(t *testing.T) {
	dir, _, bob, allowed := attestedRun(t)
	attest(t, dir, bob, "bob")
	v, err := Verify(dir, readAllowedFile(t, allowed), isDerived)
	if err != nil || len(v.Findings) > 0 || len(v.Attested) != 2 {
		t.Fatalf("%+v, %v", v, err)
	}
	for i, want := range []string{"ann@example.org", "bob"} {
		a := v.Attested[i]
		if a.By != want || a.At.Format(time.RFC3339) != "2099-07-14T08:15:00Z" || a.Signed == nil || a.Problem != "" ||
			a.Remark != "" || !strings.HasPrefix(a.Signed.Principal, want[:3]) || a.Run == "" {
			t.Errorf("%+v", a)
		}
	}
	list, err := ReadAttestations(dir, nil)
	if err != nil || len(list) != 2 || list[0].Problem != "" || list[1].Problem != "" {
		t.Errorf("%+v, %v", list, err)
	}
	suite.Needs(t, suite.Programs("ssh-keygen"))
	for file, name := range map[string]string{"attestation-1.json": "ann@example.org", "attestation-2.json": "bob"} {
		path := filepath.Join(dir, file)
		check := func(name string) (string, error) {
			text, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer text.Close()
			c := exec.Command("ssh-keygen", "-Y", "verify", "-f", allowed, "-I", name, "-n", "brunt", "-s", path+".sig")
			c.Stdin = text
			out, err := c.CombinedOutput()
			return string(out), err
		}
		if out, err := check(name); err != nil || !strings.Contains(out, "Good") {
			t.Errorf("ssh-keygen: %v: %s", err, out)
		}
		if out, err := check("eve"); err == nil {
			t.Errorf("ssh-keygen takes it for eve's: %s", out)
		}
	}
}

// TestAttest_Refused: nothing is signed that says nothing, or that nothing pins down.
func TestAttest_Refused(t *testing.T) {
	dir, ann, _, _ := attestedRun(t)
	for _, a := range []Attestation{
		{States: "fine"},
		{By: "ann"},
		{By: "ann", States: " "},
		{By: "ann", States: "a\nb"},
		{By: strings.Repeat("a", 201), States: "fine"},
		{By: strings.Repeat("a", 201), States: strings.Repeat("a", 201)},
		{By: "ann", States: strings.Repeat("a", 1001)},
	} {
		if file, err := Attest(dir, ann, a); !errors.Is(err, ErrStatement) {
			t.Errorf("%+v: %s, %v", a, file, err)
		}
	}
	if err := RemoveManifest(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := Attest(dir, ann, Attestation{By: "ann", States: "fine"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a manifest: %v", err)
	}
}

// TestVerify_Attestations: a forged attestation, and one that was changed later, is named.
func TestVerify_Attestations(t *testing.T) {
	const text = "attestation-1.json"
	for _, c := range []struct {
		name   string
		change func(t *testing.T, dir string, ann, bob *Signer)
		want   string // of the only finding about the attestation; empty for none
	}{
		{"untouched", func(*testing.T, string, *Signer, *Signer) {}, ""},
		{"another text", func(t *testing.T, dir string, _, _ *Signer) {
			edit(t, filepath.Join(dir, text), "in 4 s", "in 1 s")
		}, text + ": its signature does not hold: it is not of this " + text},
		{"another name", func(t *testing.T, dir string, _, _ *Signer) {
			edit(t, filepath.Join(dir, text), "ann@", "bob@")
		}, text + ": its signature does not hold"},
		{"signed by another for her", func(t *testing.T, dir string, _, bob *Signer) {
			sign(t, filepath.Join(dir, text), bob)
		}, "it says that ann@example.org made it, and "},
		{"signed by a stranger", func(t *testing.T, dir string, _, _ *Signer) {
			private, _ := newEd25519(t, rand.Reader, filepath.Join(t.TempDir(), "eve"))
			eve, err := OpenSigner(private, noEnv)
			if err != nil {
				t.Fatal(err)
			}
			sign(t, filepath.Join(dir, text), eve)
		}, "which is not among those of"},
		{"not signed", func(t *testing.T, dir string, _, _ *Signer) {
			remove(t, filepath.Join(dir, text+".sig"))
		}, text + ": it is not signed"},
		{"its signature alone", func(t *testing.T, dir string, _, _ *Signer) {
			remove(t, filepath.Join(dir, text))
		}, text + ": it is missing, and its signature is there"},
		{"a manifest written again", func(t *testing.T, dir string, ann, _ *Signer) {
			put(t, filepath.Join(dir, "junit.xml"), "<testsuites errors=\"0\"/>\n")
			if err := WriteManifest(dir, ann); err != nil {
				t.Fatal(err)
			}
		}, text + ": it is about another SHA256SUMS"},
		{"an unknown key", func(t *testing.T, dir string, ann, _ *Signer) {
			edit(t, filepath.Join(dir, text), `"states"`, `"state"`)
			sign(t, filepath.Join(dir, text), ann)
		}, text + `: it has an unknown key "state"; did you mean "states"?`},
		{"a key twice", func(t *testing.T, dir string, ann, _ *Signer) {
			edit(t, filepath.Join(dir, text), ` "by"`, ` "by": "bob",`+"\n"+` "by"`)
			sign(t, filepath.Join(dir, text), ann)
		}, text + ": it is not as brunt attest writes it"},
		{"another version", func(t *testing.T, dir string, ann, _ *Signer) {
			edit(t, filepath.Join(dir, text), `"version": 3`, `"version": 4`)
			sign(t, filepath.Join(dir, text), ann)
		}, text + ": it is version 4"},
		{"no JSON", func(t *testing.T, dir string, ann, _ *Signer) {
			put(t, filepath.Join(dir, text), "fine")
			sign(t, filepath.Join(dir, text), ann)
		}, text + ": it is not an attestation"},
		{"of another run", func(t *testing.T, dir string, ann, _ *Signer) {
			edit(t, filepath.Join(dir, text), `"run": "`, `"run": "x`)
			sign(t, filepath.Join(dir, text), ann)
		}, text + ": it names the run"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, ann, bob, allowed := attestedRun(t)
			c.change(t, dir, ann, bob)
			got := findings(t, dir, readAllowedFile(t, allowed))
			if c.want == "" && got != nil || c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestVerify_AttestationChain: of several attestations, one that was copied, removed or moved is named.
func TestVerify_AttestationChain(t *testing.T) {
	move := func(t *testing.T, dir string, from, to int) {
		for _, end := range []string{"", signatureSuffix} {
			err := os.Rename(filepath.Join(dir, attestationFile(from)+end), filepath.Join(dir, attestationFile(to)+end))
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	drop := func(t *testing.T, dir string, n int) {
		remove(t, filepath.Join(dir, attestationFile(n)))
		remove(t, filepath.Join(dir, attestationFile(n)+signatureSuffix))
	}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, dir string, ann *Signer)
		want   []string // of each finding
	}{
		{"untouched", func(*testing.T, string, *Signer) {}, nil},
		{"a copy", func(t *testing.T, dir string, _ *Signer) {
			for _, end := range []string{"", signatureSuffix} {
				text, err := os.ReadFile(filepath.Join(dir, attestationFile(1)+end))
				if err != nil {
					t.Fatal(err)
				}
				put(t, filepath.Join(dir, attestationFile(4)+end), string(text))
			}
		}, []string{"attestation-4.json: it is a copy of attestation-1.json"}},
		{"the second removed", func(t *testing.T, dir string, _ *Signer) {
			drop(t, dir, 2)
		}, []string{"attestation-2.json: it is missing, and attestation-3.json is there: it was removed"}},
		{"the first removed, and the others moved", func(t *testing.T, dir string, _ *Signer) {
			drop(t, dir, 1)
			move(t, dir, 2, 1)
			move(t, dir, 3, 2)
		}, []string{"attestation-1.json: it does not follow the attestation before it"}},
		{"the second removed, and the third moved", func(t *testing.T, dir string, _ *Signer) {
			drop(t, dir, 2)
			move(t, dir, 3, 2)
		}, []string{"attestation-2.json: it does not follow the attestation before it"}},
		{"the first made again", func(t *testing.T, dir string, ann *Signer) {
			edit(t, filepath.Join(dir, attestationFile(1)), "in 4 s", "in 1 s")
			sign(t, filepath.Join(dir, attestationFile(1)), ann)
		}, []string{"attestation-2.json: it does not follow the attestation before it"}},
		{"of an earlier brunt", func(t *testing.T, dir string, ann *Signer) {
			drop(t, dir, 3)
			drop(t, dir, 2)
			edit(t, filepath.Join(dir, attestationFile(1)), `"version": 3`, `"version": 1`)
			sign(t, filepath.Join(dir, attestationFile(1)), ann)
			remove(t, filepath.Join(dir, listSignature))
		}, nil},
		{"the last removed", func(t *testing.T, dir string, _ *Signer) {
			drop(t, dir, 3)
		}, []string{"attestations.sig: it does not sign the 2 attestations that are here: one after attestation-2.json was removed"}},
		{"the last removed, with the list", func(t *testing.T, dir string, _ *Signer) {
			drop(t, dir, 3)
			remove(t, filepath.Join(dir, listSignature))
		}, []string{"attestations.sig: it is missing: an attestation after attestation-2.json may have been removed"}},
		{"the last removed, and the list signed by a stranger", func(t *testing.T, dir string, _ *Signer) {
			drop(t, dir, 3)
			private, _ := newEd25519(t, rand.Reader, filepath.Join(t.TempDir(), "eve"))
			eve, err := OpenSigner(private, noEnv)
			if err != nil {
				t.Fatal(err)
			}
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			if err := signList(dir, root, eve); err != nil {
				t.Fatal(err)
			}
		}, []string{"attestations.sig: it is by SHA256:"}},
		{"all removed", func(t *testing.T, dir string, _ *Signer) {
			for n := range 3 {
				drop(t, dir, n+1)
			}
		}, []string{"attestations.sig: it signs attestations, and none is here: all were removed"}},
		{"all removed, with the list: no folder shows it", func(t *testing.T, dir string, _ *Signer) {
			for n := range 3 {
				drop(t, dir, n+1)
			}
			remove(t, filepath.Join(dir, listSignature))
		}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, ann, bob, _ := attestedRun(t)
			attest(t, dir, bob, "bob")
			if file := attest(t, dir, bob, "bob2"); filepath.Base(file) != attestationFile(3) {
				t.Fatal(file)
			}
			c.change(t, dir, ann)
			got := findings(t, dir, nil)
			if len(got) != len(c.want) {
				t.Fatalf("%q, want %q", got, c.want)
			}
			for i := range got {
				if !strings.Contains(got[i], c.want[i]) {
					t.Errorf("%q, want %q", got[i], c.want[i])
				}
			}
		})
	}
}

// TestVerify_AttestationBytes flips each byte of an attestation and of its signature.
func TestVerify_AttestationBytes(t *testing.T) {
	_, ann, _, allowed := attestedRun(t)
	signers, dir := readAllowedFile(t, allowed), t.TempDir()
	put(t, filepath.Join(dir, resultFile), `{"run": "r", "name": "small, so that this is fast"}`)
	if err := WriteManifest(dir, nil); err != nil {
		t.Fatal(err)
	}
	attest(t, dir, ann, "ann")
	for _, name := range []string{"attestation-1.json", "attestation-1.json.sig"} {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range text {
			text[i] ^= 1
			put(t, path, string(text))
			list, err := ReadAttestations(dir, signers)
			if err != nil || len(list) != 1 || list[0].Problem == "" {
				t.Fatalf("byte %d of %s: %+v, %v", i, name, list, err)
			}
			text[i] ^= 1
		}
		put(t, path, string(text))
	}
	if list, err := ReadAttestations(dir, signers); err != nil || list[0].Problem != "" {
		t.Errorf("restored: %+v, %v", list, err)
	}
	put(t, filepath.Join(dir, resultFile), "{}")
	if list, err := ReadAttestations(dir, signers); err != nil || list[0].Problem == "" {
		t.Errorf("with another result: %+v, %v", list, err)
	}
}

func edit(t *testing.T, path, before, now string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), before) {
		t.Fatalf("%s has no %s: %v", path, before, err)
	}
	put(t, path, strings.Replace(string(text), before, now, 1))
}

// sign signs a file again, as a person can by ssh-keygen.
func sign(t *testing.T, path string, by *Signer) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := by.sign(text)
	if err != nil {
		t.Fatal(err)
	}
	put(t, path+".sig", string(signature))
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
