package drills

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/scenarios/plan"
	"brunt/scenarios/policies"
	"brunt/scenarios/syntax"
)

// A Role names a part of a system that a drill needs.
type Role struct {
	syntax.Place
	Name string `yaml:"-"`
	// what plays the role: a service, a unit such as posts[1], a link such as gateway->users, a zone; or a load, a
	// step, a metric or an alert of the scenario
	Is       string `yaml:"is,required,oneof=service|unit|link|zone|load|step|metric|alert"`
	About    string `yaml:"about,required"` // which part it is, in a phrase
	Replicas int    `yaml:"replicas,min=1"` // minimum number of replicas of the service; zero is one
	Leads    bool   `yaml:"leads"`          // `leaders` of the scenario must say how the leader of the service is found
	// the link must be between services: `brunt drill plan` does not offer the link of the load, but --role may name
	// it
	Inner bool `yaml:"inner"`

	requests bool // a fault acts on requests of the link, so all packets of a container can't play the role
}

// Roles are the roles of a drill, in the order of its file.
type Roles []Role

func (r *Roles) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	named(n, "a role", m, func(f syntax.Field) {
		one := Role{Name: f.Key}
		syntax.Decode(f.Value, &one, m)
		*r = append(*r, one)
	})
}

func (*Roles) SchemaWith(doc syntax.Describer) syntax.Schema {
	return mapSchema(syntax.StructSchema(reflect.TypeFor[Role](), doc))
}

// A System is the part of a compiled scenario that drills need to know.
type System struct {
	Replicas map[string]int // of each service; zero: known only during the run
	Links    []string       // from->to
	Zones    []string
	Loads    []string
	Steps    []string
	Metrics  []string
	Alerts   []string
	Leaders  []string // the services whose leader can be found
	Ledger   bool
	Traces   bool // spans of its services are received
	// it says which steps write and read registers
	Registers bool
	Breaks    Breaks             // the parts that brunt can break
	Policies  []*policies.Policy // those in force
}

// Breaks says which kind of parts brunt can break.
type Breaks string

// The kinds of parts that brunt can break.
const (
	Processes  Breaks = "processes"
	Containers Breaks = "containers"
	Pods       Breaks = "pods"
	LinkOnly   Breaks = "link" // only the link from the load to a target that already runs
)

// contained reports whether the parts are containers of an engine or of pods. Faults can act on their packets and
// processes.
func (b Breaks) contained() bool { return b == Containers || b == Pods }

// SystemOf returns the system of a compiled scenario.
func SystemOf(p *plan.Plan) System {
	s := System{Replicas: map[string]int{}, Ledger: len(p.Scenario.Ledgers) > 0, Breaks: Processes, Policies: p.Policies}
	s.Traces, s.Registers = p.Scenario.Trace.Listen != "", len(p.Scenario.Consistency) > 0
	for name, n := range p.Scope.Services {
		if s.Replicas[name] = n; p.Scope.Found[name] {
			s.Replicas[name] = 0
		}
	}
	switch {
	case p.Scope.Cluster != nil:
		s.Breaks = Pods
	case p.Scope.Containers || len(p.Scope.Found) > 0:
		s.Breaks = Containers
	case p.Stack == nil:
		s.Breaks = LinkOnly
	}
	link := func(from, to string) {
		if name := chaos.LinkName(from, to); !slices.Contains(s.Links, name) {
			s.Links = append(s.Links, name)
		}
	}
	if p.Stack != nil {
		for i := range p.Stack.Services {
			for _, to := range p.Stack.Services[i].Links {
				link(p.Stack.Services[i].Name, to)
			}
		}
	}
	for _, e := range p.Scope.Edges {
		link(e.From, e.To)
	}
	s.Zones = slices.Compact(slices.Sorted(maps.Values(p.Scope.Zones)))
	for _, l := range p.Scenario.Loads {
		s.Loads = append(s.Loads, l.Name)
	}
	for _, names := range p.StepNames() {
		s.Steps = append(s.Steps, names...)
	}
	slices.Sort(s.Steps)
	s.Steps = slices.Compact(s.Steps)
	for _, w := range p.Scenario.Metrics {
		s.Metrics = append(s.Metrics, w.Name)
	}
	for _, w := range p.Watches {
		if w.Numeric() {
			s.Metrics = append(s.Metrics, w.Name)
		}
	}
	for _, w := range p.Scenario.Alerts {
		s.Alerts = append(s.Alerts, w.Name)
	}
	for _, w := range p.Scenario.Leaders {
		s.Leaders = append(s.Leaders, w.Name)
	}
	return s
}

// IsLink reports whether a part of a system is a link.
func IsLink(part string) bool { return strings.Contains(part, chaos.LinkArrow) }

// services lists the services with at least n replicas, and the services with an unknown number of replicas.
func (s *System) services(n int) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(s.Replicas)) {
		if have := s.Replicas[name]; have == 0 || have >= n {
			out = append(out, name)
		}
	}
	return out
}

// candidates lists the parts of a system that can play a role.
func (r *Role) candidates(s System) []string {
	switch r.Is {
	case "service":
		can := s.services(r.Replicas)
		if r.Leads {
			can = slices.DeleteFunc(can, func(name string) bool { return !slices.Contains(s.Leaders, name) })
		}
		return can
	case "unit":
		var out []string
		for _, name := range s.services(r.Replicas) {
			out = append(out, syntax.UnitName(name, max(0, s.Replicas[name]-1)))
		}
		return out
	case "link":
		links := slices.Clone(s.Links)
		slices.SortStableFunc(links, func(a, b string) int { return byLoad(a) - byLoad(b) })
		if s.Breaks.contained() && !r.requests {
			links = append(links, s.services(1)...) // all links of a container
		}
		return links
	case "zone":
		if len(s.Zones) < 2 {
			return nil
		}
		return s.Zones
	case "load":
		return s.Loads
	case "step":
		return s.Steps
	case "alert":
		return s.Alerts
	}
	return s.Metrics
}

// Offer lists the parts of a system that can play a role, the likely ones first. It is empty if there are none.
// Nothing is chosen: that is left to a person.
func (r *Role) Offer(s System) string {
	can := r.candidates(s)
	if r.Is != "link" {
		return some(can)
	}
	services := s.services(1)
	can = slices.DeleteFunc(can, func(part string) bool {
		return slices.Contains(services, part) ||
			r.Inner && byLoad(part) > 0
	})
	var out []string
	if len(can) > 0 {
		out = append(out, some(can))
	}
	if s.Breaks.contained() && len(services) > 1 { // it is not known which of them call others
		out = append(out, "CALLER->CALLEE of "+some(services))
	}
	if s.Breaks.contained() && !r.requests && len(services) > 0 {
		out = append(out, "for all packets of a service "+some(services))
	}
	return strings.Join(out, "; or ")
}

// some returns the first names of a list as text.
func some(names []string) string {
	const most = 5
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

// between reports whether a part is a link from one containerized service to another. Every packet between the two
// passes this link.
func (s *System) between(part string) bool {
	from, to, link := strings.Cut(part, chaos.LinkArrow)
	_, has := s.Replicas[serviceOf(from)]
	_, hasTo := s.Replicas[serviceOf(to)]
	return link && s.Breaks.contained() && has && hasTo && from != to
}

// byLoad sorts links from the load behind all others.
func byLoad(link string) int {
	if strings.HasPrefix(link, chaos.LoadName+chaos.LinkArrow) {
		return 1
	}
	return 0
}

// lacks names what a system without candidates for the role lacks.
func (r *Role) lacks() string {
	switch {
	case r.Is == "zone":
		return "no two zones"
	case r.Leads:
		return fmt.Sprintf("no service with %d replicas in `leaders`, which says how a leader is found",
			max(1, r.Replicas))
	case r.Replicas > 1:
		return fmt.Sprintf("no service with %d replicas", r.Replicas)
	case r.Is == "link" && r.Inner:
		return "no link between services that brunt can reach"
	case r.Is == "link":
		return "no link that brunt can reach"
	}
	return "no " + r.Is
}

// check returns an error if a part can't play a role.
func (r *Role) check(s System, part string) error {
	known := r.candidates(s)
	if slices.Contains(known, part) || r.Is == "link" && s.between(part) {
		return nil
	}
	name, i, ok := chaos.SplitUnit(part)
	if r.Is == "unit" { // any index of a service with enough replicas
		if n, has := s.Replicas[name]; ok && has && (n == 0 || i < n && n >= r.Replicas) {
			return nil
		}
	}
	if n, has := s.Replicas[name]; has && n > 0 && n < r.Replicas && (r.Is == "service" || r.Is == "unit") {
		return fmt.Errorf("role %s: %s has %d of the %d replicas that the drill needs", r.Name, name, n, r.Replicas)
	}
	if _, has := s.Replicas[part]; has && r.Leads && !slices.Contains(s.Leaders, part) {
		return fmt.Errorf("role %s: `leaders` of the scenario does not say how the leader of %s is found; see "+
			"`brunt explain leaders`", r.Name, part)
	}
	hint := syntax.DidYouMean(part, known)
	if len(known) == 0 {
		hint = "the scenario has " + r.lacks()
	}
	return fmt.Errorf("role %s: there is no %s %q; %s", r.Name, r.Is, syntax.Clip(part, 60), hint)
}

// unmet says in a clause that the role needs a part which the scenario does not have.
func (r *Role) unmet() string {
	return fmt.Sprintf("needs %s as its %s, and the scenario has %s", r.About, r.Name, r.lacks())
}

// Bound returns the parts that play the roles of the drill: the parts that the scenario names, overridden by given.
func (d *Drill) Bound(scenario, given map[string]string) map[string]string {
	out := map[string]string{}
	for i := range d.Roles {
		if part, ok := scenario[d.Roles[i].Name]; ok {
			out[d.Roles[i].Name] = part
		}
	}
	maps.Copy(out, given)
	return out
}

// Bind checks that given binds every role of the drill to a part of the system. The error names all unbound roles,
// and the parts that could play them.
func (d *Drill) Bind(s System, given map[string]string) error {
	var lacking []string
	for i := range d.Roles {
		r := &d.Roles[i]
		part, ok := given[r.Name]
		if ok {
			if err := r.check(s, part); err != nil {
				return err
			}
			continue
		}
		can := r.Offer(s)
		if can == "" {
			return fmt.Errorf("the drill %s %s", d.Name, r.unmet())
		}
		lacking = append(lacking, fmt.Sprintf("--role %s=…: %s, such as %s", r.Name, r.About, can))
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(d.RoleNames(), name) {
			return fmt.Errorf("the drill %s has no role %q; %s", d.Name, syntax.Clip(name, 40),
				syntax.DidYouMean(name, d.RoleNames()))
		}
	}
	if len(lacking) > 0 {
		return fmt.Errorf("the drill %s needs roles: %s", d.Name, strings.Join(lacking, "; "))
	}
	if err := d.apart(given); err != nil {
		return err
	}
	return d.fits(s)
}

// apart returns an error if one part plays two roles: a drill expects different things of them.
func (d *Drill) apart(given map[string]string) error {
	type player struct{ is, part string }
	players := map[player]string{}
	for i := range d.Roles {
		r := &d.Roles[i]
		p := player{r.Is, given[r.Name]}
		if other, taken := players[p]; taken {
			hint := "name another"
			if r.Is == "load" {
				hint = "add one to the scenario's `load`"
			}
			return fmt.Errorf("role %s: the %s %s is the role %s already, and the drill %s needs one for each; %s",
				r.Name, r.Is, syntax.Clip(p.part, 60), other, d.Name, hint)
		}
		players[p] = r.Name
	}
	return nil
}

// enough returns an error if a system has fewer parts of a kind than the drill has roles for them. It does not count
// units and links: a system has more of them than the candidates of a role.
func (d *Drill) enough(s System) error {
	roles, parts := map[string][]string{}, map[string]int{}
	for i := range d.Roles {
		r := &d.Roles[i]
		roles[r.Is] = append(roles[r.Is], r.Name)
		parts[r.Is] = max(parts[r.Is], len(r.candidates(s)))
	}
	for _, is := range slices.Sorted(maps.Keys(roles)) {
		if n := parts[is]; n < len(roles[is]) && is != "unit" && is != "link" {
			return fmt.Errorf("it needs a %s for each of its roles %s, and the scenario has %d", is,
				strings.Join(roles[is], ", "), n)
		}
	}
	return nil
}

// RoleNames lists the roles of the drill.
func (d *Drill) RoleNames() []string {
	var out []string
	for i := range d.Roles {
		out = append(out, d.Roles[i].Name)
	}
	return out
}

// fits returns an error if a system lacks something that the drill needs, apart from roles.
func (d *Drill) fits(s System) error {
	if d.Ledger && !s.Ledger {
		return fmt.Errorf("the drill %s needs a ledger, which says how writes are found again; see `brunt explain ledger`",
			d.Name)
	}
	if d.Traces && !s.Traces {
		return fmt.Errorf("the drill %s needs the spans of the services, such as trace: {listen: 127.0.0.1:4318}; see "+
			"`brunt explain trace`", d.Name)
	}
	if d.Registers && !s.Registers {
		return fmt.Errorf("the drill %s needs `consistency`, which says which steps write and read a register; see "+
			"`brunt explain consistency`", d.Name)
	}
	return d.possible(s.Breaks)
}

// Fits returns an error if a drill can't run on a system. It is nil if the drill can run once its roles are bound.
func (d *Drill) Fits(s System) error {
	for i := range d.Roles {
		if r := &d.Roles[i]; r.Offer(s) == "" {
			return errors.New("it " + r.unmet())
		}
	}
	if err := d.enough(s); err != nil {
		return err
	}
	return d.fits(s)
}

// Needs lists what a scenario must have for the drill, in phrases.
func (d *Drill) Needs() []string {
	var out []string
	for i := range d.Roles {
		r := &d.Roles[i]
		of := r.Is
		if r.Replicas > 1 {
			of += fmt.Sprintf(", %d replicas", r.Replicas)
		}
		if r.Leads {
			of += ", in `leaders`"
		}
		out = append(out, fmt.Sprintf("%s (%s): %s", r.Name, of, r.About))
	}
	if d.Ledger {
		out = append(out, "a ledger: how writes are found again")
	}
	if d.Registers {
		out = append(out, "consistency: which steps write and read a register")
	}
	if d.Traces {
		out = append(out, "trace: {listen: ...}, and services that send spans")
	}
	return out
}
