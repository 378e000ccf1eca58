package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The modules whose programs are shipped, by their folders.
var shipped = []string{".", "cmd/brunt-k6", ".ci/pack"}

// vulnerable fails if a program links code with a known vulnerability: by govulncheck if its database answers, else by
// a file that lists versions.
func vulnerable(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return usage("usage: ci vulnerable FILE")
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	known, err := readVulnerable(args[0], string(text))
	if err != nil {
		return err
	}
	why := answers(ctx, strings.TrimSuffix(cmp.Or(os.Getenv("GOVULNDB"), "https://vuln.go.dev"), "/")+"/index/db.json")
	if why != nil {
		fmt.Printf("govulncheck has no database (%v): %s decides\n", why, args[0])
	}
	tools, err := os.Getwd()
	if err != nil {
		return err
	}
	var found []error
	for _, dir := range shipped {
		if why == nil {
			found = append(found,
				loud(ctx, nil, "go", "tool", "-modfile="+tools+"/.ci/tools.mod", "govulncheck", "-C", dir, "./..."))
			continue
		}
		linked, err := linkedIn(ctx, dir)
		if err != nil {
			return err
		}
		for _, m := range linked {
			found = append(found, m.vulnerable(known))
		}
	}
	return errors.Join(found...)
}

// answers returns nil if a URL answers within a few seconds.
func answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<10))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
}

// A version is a version of a module.
type version struct{ module, version string }

// linkedIn returns the modules, with their versions, whose packages the programs of the module in a folder link.
func linkedIn(ctx context.Context, dir string) (out []version, err error) {
	c := exec.CommandContext(ctx, "go", "list", "-C", dir, "-deps", "-f",
		"{{with .Module}}{{with .Replace}}{{.Path}} {{.Version}}{{else}}{{.Path}} {{.Version}}{{end}}{{end}}", "./...")
	c.Env, c.Stderr = append(os.Environ(), "GOFLAGS="), os.Stderr // its flags may be meant for go test alone
	text, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go list in %s: %w", dir, err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 2 { // a module of this repository has no version
			out = append(out, version{f[0], f[1]})
		}
	}
	slices.SortFunc(out, func(a, b version) int { return strings.Compare(a.module, b.module) })
	return slices.Compact(out), nil
}

// A vulnerability is fixed in a version of a module.
type vulnerability struct {
	version
	id string // in the database of Go or of CVE
}

// readVulnerable reads a list of vulnerabilities: a line each, with module, fixed version and identifier. Empty lines
// and those that begin with # are comments.
func readVulnerable(file, text string) (out []vulnerability, err error) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || f[0][0] == '#':
			continue
		case len(f) != 3 || parts(f[1]) == nil:
			return nil, fmt.Errorf("%s:%d: want a module, the version that mends it, and an identifier, such as "+
				"golang.org/x/net v0.38.0 GO-2025-3595", file, n)
		}
		out = append(out, vulnerability{version{f[0], f[1]}, f[2]})
	}
	return out, nil
}

// vulnerable returns an error that lists the vulnerabilities of a version.
func (v version) vulnerable(known []vulnerability) error {
	var out []error
	for _, k := range known {
		if k.module == v.module && older(v.version, k.version.version) {
			out = append(out,
				fmt.Errorf("%s %s has %s: update it to %s or later", v.module, v.version, k.id, k.version.version))
		}
	}
	return errors.Join(out...)
}

// older reports whether version a of a module precedes version b. An unreadable version is old.
func older(a, b string) bool {
	x, y := parts(a), parts(b)
	if x == nil || y == nil {
		return true
	}
	if c := slices.Compare(x, y); c != 0 {
		return c < 0
	}
	_, before, isPre := strings.Cut(strings.TrimSuffix(a, "+incompatible"), "-")
	_, release, ofPre := strings.Cut(strings.TrimSuffix(b, "+incompatible"), "-")
	return isPre && (!ofPre || before < release)
}

// parts returns the numbers of a version such as v1.2.3-rc.1+incompatible; nil if v is not a version.
func parts(v string) (out []int) {
	core, ok := strings.CutPrefix(v, "v")
	core, _, _ = strings.Cut(core, "+")
	core, _, _ = strings.Cut(core, "-")
	for part := range strings.SplitSeq(core, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || !ok {
			return nil
		}
		out = append(out, n)
	}
	if len(out) != 3 {
		return nil
	}
	return out
}
