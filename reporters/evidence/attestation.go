package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"brunt/reporters/words"
	"brunt/scenarios/disk"
	"brunt/scenarios/syntax"
)

// An Attestation is what a person states about a finished run. It is a file beside the manifest of the run, with a
// signature in the format of ssh-keygen:
//
//	SHA256SUMS <-sums- attestation-1.json <-after- attestation-2.json
//	                          ^-signs- attestation-1.json.sig
//	                   attestations.sig -signs-> the SHA-256 of both
//
// It names the manifest by its SHA-256, so it covers every file of the run. The manifest does not list it, because it
// is made later. Several persons can attest the same run: each attestation names the one before it, and the last person
// signs the list of all, so that one that is removed leaves a trace. No folder shows that all were removed together
// with attestations.sig, or that an earlier copy of the folder was put back.
type Attestation struct {
	Version int       `json:"version"` // version of this file: 3; 2 has no attestations.sig, 1 no After
	By      string    `json:"by"`      // who looked at the run; a principal of the key, where signers have names
	At      time.Time `json:"at"`      // when, by the clock of the machine that signed
	States  string    `json:"states"`  // what the person states, in one line
	Run     string    `json:"run"`     // id of the run
	Name    string    `json:"name"`    // name of the scenario
	Sums    string    `json:"sums"`    // SHA-256 of SHA256SUMS, in hex
	// SHA-256 of the attestation before it, in hex; empty for the first
	After string `json:"after,omitempty"`
}

// attestationVersion is the version of the files of attestations that this brunt writes. It reads earlier ones too.
const attestationVersion = 3

// Limits of an attestation.
const (
	mostAttestations  = 100  // in a folder
	longestStatement  = 1000 // characters
	longestName       = 200  // characters
	mostAttestationKB = 16   // of the file
)

// ErrStatement is the error of [Attest] about a name or a text that can't be attested.
var ErrStatement = fmt.Errorf("an attestation wants a name of at most %d characters and a text of at most %d, "+
	"one line each", longestName, longestStatement)

// attestationFiles matches the files of attestations and their signatures. Their numbers have no leading zero.
var attestationFiles = regexp.MustCompile(`^attestation-([1-9][0-9]{0,2})\.json(\.sig)?$`)

func attestationFile(n int) string { return fmt.Sprintf("attestation-%d.json", n) }

const signatureSuffix = ".sig"

// listSignature is the file that signs the list of the attestations, which [attestationSums] returns.
const listSignature = "attestations.sig"

// unfinished tells what to do about half an attestation, and unfinishedList about one that the list does not have.
const (
	unfinished     = "; if brunt attest was interrupted, remove the file and attest again"
	unfinishedList = "; if brunt attest was interrupted, remove the last attestation and attest again"
)

// Attest writes a signed attestation into the folder of a run, and returns its file. By, At and States of a are the
// caller's; the rest comes from the folder. The caller has checked the folder by [Verify].
func Attest(dir string, by *Signer, a Attestation) (file string, err error) {
	a.By, a.States = strings.TrimSpace(a.By), strings.TrimSpace(a.States)
	if !isLine(a.By, longestName) || !isLine(a.States, longestStatement) {
		return "", ErrStatement
	}
	root, err := disk.OpenRoot(dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	sums, err := readRegular(root, sumsFile)
	if err != nil {
		return "", fmt.Errorf("only a run with a manifest can be attested: %w", err)
	}
	about, err := readSubject(root)
	if err != nil {
		return "", err
	}
	a.Version, a.At = attestationVersion, a.At.UTC().Truncate(time.Second)
	a.Run, a.Name, a.Sums = about.Run, about.Name, hashOf(sums)
	numbers, err := attestationNumbers(root)
	if err != nil {
		return "", err
	}
	for n := slices.Max(append(numbers, 0)) + 1; n <= mostAttestations; n++ { // more than once if another attests it now
		if n > 1 {
			before, err := readRegular(root, attestationFile(n-1))
			if err != nil {
				return "", err
			}
			a.After = hashOf(before)
		}
		text, err := a.encode()
		if err != nil {
			return "", err
		}
		signature, err := by.sign(text)
		if err != nil {
			return "", fmt.Errorf("signing the attestation: %w", err)
		}
		file = filepath.Join(dir, attestationFile(n))
		f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, disk.Shared)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = f.Write(text)
		if err = errors.Join(err, f.Close()); err == nil {
			err = writeWhole(file+signatureSuffix, signature)
		}
		if err != nil {
			return "", errors.Join(err, os.Remove(file))
		}
		return file, signList(dir, root, by)
	}
	return "", fmt.Errorf("it has %d attestations already", mostAttestations)
}

// signList signs the list of the attestations, and again if another person has attested meanwhile.
func signList(dir string, root *os.Root, by *Signer) error {
	for before := ""; ; {
		numbers, err := attestationNumbers(root)
		if err != nil {
			return err
		}
		list := attestationSums(root, numbers)
		if list == before {
			return nil
		}
		before = list
		signature, err := by.sign([]byte(list))
		if err != nil {
			return fmt.Errorf("signing the list of attestations: %w", err)
		}
		if err := writeWhole(filepath.Join(dir, listSignature), signature); err != nil {
			return err
		}
	}
}

// attestationSums returns the list of the attestations in a folder, in the format of sha256sum. It leaves out what
// can't be read.
func attestationSums(root *os.Root, numbers []int) string {
	var b strings.Builder
	for _, n := range numbers {
		if text, err := readRegular(root, attestationFile(n)); err == nil {
			fmt.Fprintf(&b, "%s  %s\n", hashOf(text), attestationFile(n))
		}
	}
	return b.String()
}

// isLine reports whether text is a line of at most so many characters, and not empty.
func isLine(text string, most int) bool {
	n := utf8.RuneCountInString(text)
	return n > 0 && n <= most && !strings.ContainsFunc(text, unicode.IsControl)
}

// encode returns the only form in which an attestation is valid: a line for each key, in a fixed order.
func (a *Attestation) encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(a)
	return b.Bytes(), err
}

// A subject is the part of a result that attestations name.
type subject struct {
	Run   string    `json:"run"`
	Name  string    `json:"name"`
	Ended time.Time `json:"ended"`
}

func readSubject(root *os.Root) (s subject, err error) {
	b, err := readRegular(root, resultFile)
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("%s: %w", resultFile, err)
	}
	return s, nil
}

// An Attested is an attestation as it was found in the folder of a run.
type Attested struct {
	Attestation
	File    string     // its name in the folder
	Signed  *Signature // nil if the signature is not valid
	Problem string     // why it does not count, in a sentence; empty if it is valid
	Remark  string     // something that a reader should know; may be empty
}

// ReadAttestations reads the attestations of a run, in the order of their numbers. Signers restricts the keys; nil
// accepts any. It checks result.json against the manifest, but no other file: [Verify] does that.
func ReadAttestations(dir string, signers *Signers) ([]Attested, error) {
	root, err := disk.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	numbers, err := attestationNumbers(root)
	if err != nil || len(numbers) == 0 && !isThere(root, listSignature) {
		return nil, err
	}
	sums, err := readRegular(root, sumsFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	list, err := attestations(root, numbers, sums, signers)
	if err != nil || len(list) == 0 {
		return list, err
	}
	entries, _, _ := readSums(sums)
	sum, err := sumOf(root, resultFile)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(entries, manifestEntry{resultFile, sum}) {
		for i := range list {
			if list[i].Problem == "" {
				list[i].Problem = resultFile + " differs from the manifest that it is about"
			}
		}
	}
	return list, nil
}

// unknownSum stands for the SHA-256 of an attestation that is missing, as another finding says.
const unknownSum = "?"

// attestations reads the attestations of a folder that have these numbers.
func attestations(root *os.Root, numbers []int, sums []byte, signers *Signers) (out []Attested, err error) {
	about, unread := readSubject(root)
	seen, before := map[string]string{}, "" // files by their SHA-256, and that of the attestation before
	for i, n := range numbers {
		name := attestationFile(n)
		if last := slices.Max(append(numbers[:i:i], 0)); n > last+1 {
			out = append(out, Attested{
				File: attestationFile(last + 1), Problem: fmt.Sprintf("it is missing, and %s is there: it was removed", name),
			})
			before = unknownSum
		}
		a := Attested{File: name}
		if !isThere(root, name) {
			a.Problem = "it is missing, and its signature is there" + unfinished
			out, before = append(out, a), unknownSum
			continue
		}
		b, err := readRegular(root, name)
		if errors.Is(err, fs.ErrNotExist) { // not a regular file, as another finding says
			before = unknownSum
			continue
		}
		if err != nil {
			return nil, err
		}
		if a.Problem = a.read(b); a.Problem == "" {
			a.Problem = a.agrees(sums, about, unread)
		}
		sum := hashOf(b)
		switch {
		case a.Problem != "":
		case seen[sum] != "":
			a.Problem = "it is a copy of " + seen[sum]
		case a.Version > 1 && before != unknownSum && a.After != before:
			a.Problem = "it does not follow the attestation before it, which was changed or removed"
		}
		seen[sum], before = name, sum
		signature, err := readRegular(root, name+signatureSuffix)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			a.Problem = "it is not signed: " + name + signatureSuffix + " is missing" + unfinished
		case err != nil:
			return nil, err
		default:
			signed, err := signers.check(a.By, name, b, signature)
			if err != nil {
				a.Problem = "its signature does not hold: " + err.Error()
			}
			a.Signed = signed
		}
		out = append(out, a)
	}
	return checkList(root, out, numbers, signers)
}

// checkList adds what is wrong with the list of the attestations, if nothing is wrong with one of them.
func checkList(root *os.Root, all []Attested, numbers []int, signers *Signers) ([]Attested, error) {
	version := 0
	for i := range all {
		if all[i].Problem != "" {
			return all, nil
		}
		version = max(version, all[i].Version)
	}
	signature, err := readRegular(root, listSignature)
	if errors.Is(err, fs.ErrNotExist) {
		switch {
		case len(all) == 0:
		case version < attestationVersion:
			last := &all[len(all)-1]
			last.Remark = strings.TrimPrefix(last.Remark+"; ", "; ") + "one after " + last.File + " would have left no trace: " +
				"an earlier brunt made it, without " + listSignature
		default:
			all = append(all, Attested{File: listSignature, Problem: "it is missing: an attestation after " +
				all[len(all)-1].File + " may have been removed with it" + unfinishedList})
		}
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	a := Attested{File: listSignature}
	signed, err := signers.check("", "list of attestations", []byte(attestationSums(root, numbers)), signature)
	own := func(one Attested) bool { return signed != nil && one.Signed != nil && one.Signed.Key == signed.Key }
	switch {
	case len(all) == 0:
		a.Problem = "it signs attestations, and none is here: all were removed"
	case err != nil:
		a.Problem = fmt.Sprintf("it does not sign the %s that are here: one after %s was removed, or the list was changed%s (%v)",
			syntax.Amount(len(all), "attestation"), all[len(all)-1].File, unfinishedList, err)
	case !slices.ContainsFunc(all, own):
		a.Problem = fmt.Sprintf("it is by %s, which made no attestation", signed.Key)
	default:
		return all, nil
	}
	return append(all, a), nil
}

// attestationNumbers lists the numbers of the attestations in a folder, and of signatures without one.
func attestationNumbers(root *os.Root) (out []int, err error) {
	list, err := fs.ReadDir(root.FS(), ".")
	for _, d := range list {
		if m := attestationFiles.FindStringSubmatch(d.Name()); m != nil {
			n, _ := strconv.Atoi(m[1])
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), err
}

// read decodes an attestation, and returns what is wrong with it; empty if nothing is.
func (a *Attested) read(text []byte) string {
	if len(text) > mostAttestationKB<<10 {
		return fmt.Sprintf("it is larger than %d KiB", mostAttestationKB)
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(text, &keys); err != nil {
		return "it is not an attestation: " + err.Error()
	}
	known := attestationKeys()
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !slices.Contains(known, key) {
			return fmt.Sprintf("it has an unknown key %q; %s", syntax.Clip(key, 40), syntax.DidYouMean(key, known))
		}
	}
	if err := json.Unmarshal(text, &a.Attestation); err != nil {
		return "it is not an attestation: " + err.Error()
	}
	if a.Version != attestationVersion && a.Version != 1 {
		return fmt.Sprintf("it is version %d, and this brunt reads version %d", a.Version, attestationVersion)
	}
	if again, err := a.encode(); err != nil || !bytes.Equal(again, text) {
		return "it is not as brunt attest writes it"
	}
	return ""
}

// attestationKeys lists the keys of an attestation.
func attestationKeys() (out []string) {
	for f := range reflect.TypeFor[Attestation]().Fields() {
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		out = append(out, key)
	}
	return out
}

// agrees compares an attestation with the manifest and the result of its folder.
func (a *Attested) agrees(sums []byte, about subject, unread error) string {
	switch {
	case sums == nil:
		return sumsFile + ", which it is about, is missing"
	case a.Sums != hashOf(sums):
		return "it is about another " + sumsFile +
			": the manifest was written again after it was made, or it is of another run"
	case unread != nil:
		return resultFile + " can't be read: " + unread.Error()
	case a.Run != about.Run || a.Name != about.Name:
		return fmt.Sprintf("it names the run %q of %q, and this is %q of %q", a.Run, a.Name, about.Run, about.Name)
	case strings.TrimSpace(a.By) == "" || strings.TrimSpace(a.States) == "":
		return "it has no name, or no text"
	}
	if a.At.Before(about.Ended.Truncate(time.Second)) {
		a.Remark = fmt.Sprintf(
			"%s says that it was made at %s, before the run ended at %s: one of the two clocks was wrong", a.File,
			a.At.Format(time.RFC3339), about.Ended.UTC().Format(time.RFC3339))
	}
	return ""
}

// attested adds the attestations to a verification.
func (v *Verification) attested(root *os.Root, sums []byte, signers *Signers) (err error) {
	numbers, err := attestationNumbers(root)
	if err != nil || len(numbers) == 0 && !isThere(root, listSignature) {
		return err
	}
	if v.Attested, err = attestations(root, numbers, sums, signers); err != nil {
		return err
	}
	for _, a := range v.Attested {
		if a.Problem != "" {
			v.add(a.File, 0, "%s", a.Problem)
		}
		if a.Remark != "" {
			v.Notes = append(v.Notes, words.Clean(a.Remark))
		}
	}
	return nil
}

// isPrincipal reports whether a name is one of the principals of an allowed signer: names with * and ?, separated by
// commas, as ssh-keygen -I takes them. A name after ! is excluded.
func isPrincipal(name, principals string) (yes bool) {
	for p := range strings.SplitSeq(principals, ",") {
		p, not := strings.CutPrefix(strings.TrimSpace(p), "!")
		if ok, _ := path.Match(p, name); !ok {
			continue
		}
		if not {
			return false
		}
		yes = true
	}
	return yes
}
