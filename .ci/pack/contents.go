package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// An entry is a file of a package, by its path in an archive.
type entry struct {
	path string
	mode fs.FileMode
	text []byte
}

// contents lists what goes into the packages of a program: the program first.
func (r *release) contents(p program) ([]entry, error) {
	b, err := os.ReadFile(p.path)
	if err != nil {
		return nil, err
	}
	out := []entry{{p.file(), 0o755, b}}
	var texts []string
	if p.name == "brunt-k6" {
		texts = []string{"LICENSE", "LICENSE.k6", "NOTICE.k6"}
	} else {
		texts = []string{"LICENSE", "README.md"}
		for _, dir := range []string{"man", "completions"} {
			err := filepath.WalkDir(filepath.Join(r.texts, dir), func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				rel, err := filepath.Rel(r.texts, path)
				texts = append(texts, filepath.ToSlash(rel))
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	for _, name := range texts {
		b, err := os.ReadFile(filepath.Join(r.texts, filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		out = append(out, entry{name, 0o644, b})
	}
	others, err := thirdParties(p)
	return append(out, entry{"THIRD-PARTY.txt", 0o644, others}), err
}

// archive writes the archive of a program: a folder with its contents, as .zip for Windows and .tar.gz elsewhere.
func (r *release) archive(p program, in []entry) error {
	name := p.release(r.version)
	if p.os == "windows" {
		text, err := r.zip(name+"/", in)
		if err != nil {
			return err
		}
		return r.write(name+".zip", text)
	}
	text, err := r.tar(name+"/", in)
	if err != nil {
		return err
	}
	text, err = compressed(text)
	if err != nil {
		return err
	}
	return r.write(name+".tar.gz", text)
}

// tar makes an archive of entries below a folder.
func (r *release) tar(below string, in []entry) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range in {
		h := &tar.Header{
			Name: below + e.path, Mode: int64(e.mode), Size: int64(len(e.text)), ModTime: r.time,
			Typeflag: tar.TypeReg, Format: tar.FormatUSTAR,
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.text); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

func (r *release) zip(below string, in []entry) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range in {
		h := &zip.FileHeader{Name: below + e.path, Method: zip.Deflate, Modified: r.time}
		h.SetMode(e.mode)
		f, err := w.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := f.Write(e.text); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

// compressed compresses a text, without a name and a time.
func compressed(text []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}

// static reports an error if a program of Linux needs a loader.
func static(path string) error {
	f, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return errors.New("it is linked dynamically: build it with CGO_ENABLED=0")
		}
	}
	return nil
}

// thirdParties has the licences of the modules that a program is made of, as most of them ask for.
func thirdParties(p program) ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "The modules in %s. Each is under its own licence, which follows its name.\n", p.name)
	dirs, err := moduleFolders(p)
	if err != nil {
		return nil, err
	}
	for _, m := range dirs {
		fmt.Fprintf(&out, "\n== %s %s\n", m.path, m.version)
		found, err := licences(m.dir)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			fmt.Fprintln(&out, "\nThe module has no file with its licence: it is generated from another one.")
		}
		for _, f := range found {
			text, err := os.ReadFile(f)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&out, "\n%s\n", strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")))
		}
	}
	return out.Bytes(), nil
}

// licences lists the files of a module's folder that hold its licence.
func licences(dir string) ([]string, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range list {
		name := strings.ToUpper(e.Name())
		for _, begin := range []string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "PATENTS", "UNLICENSE"} {
			if strings.HasPrefix(name, begin) && e.Type().IsRegular() {
				out = append(out, filepath.Join(dir, e.Name()))
				break
			}
		}
	}
	return out, nil
}
