package main

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/apk" // registers the format, as do the next two
	_ "github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

// formats are the formats of packages of Linux: of Debian, of Fedora and SUSE, of Alpine.
var formats = []string{"deb", "rpm", "apk"}

// installed is where a format has the files of an archive, other than the program.
func installed(format, name, file string) string {
	switch dir, base := path.Split(file); {
	case dir == "man/man1/":
		return "/usr/share/man/man1/" + base + ".gz"
	case base == "brunt.bash":
		return "/usr/share/bash-completion/completions/brunt"
	case base == "_brunt" && format == "deb":
		return "/usr/share/zsh/vendor-completions/_brunt"
	case base == "_brunt":
		return "/usr/share/zsh/site-functions/_brunt"
	case base == "brunt.fish":
		return "/usr/share/fish/vendor_completions.d/brunt.fish"
	case dir == "completions/":
		return "" // of a shell that is not of Linux
	case base == "LICENSE" && format == "deb":
		return "/usr/share/doc/" + name + "/copyright"
	case base == "LICENSE":
		return "/usr/share/licenses/" + name + "/LICENSE"
	default:
		return "/usr/share/doc/" + name + "/" + base
	}
}

// linux writes the package of a program in a format of Linux.
func (r *release) linux(format string, p program, in []entry) error {
	dir, err := os.MkdirTemp("", "brunt-linux-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var contents files.Contents
	for i, e := range in {
		to := "/usr/bin/" + e.path
		if i > 0 {
			to = installed(format, p.name, e.path)
		}
		if to == "" {
			continue
		}
		text := e.text
		if strings.HasSuffix(to, ".gz") {
			if text, err = compressed(text); err != nil {
				return err
			}
		}
		from := filepath.Join(dir, strings.ReplaceAll(e.path, "/", "_"))
		if err := os.WriteFile(from, text, 0o600); err != nil {
			return err
		}
		contents = append(contents, &files.Content{
			Source: from, Destination: to, FileInfo: &files.ContentFileInfo{
				Owner: "root", Group: "root", Mode: e.mode, MTime: r.time,
			},
		})
	}
	info := nfpm.WithDefaults(&nfpm.Info{
		Name: p.name, Arch: p.arch, Platform: p.os, Version: r.version, Section: "utils", Priority: "optional",
		Maintainer: r.maintainer, Homepage: r.url, License: "Apache-2.0", MTime: r.time, DisableGlobbing: true,
		Description: "load and chaos testing with one verdict\n brunt puts load on a system, injects faults, and gives " +
			"one verdict on its\n service-level objectives.",
		Overridables: nfpm.Overridables{
			Contents: contents,
			RPM:      nfpm.RPM{BuildHost: "brunt.invalid", Packager: r.maintainer, Summary: "load and chaos testing with one verdict"},
		},
	})
	if p.name == "brunt-k6" {
		info.License, info.Depends = "AGPL-3.0", []string{"brunt"}
		info.Description = "k6 scripts as loads of brunt\n brunt starts it for a load with k6: script.js. It links k6, " +
			"and is under the AGPL-3.0."
	}
	packager, err := nfpm.Get(format)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := packager.Package(info, &out); err != nil {
		return err
	}
	return r.write(p.release(r.version)+"."+format, out.Bytes())
}
