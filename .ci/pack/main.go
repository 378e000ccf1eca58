// The packages of a release, from programs that are built: archives, packages of Debian, Fedora and Alpine, images, bills
// of materials, a formula of Homebrew, an extension of Visual Studio Code, and checksums. The same programs and texts give the same bytes, on any machine and in any
// folder.
//
//	pack -version v1.2.3 -time 1700000000 -programs DIR -texts DIR -out DIR
//
//	pack -module PATH -source DIR -version v1.2.3 -time 1700000000 -out DIR
//
// The second form writes brunt's module under another path, as a module proxy serves it.
//
//	programs  GOOS_GOARCH/brunt and GOOS_GOARCH/brunt-k6, with .exe on Windows
//	texts     README.md, LICENSE, LICENSE.k6 and NOTICE.k6 for brunt-k6, man/man1, completions, vscode
//
// .ci/release builds them and calls this. It is a module of its own, so that what it needs is not in brunt's.
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("pack: ")
	var r release
	var at int64
	flag.StringVar(&r.version, "version", "", "of the release, as v1.2.3")
	flag.Int64Var(&at, "time", 0, "of every file in the packages, in seconds since 1970; that of the commit")
	flag.StringVar(&r.programs, "programs", "", "the folder of the programs")
	flag.StringVar(&r.texts, "texts", "", "the folder of the texts")
	flag.StringVar(&r.out, "out", "", "the folder that the packages are written to")
	flag.StringVar(&r.url, "url", "https://github.com/OWNER/REPO/releases/download", "where releases are downloaded from")
	var p publication
	flag.StringVar(&p.path, "module", "", "the path to publish brunt's module under, such as example.org/team/brunt")
	flag.StringVar(&p.source, "source", "", "a checkout of brunt, which is rewritten, with -module")
	flag.StringVar(&r.maintainer, "maintainer", "The brunt developers <brunt@example.invalid>", "of the packages of Linux")
	flag.Parse()
	r.time = time.Unix(at, 0).UTC()
	if p.path != "" {
		p.version, p.time, p.out = r.version, r.time, r.out
		if err := p.publish(); err != nil {
			log.Fatal(err)
		}
		return
	}
	if err := r.pack(); err != nil {
		log.Fatal(err)
	}
}

// A release is what is packed.
type release struct {
	version, programs, texts, out, url, maintainer string
	time                                           time.Time
}

// A program is one built program.
type program struct {
	name, os, arch string // as brunt, linux, amd64
	path           string
	build          *buildinfo.BuildInfo
}

// file is its name in a package.
func (p program) file() string { return filepath.Base(p.path) }

// release is the name of its packages, without an ending.
func (p program) release(version string) string {
	return fmt.Sprintf("%s_%s_%s_%s", p.name, strings.TrimPrefix(version, "v"), p.os, p.arch)
}

// pack writes all packages and SHA256SUMS.
func (r *release) pack() error {
	if r.version == "" || r.programs == "" || r.texts == "" || r.out == "" || r.time.Unix() == 0 {
		return errors.New("want -version, -time, -programs, -texts and -out")
	}
	all, err := r.find()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o777); err != nil {
		return err
	}
	for _, p := range all {
		if err := r.packages(p); err != nil {
			return fmt.Errorf("%s for %s/%s: %w", p.name, p.os, p.arch, err)
		}
	}
	if err := errors.Join(r.formula(all), r.extension()); err != nil {
		return err
	}
	return r.sums()
}

// packages writes the packages of one program.
func (r *release) packages(p program) error {
	if p.os == "linux" {
		if err := static(p.path); err != nil {
			return err
		}
	}
	in, err := r.contents(p)
	if err != nil {
		return err
	}
	if err := r.archive(p, in); err != nil {
		return err
	}
	if err := r.bill(p); err != nil {
		return err
	}
	if p.os != "linux" {
		return nil
	}
	for _, format := range formats {
		if err := r.linux(format, p, in); err != nil {
			return fmt.Errorf("%s: %w", format, err)
		}
	}
	if p.name != "brunt" {
		return nil
	}
	return r.image(p, in)
}

// find returns the programs, in order.
func (r *release) find() ([]program, error) {
	paths, err := filepath.Glob(filepath.Join(r.programs, "*_*", "*"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("no program is in %s (%v)", r.programs, err)
	}
	slices.Sort(paths)
	var out []program
	for _, path := range paths {
		system, arch, _ := strings.Cut(filepath.Base(filepath.Dir(path)), "_")
		p := program{name: strings.TrimSuffix(filepath.Base(path), ".exe"), os: system, arch: arch, path: path}
		if p.build, err = buildinfo.ReadFile(path); err != nil {
			return nil, err
		}
		if p.name != "brunt" && p.name != "brunt-k6" {
			return nil, fmt.Errorf("%s is neither brunt nor brunt-k6", path)
		}
		out = append(out, p)
	}
	return out, nil
}

// write writes a file of the release.
func (r *release) write(name string, text []byte) error {
	return os.WriteFile(filepath.Join(r.out, name), text, 0o644)
}

// sums writes the checksums of all files in the folder, as `sha256sum -c` reads them.
func (r *release) sums() error {
	list, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	var out strings.Builder
	for _, e := range list {
		if e.Name() == "SHA256SUMS" {
			continue
		}
		sum, err := r.sum(e.Name())
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "%s  %s\n", sum, e.Name())
	}
	return r.write("SHA256SUMS", []byte(out.String()))
}

func (r *release) sum(name string) (string, error) {
	b, err := os.ReadFile(filepath.Join(r.out, name))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha256.Sum256(b)), nil
}
