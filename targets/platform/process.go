package platform

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Process is the YAML of a service that the author provides as a command.
type Process struct {
	syntax.Place
	Command  Command `yaml:"command,required"`      // a list, or a line that is split at blanks; no shell
	Replicas int     `yaml:"replicas,min=1,max=64"` // units of the service; zero is one
	// zones of the replicas, in turn, for faults on a whole zone; zero is no zones
	Zones []string                 `yaml:"zones"`
	Env   map[string]template.Text `yaml:"env"` // added to brunt's own environment
	Dir   string                   `yaml:"dir"` // working folder; zero is where brunt was started
	// user of its processes, by name or number, optionally with a group after a colon; zero is brunt's own; only root
	// may set another
	User string `yaml:"user"`
	// services that it calls; services named by ${link.…} are added; its own name links its replicas to each other
	Links []string `yaml:"links"`
	// port of replica 0; the next replica has the next port; zero is a free one
	Port int `yaml:"port,min=1,max=65535"`
	// zero is that its port accepts connections, within 30s
	Ready        scenarios.Ready    `yaml:"ready"`
	Restart      string             `yaml:"restart,oneof=always|on-failure|never"` // zero is on-failure
	RestartDelay *quantity.Duration `yaml:"restart_delay"`                         // nil is 1s
	// time between SIGTERM and SIGKILL; nil is 5s
	Grace *quantity.Duration `yaml:"grace"`
}

// A Command is a command line.
type Command []template.Text

func (c *Command) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	items := n.Items
	if n.Kind == syntax.String {
		items = words(n)
		refuseOperators(n, items, m)
	} else if n.Kind != syntax.List {
		m.Add(n.Pos, "want a command such as [./server, --port, \"${self.port}\"]")
		return
	}
	for _, item := range items {
		var t template.Text
		t.DecodeNode(item, m)
		*c = append(*c, t)
	}
	if len(*c) == 0 {
		m.Add(n.Pos, "the command is empty")
	}
}

// Arguments fills in the placeholders of the command.
func (c Command) Arguments(it *template.Iter) ([]string, error) {
	var out []string
	for i := range c {
		arg, err := c[i].Append(nil, it)
		if err != nil {
			return nil, err
		}
		out = append(out, string(arg))
	}
	return out, nil
}

// words splits a command line at blanks and keeps placeholders whole. Quotes have no meaning: an argument with blanks
// needs a list.
func words(n *syntax.Node) []*syntax.Node {
	parts := n.Parts
	if parts == nil {
		parts = []syntax.Part{{Text: n.Value}}
	}
	var out []*syntax.Node
	var word []syntax.Part
	flush := func() {
		if len(word) > 0 {
			out = append(out, &syntax.Node{Kind: syntax.String, Pos: n.Pos, Parts: word})
			word = nil
		}
	}
	for _, p := range parts {
		if p.Ref != nil || p.Filled {
			word = append(word, p)
			continue
		}
		for i, f := range strings.Split(p.Text, " ") {
			if i > 0 {
				flush()
			}
			if f != "" {
				word = append(word, syntax.Part{Text: f})
			}
		}
	}
	flush()
	return out
}

// operators are the words that only a shell acts upon.
var operators = []string{"&&", "||", "|", ";", "&", ">", ">>", "<", "2>&1"}

// refuseOperators notes an operator of a shell among the words of a command that no shell runs.
func refuseOperators(n *syntax.Node, words []*syntax.Node, m *syntax.Mistakes) {
	for _, w := range words {
		if len(w.Parts) == 1 && w.Parts[0].Ref == nil && slices.Contains(operators, w.Parts[0].Text) {
			m.AddHint(n.Pos, fmt.Sprintf("a shell acts on it: [sh, -c, %q]", syntax.Clip(n.Shown(), 80)),
				"no shell runs this command, and %q would be one of its arguments", w.Parts[0].Text)
			return
		}
	}
}

const (
	defaultRestartDelay = time.Second
	DefaultGrace        = 5 * time.Second // between the stop signal and SIGKILL
)

// Processes reads `target: {processes: …}`.
func Processes(n *syntax.Node, entry string, m *syntax.Mistakes) Spec {
	var spec Spec
	spec.read("processes", n, entry, m, func(f syntax.Field) Service {
		var p Process
		syntax.Decode(f.Value, &p, m)
		svc := Service{
			Name: f.Key, Replicas: max(1, p.Replicas), Command: p.Command, Env: p.Env, Dir: p.Dir, User: p.User, Links: p.Links,
			Port: p.Port, Zones: p.Zones,
			Ready: p.Ready, Restart: p.Restart, Delay: defaultRestartDelay, Grace: DefaultGrace,
		}
		checkUser(p.Of("user"), p.User, m)
		if svc.Restart == "" {
			svc.Restart = "on-failure"
		}
		if p.RestartDelay != nil {
			svc.Delay = p.RestartDelay.D()
		}
		if p.Grace != nil {
			svc.Grace = p.Grace.D()
		}
		checkZones(p.Of("zones"), p.Zones, m)
		return svc
	})
	return spec
}

// read reads the services from a map of names to settings; service converts each of them. If a service has no
// mistake, read adds the links that it names with ${link.…}.
func (s *Spec) read(
	key string, n *syntax.Node, entry string, m *syntax.Mistakes, service func(f syntax.Field) Service,
) {
	if n.Kind != syntax.Map || len(n.Fields) == 0 {
		m.Add(n.Pos, "%s is a map of service names to settings", key)
		return
	}
	places := map[string]syntax.Pos{}
	for _, f := range n.Fields {
		if !syntax.IsName(f.Key) || f.Key == LoadUnit {
			m.Add(f.Pos, "%q can't name a service: a-z, 0-9 and -, beginning with a letter, and not load", f.Key)
			continue
		}
		before := m.Len()
		places[f.Key] = f.Pos
		svc := service(f)
		if m.Len() == before {
			svc.infer()
		}
		s.Services = append(s.Services, svc)
	}
	s.check(places, m)
	s.enter(n, entry, m)
}

func checkZones(at syntax.Pos, zones []string, m *syntax.Mistakes) {
	for _, zone := range zones {
		if !syntax.IsName(zone) {
			m.Add(at, "%q can't name a zone: a-z, 0-9 and -, beginning with a letter", zone)
		}
	}
}

// LoadUnit is the name of the load as the source of a link.
const LoadUnit = "load"

// infer adds the links that the settings name with ${link.…}.
func (s *Service) infer() {
	refs := []*syntax.Ref{}
	for i := range s.Command {
		refs = append(refs, s.Command[i].Refs()...)
	}
	for _, t := range s.Env {
		refs = append(refs, t.Refs()...)
	}
	for _, r := range refs {
		if r.Kind == syntax.RefLink && !slices.Contains(s.Links, r.Name) {
			s.Links = append(s.Links, r.Name)
		}
	}
	slices.Sort(s.Links)
}

// check checks links and placeholders against the services.
func (s *Spec) check(places map[string]syntax.Pos, m *syntax.Mistakes) {
	for i := range s.Services {
		svc := &s.Services[i]
		for _, l := range svc.Links {
			switch {
			case l == svc.Name && svc.Replicas < 2:
				m.AddHint(places[svc.Name], "with replicas: 2 or more, its units have links to each other",
					"service %q links to itself, and has one unit", svc.Name)
			case s.Service(l) == nil:
				m.AddHint(places[svc.Name], syntax.DidYouMean(l, s.Names()), "service %q links to %q, which is not a service",
					svc.Name, l)
			}
		}
		for name := range svc.Env {
			t := svc.Env[name]
			s.checkRefs(&t.Template, m)
		}
		for j := range svc.Command {
			s.checkRefs(&svc.Command[j].Template, m)
		}
	}
}

func (s *Spec) checkRefs(t *template.Template, m *syntax.Mistakes) {
	for _, r := range t.Refs() {
		switch r.Kind {
		case syntax.RefSelf:
		case syntax.RefUnit, syntax.RefLink:
			s.CheckRef(r, t.At, m)
		default:
			m.Add(t.At, "${%s} has a value only while requests are made; a process knows ${self.…}, ${link.…}, ${unit.…}, "+
				"params, env and file", r.Text)
		}
	}
}

// CheckRef checks that a ${unit.…} or ${link.…} names an existing unit.
func (s *Spec) CheckRef(r *syntax.Ref, at syntax.Pos, m *syntax.Mistakes) {
	svc := s.Service(r.Name)
	switch {
	case svc == nil:
		m.AddHint(at, syntax.DidYouMean(r.Name, s.Names()), "${%s}: there is no service %q", r.Text, r.Name)
	case r.Index >= svc.Replicas:
		m.Add(at, "${%s}: %s has %s, counted from 0", r.Text, r.Name, syntax.Amount(svc.Replicas, "replica"))
	}
}
