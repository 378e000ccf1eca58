package evidence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"brunt/reporters"
	"brunt/scenarios/disk"
)

// The files of the manifest of a folder and of its signature. The sums have the format of sha256sum, so that
// `sha256sum -c SHA256SUMS` checks the files. The signature has the format of ssh-keygen, so that `ssh-keygen -Y
// verify -n brunt -s SHA256SUMS.sig … < SHA256SUMS` checks the signer.
const (
	sumsFile      = "SHA256SUMS"
	signatureFile = "SHA256SUMS.sig"
)

// mostFiles bounds the files of a manifest: a folder with more files is not the folder of a run.
const mostFiles = 20_000

// errCrowded reports a folder with too many files to be the folder of a run.
var errCrowded = fmt.Errorf("it holds more than %d files; give a run a folder of its own", mostFiles)

func eventsPath(dir string) string { return filepath.Join(dir, eventsFile) }

// A manifestEntry is a line of SHA256SUMS.
type manifestEntry struct {
	name string // with slashes, relative to the folder
	sum  string // in hex
}

// WriteManifest writes SHA256SUMS over every file below dir, and with a signer SHA256SUMS.sig,
// its signature. Call it once nothing else is written to dir.
func WriteManifest(dir string, by *Signer) error {
	if err := RemoveManifest(dir); err != nil {
		return err
	}
	root, err := disk.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	found, err := listFiles(root)
	if err != nil {
		return err
	}
	if len(found.odd) > 0 {
		return errors.New(found.odd[0].String())
	}
	var sums []manifestEntry
	for _, name := range found.files {
		sum, err := sumOf(root, name)
		if err != nil {
			return err
		}
		sums = append(sums, manifestEntry{name, sum})
	}
	text := sumsText(sums)
	if err := writeWhole(filepath.Join(dir, sumsFile), text); err != nil || by == nil {
		return err
	}
	signature, err := by.sign(text)
	if err != nil {
		return fmt.Errorf("signing %s: %w", sumsFile, err)
	}
	return writeWhole(filepath.Join(dir, signatureFile), signature)
}

// Reseal gives the manifest of dir the sums of files that were drawn again. All other lines stay, so that a change of
// the evidence still shows. It does nothing without a manifest, or with one that brunt did not write as it is. The
// caller has checked by [Unchanged] that the folder is not sealed.
func Reseal(dir string, drawn []string) error {
	if len(drawn) == 0 {
		return nil
	}
	root, err := disk.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	text, err := readRegular(root, sumsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	list, _, wrong := readSums(text)
	if wrong != nil {
		return nil // `brunt verify` says what is wrong with it
	}
	for i, f := range list {
		if !slices.Contains(drawn, f.name) {
			continue
		}
		if list[i].sum, err = sumOf(root, f.name); err != nil {
			return err
		}
	}
	return writeWhole(filepath.Join(dir, sumsFile), sumsText(list))
}

// RemoveManifest removes SHA256SUMS and its signature, before something is written to the
// folder again.
func RemoveManifest(dir string) error {
	for _, name := range []string{signatureFile, sumsFile} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// A listing holds the contents of a folder.
type listing struct {
	files []string // sorted, with slashes, without the manifest, its signature and attestations
	odd   []Finding
}

// listFiles lists the contents of the folder. It does not follow links.
func listFiles(root *os.Root) (out listing, err error) {
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			out.odd = append(out.odd, Finding{name, 0, "it is a symbolic link: what it leads to is not evidence of this run"})
		case !d.Type().IsRegular():
			out.odd = append(out.odd, Finding{name, 0, "it is neither a file nor a folder"})
		case name == sumsFile, name == signatureFile, name == listSignature, attestationFiles.MatchString(name):
		default:
			out.files = append(out.files, name)
		}
		if len(out.files)+len(out.odd) > mostFiles {
			return errCrowded
		}
		return nil
	})
	slices.Sort(out.files)
	return out, err
}

func sumOf(root *os.Root, name string) (string, error) {
	f, err := disk.OpenIn(root, filepath.FromSlash(name))
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum, err := disk.DigestOf(f)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(sum[:]), nil
}

// sumsText writes sums in the format of sha256sum: a name with a line break or a backslash is escaped, and its line
// begins with a backslash.
func sumsText(list []manifestEntry) []byte {
	var b bytes.Buffer
	for _, f := range list {
		name := sumsEscape.Replace(f.name)
		if name != f.name {
			b.WriteByte('\\')
		}
		fmt.Fprintf(&b, "%s  %s\n", f.sum, name)
	}
	return b.Bytes()
}

var (
	sumsEscape   = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)
	sumsUnescape = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r")
)

// readSums parses the format of sumsText. The error describes the first malformed line; readSums parses the other
// lines nevertheless.
func readSums(text []byte) (list []manifestEntry, line int, wrong error) {
	rest := string(text)
	for n := 1; rest != ""; n++ {
		one, more, whole := strings.Cut(rest, "\n")
		one, escaped := strings.CutPrefix(one, `\`)
		sum, name, ok := strings.Cut(one, "  ")
		b, err := hex.DecodeString(sum)
		if !ok || !whole || err != nil || len(b) != sha256.Size || hex.EncodeToString(b) != sum || name == "" {
			if line == 0 {
				line, wrong = n, errors.New("this line is not a sum of a file")
			}
			rest = more
			continue
		}
		if escaped {
			name = sumsUnescape.Replace(name)
		}
		if len(list) > 0 && list[len(list)-1].name >= name && line == 0 {
			line, wrong = n, errors.New("this line is out of order")
		}
		list = append(list, manifestEntry{name, sum})
		rest = more
	}
	if wrong == nil && !bytes.Equal(sumsText(list), text) {
		return list, 0, errors.New("it is not as brunt writes it")
	}
	return list, line, wrong
}

// writeWhole writes a file atomically: it appears complete or not at all.
func writeWhole(path string, text []byte) error {
	return reporters.WriteFile(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}
