package compose

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/syntax"
	"brunt/targets/platform"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// mostFile bounds a Compose file, and the .env beside it, in bytes.
const mostFile = 4 << 20

// loadTime is how long reading a Compose file may take, with the files that it includes and extends.
const loadTime = 30 * time.Second

// readable checks that a Compose file, and the .env beside it if there is one, are files and not too large.
func readable(path string) error {
	if _, err := disk.Read(path, mostFile); err != nil {
		return disk.Named(err)
	}
	_, err := disk.Read(filepath.Join(filepath.Dir(path), ".env"), mostFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return disk.Named(err)
	}
	return nil
}

// load loads a project. The library waits without an end for a pipe that the Compose file includes, so load waits no
// longer than loadTime.
func load(o *cli.ProjectOptions) (*types.Project, error) {
	type loaded struct {
		project *types.Project
		err     error
	}
	done := make(chan loaded, 1)
	go func() { // ends with brunt at the latest
		p, err := o.LoadProject(context.Background())
		done <- loaded{p, err}
	}()
	select {
	case l := <-done:
		return l.project, l.err
	case <-time.After(loadTime):
		return nil, fmt.Errorf("reading it takes longer than %s: does it include or extend a pipe?", loadTime)
	}
}

// Read reads the Compose file that a target names. Its services become services of the Spec,
// with their replicas, restart policies and dependencies. It starts nothing.
func Read(c *scenarios.Compose, entry string, m *syntax.Mistakes) platform.Spec {
	spec := platform.Spec{Platform: platform.Docker}
	if c.File == "" {
		return spec // already reported
	}
	at := c.At
	if c.Has("file") {
		at = c.Of("file")
	}
	path := c.File
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(at.File), path)
	}
	path, err := filepath.Abs(path)
	if err != nil {
		m.Add(at, "%v", err)
		return spec
	}
	if err := readable(path); err != nil {
		m.Add(at, "the Compose file: %v", err)
		return spec
	}
	file := &platform.ComposeFile{Path: path, Profiles: c.Profiles, Build: c.Build}
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		file.Env = append(file.Env, name+"="+c.Env[name])
	}
	spec.Compose = file
	o, err := cli.NewProjectOptions([]string{path}, cli.WithEnv(file.Env), cli.WithOsEnv, cli.WithDotEnv,
		cli.WithName("brunt"), cli.WithProfiles(c.Profiles),
		cli.WithInterpolation(true))
	if err != nil {
		m.Add(at, "the Compose file: %v", err)
		return spec
	}
	p, err := load(o)
	if err != nil {
		m.Add(at, "the Compose file: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
		return spec
	}
	for _, name := range slices.Sorted(maps.Keys(p.Services)) {
		s := p.Services[name]
		svc := platform.Service{
			Name: name, Replicas: s.GetScale(), Restart: "never", Grace: platform.DefaultGrace,
			Container: &platform.Container{Image: s.Image},
		}
		switch kind, _, _ := strings.Cut(s.Restart, ":"); kind {
		case "always", "unless-stopped", "on-failure":
			svc.Restart = kind
		}
		if s.StopGracePeriod != nil {
			svc.Grace = time.Duration(*s.StopGracePeriod)
		}
		for _, port := range s.Ports {
			if port.Protocol == "" || port.Protocol == "tcp" {
				svc.Port = cmp.Or(svc.Port, int(port.Target))
			}
		}
		for _, port := range s.Expose {
			n, _ := strconv.Atoi(strings.TrimSuffix(port, "/tcp"))
			svc.Port = cmp.Or(svc.Port, n)
		}
		if !syntax.IsName(name) || name == platform.LoadUnit {
			m.Add(at, "service %q of the Compose file: a name that a scenario can use is a-z, 0-9 and -, beginning with a "+
				"letter, and not load", name)
			continue
		}
		spec.Services = append(spec.Services, svc)
	}
	if len(spec.Services) == 0 {
		m.Add(at, "the Compose file has no service")
		return spec
	}
	if spec.Entry = entry; entry == "" {
		spec.Entry = spec.Services[0].Name
		if len(spec.Services) > 1 {
			m.Add(at, "`entry` is missing: the service that a relative path goes to, one of %s",
				strings.Join(spec.Names(), ", "))
		}
	}
	return spec
}
