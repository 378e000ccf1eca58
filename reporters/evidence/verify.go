package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"brunt/reporters/words"
	"brunt/scenarios/disk"
	"brunt/scenarios/syntax"
)

// A Finding is a mismatch between a folder and its manifest, or a broken link in its events.
type Finding struct {
	File string // with slashes, relative to the folder
	Line int    // from 1; 0: the whole file
	Text string
}

// String formats the finding as file:line: text.
func (f Finding) String() string {
	name := words.Clean(f.File)
	if f.Line > 0 {
		name = fmt.Sprintf("%s:%d", name, f.Line)
	}
	return name + ": " + words.Clean(f.Text)
}

// mostFindings bounds the number of reported breaks in one chain.
const mostFindings = 20

// A Verification is the outcome of [Verify].
type Verification struct {
	Files    int // files that match the manifest
	Events   int // lines of events.jsonl
	Signed   *Signature
	Attested []Attested // in the order of their numbers
	Findings []Finding  // empty: the folder matches its manifest
	Notes    []string   // further remarks for the reader
}

// errNoRun reports that a folder is not the folder of a run.
var errNoRun = errors.New("it is not a folder of a run: it has neither " + sumsFile + " nor " + resultFile + " nor " +
	eventsFile)

// Verify checks that a folder did not change after its run ended: every file in SHA256SUMS exists unchanged, there is
// no other file, the lines of events.jsonl are linked, and the signature is valid. With signers, the signature must
// exist and one of them must have made it. Derived reports whether a file can be drawn from the evidence; nil: no
// file can. An error means that the folder could not be checked.
func Verify(dir string, signers *Signers, derived func(file string) bool) (*Verification, error) {
	root, err := disk.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	v := &Verification{}
	found, err := listFiles(root)
	if err != nil {
		return nil, err
	}
	v.Findings = found.odd
	sums, err := readRegular(root, sumsFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if !isThere(root, resultFile) && !isThere(root, eventsFile) {
			return nil, errNoRun
		}
		v.unsealed(root)
	case err != nil:
		return nil, err
	default:
		if err := v.files(root, found.files, sums, derived); err != nil {
			return nil, err
		}
	}
	if err := v.events(root); err != nil {
		return nil, err
	}
	if err := v.attested(root, sums, signers); err != nil {
		return nil, err
	}
	return v, v.signature(root, sums, signers)
}

// readRegular reads a file. If it is not a regular file, readRegular treats it as missing.
func readRegular(root *os.Root, name string) ([]byte, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // reported by listFiles
		return nil, fs.ErrNotExist
	}
	f, err := disk.OpenIn(root, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := disk.Limited(f, mostResult)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

func isThere(root *os.Root, name string) bool {
	_, err := root.Lstat(name)
	return err == nil
}

func (v *Verification) add(file string, line int, format string, args ...any) {
	v.Findings = append(v.Findings, Finding{file, line, fmt.Sprintf(format, args...)})
}

// unsealed reports the missing parts of a run without a manifest.
func (v *Verification) unsealed(root *os.Root) {
	v.add(sumsFile, 0, "it is missing: the run did not come to its end, or its manifest was never written")
	if !isThere(root, resultFile) {
		v.add(resultFile, 0, "it is missing: the run was ended before its verdict")
	}
}

// files compares the files with their sums.
func (v *Verification) files(root *os.Root, there []string, text []byte, derived func(string) bool) error {
	list, line, err := readSums(text)
	if err != nil {
		v.add(sumsFile, line, "%v", err)
	}
	known := map[string]string{}
	for _, f := range list {
		known[f.name] = f.sum
	}
	for _, name := range there {
		sum, listed := known[name]
		delete(known, name)
		if !listed {
			v.add(name, 0, "the manifest does not list it")
			continue
		}
		is, err := sumOf(root, name)
		switch {
		case err != nil:
			return err
		case is != sum && derived != nil && derived(name):
			v.add(name, 0, "it differs from the manifest; `brunt report DIR -o ELSEWHERE` draws it from %s and %s", resultFile,
				hlogFile)
		case is != sum:
			v.add(name, 0, "it differs from the manifest")
		default:
			v.Files++
		}
	}
	for _, f := range list {
		if _, missing := known[f.name]; missing {
			v.add(f.name, 0, "it is missing")
		}
	}
	return nil
}

// events checks the chain of events.jsonl. An imported run has no such file.
func (v *Verification) events(root *os.Root) error {
	info, err := root.Lstat(eventsFile)
	if err != nil || !info.Mode().IsRegular() {
		return nil // missing or not a regular file: already reported
	}
	f, err := disk.OpenIn(root, eventsFile)
	if err != nil {
		return err
	}
	defer f.Close()
	c, err := checkChain(f)
	if err != nil {
		return err
	}
	v.Events = c.lines
	v.Findings = append(v.Findings, c.findings...)
	if c.lines > 0 && c.last.Event != "run.end" {
		v.Notes = append(v.Notes,
			fmt.Sprintf("%s ends after %s, %s after the load began, with %s: the run was ended meanwhile", eventsFile,
				syntax.Amount(c.lines, "line"), words.Seconds(c.last.T), words.Clean(c.last.Event)))
	}
	return nil
}

// signature checks the signature of the sums and its key.
func (v *Verification) signature(root *os.Root, sums []byte, signers *Signers) error {
	sig, err := readRegular(root, signatureFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if signers != nil {
			v.add(signatureFile, 0, "it is missing: this run is not signed")
		}
		return nil
	case err != nil:
		return err
	case sums == nil:
		v.add(signatureFile, 0, "what it signs is missing")
		return nil
	}
	v.Signed, err = signers.check("", sumsFile, sums, sig)
	if err != nil {
		v.add(signatureFile, 0, "%v", err)
	}
	return nil
}

// Unchanged returns the files of dir that match the manifest; none without a manifest. Sealed reports whether the
// folder holds a signature of the manifest or an attestation, which a change of the manifest would break.
func Unchanged(dir string) (same map[string]bool, sealed bool, err error) {
	root, err := disk.OpenRoot(dir)
	if err != nil {
		return nil, false, err
	}
	defer root.Close()
	numbers, err := attestationNumbers(root)
	if err != nil {
		return nil, false, err
	}
	sealed = len(numbers) > 0 || isThere(root, signatureFile)
	same = map[string]bool{}
	text, err := readRegular(root, sumsFile)
	if err != nil {
		return same, sealed, nil
	}
	list, _, _ := readSums(text)
	for _, f := range list {
		if is, err := sumOf(root, f.name); err == nil {
			same[f.name] = is == f.sum
		}
	}
	return same, sealed, nil
}
