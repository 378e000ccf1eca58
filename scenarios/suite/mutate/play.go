package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"brunt/targets/platform/procgroup"
)

// A fate is what became of a mutant.
type fate string

const (
	killed   fate = "killed"
	survived fate = "survived"
	invalid  fate = "invalid" // it does not compile, or no test of its group passes without it
)

// A player builds mutants and runs tests against them.
type player struct {
	dir   string // for the files of mutants
	log   io.Writer
	usual map[string]usual // of a package with tests
}

// usual is how the tests of a package end without a mutant.
type usual struct {
	took   time.Duration
	skip   string // matches those that fail
	failed bool   // even without these
}

// play tells the fate of a mutant, against the tests of some packages, until one fails.
func (p *player) play(ctx context.Context, m mutant, tests []string) (fate, error) {
	overlay, err := p.overlay(m)
	if err != nil {
		return "", err
	}
	began := time.Now()
	if _, err := p.command(ctx, "build", "-overlay="+overlay, m.pkg); err != nil {
		return invalid, ctx.Err()
	}
	out, by := invalid, ""
	for _, pkg := range tests {
		alone := p.alone(ctx, pkg)
		if alone.failed {
			continue
		}
		limit := max(min(20*time.Second+5*alone.took, 5*time.Minute), 2*alone.took)
		text, err := p.command(ctx, "test", "-vet=off", "-count=1", "-failfast", "-timeout="+limit.String(), alone.skip,
			"-overlay="+overlay, pkg)
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if bytes.Contains(text, []byte("[build failed]")) {
			return invalid, nil
		}
		if out = survived; err != nil {
			out, by = killed, " by "+pkg
			if bytes.Contains(text, []byte("panic: test timed out")) {
				by += ", out of time"
			}
			break
		}
	}
	fmt.Fprintf(p.log, "%-8s %s (%.1fs%s)\n", out, m, time.Since(began).Seconds(), by)
	return out, nil
}

// alone runs the tests of a package without a mutant, once. Tests that fail are left out from then on.
func (p *player) alone(ctx context.Context, pkg string) usual {
	if u, ok := p.usual[pkg]; ok {
		return u
	}
	u := usual{skip: "-skip=^$", failed: true}
	_, _ = p.command(ctx, "test", "-vet=off", "-run=^$", pkg) // compiles them
	for try := 0; try < 2 && u.failed; try++ {
		began := time.Now()
		text, err := p.command(ctx, "test", "-vet=off", "-count=1", u.skip, pkg)
		u.took, u.failed = time.Since(began), err != nil
		if names := failures(text); err != nil && len(names) > 0 {
			u.skip = "-skip=^(" + strings.Join(names, "|") + ")$"
			fmt.Fprintf(p.log, "%s: left out, as they fail without a mutant: %s\n", pkg, strings.Join(names, " "))
		}
	}
	if u.failed {
		fmt.Fprintf(p.log, "%s is left out, as its tests fail without a mutant\n", pkg)
	}
	p.usual[pkg] = u
	return u
}

// failures lists the tests that failed, without their subtests.
func failures(text []byte) (names []string) {
	for _, m := range regexp.MustCompile(`(?m)^--- FAIL: (\w+) `).FindAllSubmatch(text, -1) {
		names = append(names, string(m[1]))
	}
	return names
}

// overlay writes a mutant and the file that puts it in place of the source.
func (p *player) overlay(m mutant) (string, error) {
	text, err := os.ReadFile(m.file)
	if err != nil {
		return "", err
	}
	mutated := filepath.Join(p.dir, "mutant.go")
	if err := os.WriteFile(mutated, slices.Concat(text[:m.from], []byte(m.text), text[m.to:]), 0o600); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{m.file: mutated}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(p.dir, "overlay.json")
	return overlay, os.WriteFile(overlay, replace, 0o600)
}

// command runs a command of go in a process group of its own, which ends with ctx, and returns its output. BRUNT_TURN
// is not set, so that the tests play the same cells of their matrices.
func (p *player) command(ctx context.Context, args ...string) ([]byte, error) {
	c := exec.Command("go", args...)
	c.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "BRUNT_TURN=") })
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	done := make(chan error, 1)
	if err := procgroup.Start(c, func() { done <- c.Wait() }); err != nil {
		return nil, err
	}
	select {
	case err := <-done:
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			return out.Bytes(), fmt.Errorf("go %s: %w", args[0], err)
		}
		return out.Bytes(), err
	case <-ctx.Done():
		procgroup.Kill(c.Process.Pid)
		<-done
		return nil, ctx.Err()
	}
}
