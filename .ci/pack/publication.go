package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	xmodule "golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// A publication is brunt's own module under a path that others can fetch it by: `brunt` is the path of no server.
type publication struct {
	source  string // a checkout; it is rewritten in place
	path    string // of the module, such as example.org/team/brunt
	version string // such as v1.2.3
	time    time.Time
	out     string // the folder that the proxy is written to
}

// publish rewrites the checkout and writes it as a module proxy serves it: GOPROXY=file://OUT fetches it.
func (p publication) publish() error {
	at := xmodule.Version{Path: p.path, Version: p.version}
	if err := xmodule.Check(p.path, p.version); err != nil {
		return err
	}
	if err := p.rewrite(); err != nil {
		return err
	}
	escaped, err := xmodule.EscapePath(p.path)
	if err != nil {
		return err
	}
	dir := filepath.Join(p.out, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	mod, err := os.ReadFile(filepath.Join(p.source, "go.mod"))
	if err != nil {
		return err
	}
	info, err := json.Marshal(struct {
		Version string
		Time    time.Time
	}{p.version, p.time})
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"list": []byte(p.version + "\n"), p.version + ".mod": mod, p.version + ".info": info,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o666); err != nil {
			return err
		}
	}
	f, err := os.Create(filepath.Join(dir, p.version+".zip"))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := zip.CreateFromDir(f, at, p.source); err != nil {
		return err
	}
	return f.Close()
}

// paths matches where a text names a package of brunt, or its module, by its path.
var paths = regexp.MustCompile(`(^|[^A-Za-z0-9_./-])brunt/(cmd|scenarios|chaos|targets|reporters|examples)\b`)

// declared matches where a go.mod file names brunt's module.
var declared = regexp.MustCompile(`(?m)^((?:module|require|replace)?\s*)brunt( |/|$)`)

// prefix is the begin of the path of each package, which tests cut off.
const prefix = `"brunt/"`

// rewrite gives each text of the checkout the new path.
func (p publication) rewrite() error {
	return filepath.WalkDir(p.source, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == ".git" {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		is, err := d.Info()
		if err != nil {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		now := renamed(filepath.Base(name), string(text), p.path)
		if now == string(text) {
			return nil
		}
		return os.WriteFile(name, []byte(now), is.Mode().Perm())
	})
}

// renamed is the text of a file with the module's path in place of brunt.
func renamed(name, text, path string) string {
	if name == "go.mod" {
		text = declared.ReplaceAllString(text, "${1}"+path+"${2}")
	}
	switch filepath.Ext(name) {
	case ".png", ".gz", ".zip":
		return text
	case ".go":
		text = strings.ReplaceAll(text, prefix, fmt.Sprintf("%q", path+"/"))
	}
	return paths.ReplaceAllString(text, "${1}"+path+"/${2}")
}
