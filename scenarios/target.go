package scenarios

import (
	"context"
	"slices"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Target is the system under test: exactly one of URL, Stack, Processes, Containers and Compose, or
// Endpoints alone where no step needs a URL of its own.
type Target struct {
	syntax.Place
	URL   template.URL `yaml:"url"`   // a system that is already running
	Stack string       `yaml:"stack"` // a built-in stack: demo
	With  *syntax.Node `yaml:"with"`  // settings of the built-in stack
	// how the built-in stack runs: as processes of this machine, as containers of its Docker engine, or as pods of the
	// cluster that `kubernetes` names, which are loaded from within it; zero is process
	Platform   string       `yaml:"platform,oneof=process|docker|kubernetes"`
	Processes  *syntax.Node `yaml:"processes"`  // commands that brunt starts
	Containers *syntax.Node `yaml:"containers"` // containers that brunt creates
	// a Compose file, started with the machine's docker compose
	Compose *Compose `yaml:"compose"`
	// containers that are already running, by the names that faults use
	Units *syntax.Node `yaml:"units"`
	// beside a url or endpoints, pods that run already: the workloads of a namespace, which faults hit. Beside `platform:
	// kubernetes`, where the pods of the built-in stack are made; other platforms of that leave it alone
	Kubernetes *Kubernetes `yaml:"kubernetes"`
	// URLs of other systems by name, such as redis://127.0.0.1:6379; a step goes to the only one
	// with a scheme of its protocol, or to the one that its `at` names. They are the whole target
	// where every step goes to one of them. brunt waits until each that setup goes to accepts connections, and
	// after setup until each that a load goes to does. `to` of a fault on links may name one. One of gRPC may be a
	// map of url and protos, import_paths or protoset
	Endpoints map[string]Endpoint `yaml:"endpoints"`
	Entry     string              `yaml:"entry"` // the service that relative paths go to
	// how to detect that the target is ready for load
	Ready *Ready `yaml:"ready"`
	// TLS versions and certificates, of the target and of the load
	TLS *TLS `yaml:"tls"`
}

// OnKubernetes is the value of Target.Platform for a stack of pods.
const OnKubernetes = "kubernetes"

// Kind names the kind of target: processes, containers, compose, stack or url; it is empty where the target names none.
func (t *Target) Kind() string {
	switch {
	case t.Processes != nil:
		return "processes"
	case t.Containers != nil:
		return "containers"
	case t.Compose != nil:
		return "compose"
	case t.Stack != "":
		return "stack"
	case !t.URL.IsZero(), t.OnlyEndpoints(): // systems that run already
		return "url"
	}
	return ""
}

// OnlyEndpoints reports whether the target is of endpoints alone.
func (t *Target) OnlyEndpoints() bool {
	return len(t.Endpoints) > 0 && t.URL.IsZero() && t.Stack == "" && t.Processes == nil && t.Containers == nil &&
		t.Compose == nil
}

// NoteMissingTarget notes in m that the target at at names no kind, and that steps need one.
func NoteMissingTarget(at syntax.Pos, m *syntax.Mistakes) {
	m.AddHint(at, "such as {stack: demo} or {url: \"http://127.0.0.1:8080\"}",
		"the target wants one of url, stack, processes, containers, compose")
}

// Dependencies declare by service whether requests fail without it, or do without.
type Dependencies map[string]string

// What is declared of a service.
const (
	HardDependency = "hard"
	SoftDependency = "soft"
)

func (d *Dependencies) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	var all map[string]string
	syntax.Decode(n, &all, m)
	for name, need := range all {
		if words := []string{HardDependency, SoftDependency}; !slices.Contains(words, need) {
			m.AddHint(n.Get(name).Pos, syntax.DidYouMean(need, words), "a dependency is hard or soft, not %q",
				syntax.Clip(need, 40))
		}
	}
	*d = all
}

func (*Dependencies) Schema() syntax.Schema {
	return syntax.Schema{
		"type":                 []any{"object", "null"},
		"additionalProperties": syntax.Scalar(syntax.Enum([]string{HardDependency, SoftDependency})),
	}
}

// Compose is a stack of containers that a Compose file describes.
type Compose struct {
	syntax.Place
	File     string   `yaml:"file,required"` // the Compose file; relative to the scenario's folder
	Profiles []string `yaml:"profiles"`      // profiles to start
	// for the file's own placeholders, in addition to brunt's environment
	Env   map[string]string `yaml:"env"`
	Build bool              `yaml:"build"` // build images again
}

// DecodeNode implements [syntax.NodeDecoder]: a file name alone is short for its settings.
func (c *Compose) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind == syntax.String {
		c.Place, c.File = syntax.Place{At: n.Pos}, n.Value
		return
	}
	type plain Compose
	syntax.Decode(n, (*plain)(c), m)
}

// Ready says how to detect that the target is ready for load: by a path, by its port, or by a question.
type Ready struct {
	syntax.Place
	// a path that answers with a status under 400, requested without auth and sign
	Get    string            `yaml:"get"`
	TCP    bool              `yaml:"tcp"`             // its port accepts connections
	Within quantity.Duration `yaml:"within,positive"` // zero is 30s

	// Question is the whole block where it has keys of a question, which package plan decodes; then Get is
	// empty. Nil is a block without them.
	Question *syntax.Node `yaml:"-"`
	// Asks asks the Question of a unit at host:port once; nil means yes. The run sets it.
	Asks func(ctx context.Context, unit, addr, ref string) error `yaml:"-"`
	// Runs says that Asks runs a command, on this machine or in a container: it is asked four times a second at most.
	Runs bool `yaml:"-"`
}

func (r *Ready) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	type plain Ready
	if !slices.ContainsFunc(n.Fields, func(f syntax.Field) bool {
		return f.Key != "get" && f.Key != "tcp" &&
			f.Key != "within"
	}) {
		syntax.Decode(n, (*plain)(r), m)
		return
	}
	syntax.Decode(n, (*plain)(r), new(syntax.Mistakes)) // package plan reports its mistakes
	r.Question, r.Get = n, ""
}

// WithinOr returns the time limit for the target to be ready, with its default.
func (r Ready) WithinOr() time.Duration {
	if r.Within == 0 {
		return DefaultReady
	}
	return r.Within.D()
}
