package stack

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
)

// A ComposeFile holds the settings of the machine's Compose command.
type ComposeFile struct {
	Path     string // absolute
	Profiles []string
	Env      []string // values of the file's placeholders
	Build    bool
}

// Compose reads the Compose file that a target names. Its services become services of the Spec,
// with their replicas, restart policies and dependencies. It starts nothing.
func Compose(c *scenarios.Compose, entry string, m *syntax.Mistakes) Spec {
	spec := Spec{Platform: Docker}
	if c.File == "" {
		return spec // told already
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
	file := &ComposeFile{Path: path, Profiles: c.Profiles, Build: c.Build}
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		file.Env = append(file.Env, name+"="+c.Env[name])
	}
	spec.Compose = file
	o, err := cli.NewProjectOptions([]string{path}, cli.WithEnv(file.Env), cli.WithOsEnv, cli.WithDotEnv, cli.WithName("brunt"), cli.WithProfiles(c.Profiles), cli.WithInterpolation(true))
	if err != nil {
		m.Add(at, "the Compose file: %v", err)
		return spec
	}
	p, err := o.LoadProject(context.Background())
	if err != nil {
		m.Add(at, "the Compose file: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
		return spec
	}
	for _, name := range slices.Sorted(maps.Keys(p.Services)) {
		s := p.Services[name]
		svc := Service{Name: name, Replicas: s.GetScale(), Restart: "never", Grace: defaultGrace, Container: &Container{Image: s.Image}}
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
		if !syntax.IsName(name) || name == LoadUnit {
			m.Add(at, "service %q of the Compose file: a name that a scenario can use is a-z, 0-9 and -, beginning with a letter, and not load", name)
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
			m.Add(at, "`entry` is missing: the service that a relative path goes to, one of %s", strings.Join(spec.Names(), ", "))
		}
	}
	return spec
}

// A Project is a stack that the machine's Compose command starts, under a unique project name, so
// that it does not affect other Compose projects.
type Project struct {
	spec    Spec
	o       FleetOptions
	name    string
	units   []*Part
	spawner *spawner
}

// A Part is one container of a project.
type Part struct {
	Service string
	Index   int

	project *Project
	spec    *Service
	id      string
	name    string
	port    int    // that it listens on; 0 is none
	addr    string // host:port by which it is reached; empty if it does not listen
}

// Labels that Compose puts on the objects that it makes.
const (
	composeProject = "com.docker.compose.project"
	composeService = "com.docker.compose.service"
	composeNumber  = "com.docker.compose.container-number"
	composeOneOff  = "com.docker.compose.oneoff"
)

// ProjectName returns the name of a run's Compose project.
func ProjectName(run string) string { return "brunt-" + strings.ToLower(run) }

// NewProject prepares a Compose stack. It starts nothing.
func NewProject(spec Spec, o FleetOptions) *Project {
	if o.Event == nil {
		o.Event = func(string, string, string) {}
	}
	return &Project{spec: spec, o: o, name: ProjectName(o.Run)}
}

// Units lists the containers in the order of their services.
func (p *Project) Units() []*Part { return p.units }

// Name returns service[i].
func (u *Part) Name() string { return UnitName(u.Service, u.Index) }

// Ref returns the container's name in the engine, which stays when Compose recreates the container.
func (u *Part) Ref() string { return u.name }

// Addr returns the host:port by which the container is reached from this machine; empty if it does
// not listen.
func (u *Part) Addr() string { return u.addr }

// Asks reports whether the unit can be asked for an answer.
func (u *Part) Asks() bool { return u.addr != "" }

// Ask requests one answer that only a running process can give.
func (u *Part) Ask(ctx context.Context) error { return ask(ctx, u.addr, u.spec.Ready) }

// Ready runs the unit's readiness check once: the engine's, and that of its port.
func (u *Part) Ready(ctx context.Context) error {
	i, err := u.project.o.Engine.ContainerInspect(ctx, u.name)
	if err != nil {
		return err
	}
	if err := healthOf(i.State); err != nil || u.addr == "" {
		return err
	}
	addr := u.addr
	// The machine's port forwarder accepts connections for a container that does not listen yet.
	if ip := addressOf(i.NetworkSettings); ip.IsValid() && !u.project.o.Publish {
		addr = netip.AddrPortFrom(ip, uint16(u.port)).String()
	}
	return Check(ctx, addr, u.spec.Ready)
}

// addressOf returns the first address of a container, in the order of its network names.
func addressOf(n *container.NetworkSettings) netip.Addr {
	for _, name := range slices.Sorted(maps.Keys(n.Networks)) {
		if ip, err := netip.ParseAddr(n.Networks[name].IPAddress); err == nil {
			return ip
		}
	}
	return netip.Addr{}
}

// healthOf returns why a container is not up, or nil.
func healthOf(s *container.State) error {
	switch {
	case !s.Running || s.Paused:
		return fmt.Errorf("it does not run: %s", s.Status)
	case s.Health != nil && s.Health.Status != container.NoHealthcheck && s.Health.Status != container.Healthy:
		return fmt.Errorf("its health check says %s", s.Health.Status)
	}
	return nil
}

// Addresses returns the values of ${unit.…} in a scenario.
func (p *Project) Addresses() map[string]string {
	out := map[string]string{}
	for _, u := range p.units {
		if u.addr == "" {
			continue
		}
		addresses(out, "unit."+u.Name(), u.addr)
		if u.Index == 0 {
			addresses(out, "unit."+u.Service, u.addr)
		}
	}
	return out
}

// ComposeCommand returns the machine's Compose command.
func ComposeCommand(ctx context.Context) ([]string, error) {
	if path, err := exec.LookPath("docker"); err == nil {
		if exec.CommandContext(ctx, path, "compose", "version").Run() == nil {
			return []string{path, "compose"}, nil
		}
	}
	if path, err := exec.LookPath("docker-compose"); err == nil {
		return []string{path}, nil
	}
	return nil, errors.New("there is no Compose command: neither `docker compose` nor docker-compose is installed; on Debian apt-get install docker-compose brings one, or write the services under `target: {containers: …}`, which needs none")
}

// run runs the Compose command to its end. The command is killed when brunt dies.
func (p *Project) run(ctx context.Context, args ...string) error {
	command, err := ComposeCommand(ctx)
	if err != nil {
		return err
	}
	f := p.spec.Compose
	all := slices.Concat(command[1:], []string{"--file", f.Path, "--project-name", p.name})
	for _, profile := range f.Profiles {
		all = append(all, "--profile", profile)
	}
	var out bytes.Buffer
	cmd := exec.Command(command[0], append(all, args...)...)
	cmd.Dir = filepath.Dir(f.Path)
	cmd.Env = append(append(os.Environ(), f.Env...), "BRUNT_RUN="+p.o.Run, "BRUNT_UNIT=compose")
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second
	if p.spawner == nil {
		p.spawner = newSpawner()
	}
	if err := p.spawner.start(cmd); err != nil {
		return fmt.Errorf("%s %s: %w", strings.Join(command, " "), args[0], err)
	}
	defer context.AfterFunc(ctx, func() { killGroup(cmd.Process.Pid) })()
	if err := cmd.Wait(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		said := &output{}
		_, _ = said.Write(out.Bytes())
		return fmt.Errorf("%s %s: %w; it said:\n%s", strings.Join(command, " "), args[0], err, said.tail())
	}
	return nil
}

// Up starts the project and returns when all of it is ready. After an error it leaves nothing
// behind.
func (p *Project) Up(ctx context.Context) error {
	up := []string{"up", "--detach"}
	if p.spec.Compose.Build {
		up = append(up, "--build")
	}
	err := p.run(ctx, up...)
	if err == nil {
		err = p.find(ctx)
	}
	if err == nil {
		err = p.await(ctx)
	}
	if err != nil {
		err = errors.Join(err, p.Down(context.WithoutCancel(ctx)))
	}
	return err
}

// find finds the containers that Compose has made.
func (p *Project) find(ctx context.Context) error {
	f := filters.NewArgs(filters.Arg("label", composeProject+"="+p.name))
	list, err := p.o.Engine.ContainerList(ctx, container.ListOptions{All: true, Filters: f})
	if err != nil {
		return fmt.Errorf("finding the containers of the Compose project: %w", err)
	}
	slices.SortFunc(list, func(a, b container.Summary) int {
		an, _ := strconv.Atoi(a.Labels[composeNumber])
		bn, _ := strconv.Atoi(b.Labels[composeNumber])
		return cmp.Compare(an, bn)
	})
	for i := range p.spec.Services {
		s := &p.spec.Services[i]
		for _, c := range list {
			if c.Labels[composeService] != s.Name || strings.EqualFold(c.Labels[composeOneOff], "true") {
				continue
			}
			u := &Part{Service: s.Name, Index: p.count(s.Name), project: p, spec: s, id: c.ID}
			if err := u.locate(ctx, p.o.Engine); err != nil {
				return err
			}
			p.units = append(p.units, u)
		}
		if n := p.count(s.Name); n < s.Replicas {
			return fmt.Errorf("the Compose file has %d replicas of %s, and %d were made", s.Replicas, s.Name, n)
		}
	}
	return nil
}

func (p *Project) count(service string) int {
	n := 0
	for _, u := range p.units {
		if u.Service == service {
			n++
		}
	}
	return n
}

// locate finds the address of the container: a port that the machine forwards, which stays over
// restarts, or otherwise its own address if it is reachable from here.
func (u *Part) locate(ctx context.Context, engine client.APIClient) error {
	i, err := engine.ContainerInspect(ctx, u.id)
	if err != nil {
		return fmt.Errorf("inspecting %s: %w", u.Name(), err)
	}
	u.name = strings.TrimPrefix(i.Name, "/")
	port := u.spec.Port
	for p := range i.Config.ExposedPorts {
		if p.Proto() == "tcp" && (u.spec.Port == 0) && (port == 0 || p.Int() < port) {
			port = p.Int()
		}
	}
	u.port = port
	for p, bound := range i.NetworkSettings.Ports {
		for _, b := range bound {
			ip, err := netip.ParseAddr(cmp.Or(b.HostIP, "0.0.0.0"))
			if p.Proto() != "tcp" || p.Int() != port || err != nil || !ip.Is4() {
				continue
			}
			if ip.IsUnspecified() {
				ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
			}
			n, _ := strconv.Atoi(b.HostPort)
			u.addr = netip.AddrPortFrom(ip, uint16(n)).String()
		}
	}
	if ip := addressOf(i.NetworkSettings); u.addr == "" && port != 0 && ip.IsValid() && !u.project.o.Publish {
		u.addr = netip.AddrPortFrom(ip, uint16(port)).String()
	}
	return nil
}

// await waits until every unit is ready.
func (p *Project) await(ctx context.Context) error {
	var wg sync.WaitGroup
	errs := make([]error, len(p.units))
	for i, u := range p.units {
		wg.Go(func() { errs[i] = u.await(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (u *Part) await(ctx context.Context) error {
	within := u.spec.Ready.WithinOr()
	switch err := Await(ctx, within, errors.New("it was not asked"), u.Ready); {
	case err == nil:
		u.project.o.Event("unit.ready", u.Name(), "")
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		return fmt.Errorf("%s is not ready: not within %s: %w", u.Name(), quantity.FormatDuration(within), err)
	}
}

// Down removes the project with its networks and volumes, and what Compose leaves behind. It can be
// called again.
func (p *Project) Down(ctx context.Context) error {
	grace := 0
	for _, s := range p.spec.Services {
		grace = max(grace, int(s.Grace.Seconds()))
	}
	err := p.run(ctx, "down", "--volumes", "--remove-orphans", "--rmi", "local", "--timeout", strconv.Itoa(grace))
	if p.spawner != nil {
		p.spawner.close()
		p.spawner = nil
	}
	if err != nil {
		err = fmt.Errorf("taking the Compose project down: %w", err)
	}
	return errors.Join(err, p.sweep(ctx))
}

// sweep removes networks that Compose left because they were in use.
func (p *Project) sweep(ctx context.Context) error {
	f := filters.NewArgs(filters.Arg("label", composeProject+"="+p.name))
	list, err := p.o.Engine.NetworkList(ctx, network.ListOptions{Filters: f})
	var errs []error
	for _, n := range list {
		errs = append(errs, p.o.Engine.NetworkRemove(ctx, n.ID))
	}
	return errors.Join(append(errs, err)...)
}
