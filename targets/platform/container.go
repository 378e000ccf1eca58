package platform

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Container is the YAML of a service that runs in its own containers, which brunt creates through the engine's API.
type Container struct {
	syntax.Place
	// image that the engine has or can fetch; if its name contains ${env.…} or ${file.…}, guard.allow must name its
	// registry, such as docker.io
	Image      string  `yaml:"image,required"`
	Command    Command `yaml:"command"`               // zero is the image's
	Entrypoint Command `yaml:"entrypoint"`            // zero is the image's
	Replicas   int     `yaml:"replicas,min=1,max=64"` // containers of the service; zero is one
	// zones of the replicas, in turn, for faults on a whole zone; zero is no zones
	Zones []string                 `yaml:"zones"`
	Env   map[string]template.Text `yaml:"env"` // environment variables of its process
	// TCP ports on which it listens; the load, `ready` and ${unit.…} use the first
	Ports []int `yaml:"ports"`
	// networks of the service, by names that only this scenario uses; zero is one network that all services without
	// networks share
	Networks []string `yaml:"networks"`
	// services that it calls; they are started before it; services named by ${link.…} are added
	Links []string `yaml:"links"`
	// folders and files of this machine, read-only, by their places in the container: {./conf.d: /etc/nginx/conf.d}
	Mounts map[string]string `yaml:"mounts"`
	// volumes of the run, by names that only this scenario uses, and their places in the container: {data:
	// /var/lib/data}, or with a limit {data: {target: /var/lib/data, size: 64MiB}}; services and replicas that name the
	// same volume share it; it is removed after the run
	Volumes map[string]Volume `yaml:"volumes"`
	// places in the container for files in memory, with options as in Compose: ["/run:size=64m,mode=755"]; they are
	// empty after each start of the container
	Tmpfs []string `yaml:"tmpfs"`
	// user of its processes, by name or number, optionally with a group after a colon: "1000:1000"; zero is the
	// image's
	User   string  `yaml:"user"`
	Health *Health `yaml:"health"` // the engine's own check; nil is the image's
	// zero is that its first port accepts connections, or that its health is good if it has no port, within 30s
	Ready scenarios.Ready `yaml:"ready"`
	// the engine's policy; zero is on-failure
	Restart string `yaml:"restart,oneof=always|on-failure|unless-stopped|never"`
	// memory limit, beyond which the kernel kills a process of the container; zero is no bound
	Memory       quantity.Size      `yaml:"memory"`
	CPUs         float64            `yaml:"cpus"`         // limit of processors; zero is no bound
	Capabilities []string           `yaml:"capabilities"` // added to the engine's usual ones
	Grace        *quantity.Duration `yaml:"grace"`        // time between its stop signal and SIGKILL; nil is 5s
}

// Volume is a volume of the run in a container. A text is its target alone.
type Volume struct {
	syntax.Place
	Target string `yaml:"target,required"` // its place in the container
	// limit of its files, which are then in memory, and gone once none of its containers runs; zero is no bound
	Size quantity.Size `yaml:"size"`
}

// DecodeNode implements [syntax.NodeDecoder].
func (v *Volume) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	type plain Volume
	if n.Kind == syntax.Map {
		syntax.Decode(n, (*plain)(v), m)
	} else if target, ok := n.Text(m); ok {
		v.Place, v.Target = syntax.Place{At: n.Pos}, target
	}
}

// SchemaWith implements [syntax.DescribedSchemer].
func (*Volume) SchemaWith(doc syntax.Describer) syntax.Schema {
	return syntax.Schema{
		"anyOf": []any{syntax.Schema{"type": "string", "pattern": "^/"}, syntax.StructSchema(reflect.TypeFor[Volume](), doc)},
	}
}

// SplitTmpfs splits a place for files in memory into the place and its options. The size is in bytes.
func SplitTmpfs(text string) (target, options string, err error) {
	target, rest, _ := strings.Cut(text, ":")
	if !strings.HasPrefix(target, "/") {
		return "", "", fmt.Errorf("a place in the container begins with /, and %q does not", target)
	}
	var out []string
	for option := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(option, "=")
		switch {
		case rest == "":
		case name == "size":
			unit := strings.NewReplacer("k", "KiB", "m", "MiB", "g", "GiB") // as mount(8) writes it
			if strings.TrimRight(value, "kmg") != value {
				value = unit.Replace(value)
			}
			size, err := quantity.ParseSize(value)
			if err != nil || size == 0 {
				return "", "", fmt.Errorf("%q is no size, such as 64m", value)
			}
			out = append(out, fmt.Sprintf("size=%d", size))
		case name == "mode":
			if _, err := strconv.ParseUint(value, 8, 12); err != nil {
				return "", "", fmt.Errorf("%q is no mode, such as 755", value)
			}
			out = append(out, option)
		default:
			return "", "", fmt.Errorf("there is no option %q; there are size and mode", name)
		}
	}
	return target, strings.Join(out, ","), nil
}

// Health is the engine's health check of a container, run inside it.
type Health struct {
	syntax.Place
	Command []string          `yaml:"command,required"` // exit code 0 is healthy
	Every   quantity.Duration `yaml:"every,positive"`   // zero is 1s
	Timeout quantity.Duration `yaml:"timeout,positive"` // of one check; zero is 2s
	Retries int               `yaml:"retries,min=1"`    // consecutive failures until it is unhealthy; zero is 3
	Start   quantity.Duration `yaml:"start"`            // failures within this time after the start do not count
}

// Containers reads `target: {containers: …}`.
func Containers(n *syntax.Node, entry string, m *syntax.Mistakes) Spec {
	spec := Spec{Platform: Docker}
	spec.read("containers", n, entry, m, func(f syntax.Field) Service {
		c := new(Container)
		syntax.Decode(f.Value, c, m)
		c.check(f.Pos, m)
		return c.service(f.Key)
	})
	spec.checkSizes(m)
	return spec
}

// checkSizes notes a mistake where two services limit the same volume differently.
func (s *Spec) checkSizes(m *syntax.Mistakes) {
	sizes := map[string]Volume{}
	for i := range s.Services {
		of := s.Services[i].Container.Volumes
		for _, name := range slices.Sorted(maps.Keys(of)) {
			v := of[name]
			if first, known := sizes[name]; known && first.Size != v.Size {
				m.AddHint(v.At, "services that share a volume give it the same size", "the volume %s has another size at %s", name,
					first.At)
			}
			sizes[name] = v
		}
	}
}

// service returns the service that the settings describe.
func (c *Container) service(name string) Service {
	svc := Service{
		Name: name, Replicas: max(1, c.Replicas), Command: c.Command, Env: c.Env, Links: c.Links, Zones: c.Zones,
		Ready: c.Ready, Restart: c.Restart, Grace: DefaultGrace, Container: c,
	}
	if len(c.Ports) > 0 {
		svc.Port = c.Ports[0]
	}
	if svc.Restart == "" {
		svc.Restart = "on-failure"
	}
	if c.Grace != nil {
		svc.Grace = c.Grace.D()
	}
	return svc
}

// check notes the mistakes in the settings of one service, except those of its links.
func (c *Container) check(at syntax.Pos, m *syntax.Mistakes) {
	checkZones(c.Of("zones"), c.Zones, m)
	for _, p := range c.Ports {
		if p < 1 || p > 65535 {
			m.Add(c.Of("ports"), "a port is from 1 to 65535, not %d", p)
		}
	}
	for _, name := range c.Networks {
		if !syntax.IsName(name) {
			m.Add(c.Of("networks"), "%q can't name a network: a-z, 0-9 and -, beginning with a letter", name)
		}
	}
	for _, from := range slices.Sorted(maps.Keys(c.Mounts)) {
		if to := c.Mounts[from]; !strings.HasPrefix(to, "/") {
			m.AddHint(c.Of("mounts"), "such as {./conf.d: /etc/nginx/conf.d}",
				"a place in the container begins with /, and %q does not", to)
		}
	}
	for _, text := range c.Tmpfs {
		if _, _, err := SplitTmpfs(text); err != nil {
			m.AddHint(c.Of("tmpfs"), `such as tmpfs: ["/run:size=64m"]`, "%q: %v", syntax.Clip(text, 60), err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Volumes)) {
		switch to := c.Volumes[name].Target; {
		case strings.ContainsAny(name, "/.~"):
			m.AddHint(c.Of("volumes"), "a folder of this machine is a mount: mounts: {"+name+": "+to+"}",
				"%q can't name a volume", name)
		case !syntax.IsName(name):
			m.Add(c.Of("volumes"), "%q can't name a volume: a-z, 0-9 and -, beginning with a letter", name)
		case !strings.HasPrefix(to, "/"):
			m.AddHint(c.Of("volumes"), "such as {data: /var/lib/data}",
				"a place in the container begins with /, and %q does not", to)
		}
	}
	checkUser(c.Of("user"), c.User, m)
	if c.CPUs < 0 {
		m.Add(c.Of("cpus"), "cpus is a number above 0, such as 0.5")
	}
	if c.Ready.Get != "" && len(c.Ports) == 0 {
		m.Add(c.Ready.Of("get"), "`ports` says on which port it is asked")
	}
	if c.Health != nil && len(c.Health.Command) == 0 && c.Health.Has("command") {
		m.Add(c.Health.Of("command"), "the command is empty")
	}
}

// checkUser notes a mistake if user is not USER or USER:GROUP, each a name or a number.
func checkUser(at syntax.Pos, user string, m *syntax.Mistakes) {
	name, group, grouped := strings.Cut(user, ":")
	if user != "" && (name == "" || grouped && group == "" || strings.ContainsAny(user, " /\t\x00") ||
		strings.Contains(group, ":")) {
		m.AddHint(at, "such as user: nobody, or user: \"1000:1000\"", "%q names no user", syntax.Clip(user, 40))
	}
}

// enter determines the service to which relative paths go.
func (s *Spec) enter(n *syntax.Node, entry string, m *syntax.Mistakes) {
	s.Entry = entry
	if entry != "" || len(s.Services) == 0 {
		return
	}
	s.Entry = s.Services[0].Name
	if len(s.Services) > 1 {
		m.Add(n.Pos, "`entry` is missing: the service that a relative path goes to, one of %s", strings.Join(s.Names(), ", "))
	}
}

// demoPort is the port of a built-in service in its container.
const demoPort = 8080

// Contained returns a built-in stack as a stack of containers or of pods, as platform says. Each of them runs brunt
// itself, with the commands as arguments.
func (s Spec) Contained(platform string) Spec {
	out := s
	out.Platform, out.Services = platform, slices.Clone(s.Services)
	for i := range out.Services {
		svc := &out.Services[i]
		svc.Port, svc.Container = demoPort, &Container{Ports: []int{demoPort}}
	}
	return out
}
