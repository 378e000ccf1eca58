package ab

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/syntax"

	"github.com/goccy/go-yaml"
)

// A Side is one of two compared sides: the scenario with its overrides.
type Side struct {
	letter string
	params []string // each is NAME=VALUE
	over   map[string]any
	ref    string // of git; the param dir is the folder of its work tree
	tree   string // its folder, once created
}

// ParseSide parses the values of --a or --b; letter says which. A mistake is a [scenarios.UsageError]. A value has
// one of these forms:
//
//	http://host:port   the URL of a running target
//	run:./server       the command of the target's entry service
//	image:web:1.2      the image of the target's entry service
//	git:main           a work tree of the ref; the param dir is its folder
//	name=value         a param
func ParseSide(letter string, given []string) (*Side, error) {
	s := &Side{letter: letter}
	for _, g := range given {
		kind, rest, _ := strings.Cut(g, ":")
		name, _, isParam := strings.Cut(g, "=")
		switch {
		case strings.HasPrefix(g, "http://"), strings.HasPrefix(g, "https://"):
			s.over = map[string]any{"url": g}
		case kind == "run" && rest != "":
			s.over = map[string]any{"command": rest}
		case kind == "image" && rest != "":
			s.over = map[string]any{"image": rest}
		case kind == "git" && rest != "":
			s.ref = rest
		case isParam && syntax.IsName(name):
			s.params = append(s.params, g)
		default:
			return nil, scenarios.Usagef("--%s %q: want a URL, run:COMMAND, image:NAME, git:REF, or a param NAME=VALUE", letter,
				g)
		}
	}
	if len(given) == 0 {
		return nil, scenarios.Usagef("--%s is missing: a URL, run:COMMAND, image:NAME, git:REF, or a param NAME=VALUE",
			letter)
	}
	return s, nil
}

// Built reports whether the side is a work tree of git.
func (s *Side) Built() bool { return s.ref != "" }

// checkOut creates the work tree of a ref and builds it.
func (s *Side) checkOut(ctx context.Context, dir, build string) error {
	if !s.Built() {
		return nil
	}
	s.tree = filepath.Join(dir, s.letter)
	if out, err := exec.CommandContext(ctx, "git", "worktree", "add", "--detach", s.tree,
		s.ref).CombinedOutput(); err != nil {
		return scenarios.Usagef("--%s git:%s: %w: %s", s.letter, s.ref, err, strings.TrimSpace(string(out)))
	}
	if build != "" {
		c := exec.CommandContext(ctx, "sh", "-c", build)
		c.Dir = s.tree
		if out, err := c.CombinedOutput(); err != nil {
			return scenarios.Usagef("--build of %s: %w:\n%s", s.ref, err, tail(out))
		}
	}
	s.params = append(s.params, "dir="+s.tree)
	return nil
}

// remove removes the work tree.
func (s *Side) remove() error {
	if s.tree == "" {
		return nil
	}
	out, err := exec.Command("git", "worktree", "remove", "--force", s.tree).CombinedOutput()
	if err != nil {
		return fmt.Errorf("removing the work tree of %s: %w: %s", s.ref, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// tail returns the end of a command's output.
func tail(out []byte) string {
	const most = 2000
	return strings.TrimSpace(string(out[max(0, len(out)-most):]))
}

// file writes the scenario of the side: the scenario at path, with the target of the side merged over it.
func (s *Side) file(path, dir string) (string, error) {
	if s.over == nil {
		return path, nil
	}
	sc, err := scenarios.Parse(path, scenarios.Options{})
	if sc == nil {
		return "", scenarios.Usage(err)
	}
	over, err := s.target(sc)
	if err != nil {
		return "", scenarios.Usagef("--%s: %w", s.letter, err)
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	b, err := yaml.Marshal(map[string]any{"extends": abs, "target": over})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, s.letter+".yaml")
	return file, os.WriteFile(file, b, 0o600)
}

// target returns the side's changes to the scenario's target. A URL replaces all settings that start the target.
func (s *Side) target(sc *scenarios.Scenario) (map[string]any, error) {
	if _, url := s.over["url"]; !url {
		return inService(&sc.Target, s.over)
	}
	over := maps.Clone(s.over)
	if own := sc.Root.Get("target"); own != nil {
		for _, f := range own.Fields {
			if !slices.Contains([]string{"url", "ready", "tls"}, f.Key) {
				over[f.Key] = nil
			}
		}
	}
	return over, nil
}

// inService returns settings as changes to the target's entry service, or to its only service.
func inService(t *scenarios.Target, settings map[string]any) (map[string]any, error) {
	for key, services := range map[string]*syntax.Node{"processes": t.Processes, "containers": t.Containers} {
		if services == nil {
			continue
		}
		if _, image := settings["image"]; image && key == "processes" {
			return nil, fmt.Errorf("the target's services are processes, which have no image; run:COMMAND gives one its command")
		}
		name := t.Entry
		if name == "" && len(services.Fields) == 1 {
			name = services.Fields[0].Key
		}
		if name == "" {
			return nil, fmt.Errorf("the target has several services; `entry` says which one is meant")
		}
		return map[string]any{key: map[string]any{name: settings}}, nil
	}
	return nil, fmt.Errorf("the target is neither processes nor containers; a URL or params tell its sides apart")
}
