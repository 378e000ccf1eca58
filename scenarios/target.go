package scenarios

import (
	"context"
	"slices"
	"strings"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Target is the system under test: exactly one of URL, Stack, Processes, Containers and Compose, or Endpoints alone
// if every step goes to an endpoint.
type Target struct {
	syntax.Place
	URL   template.URL `yaml:"url"`   // a system that is already running
	Stack string       `yaml:"stack"` // a built-in stack: demo
	With  *syntax.Node `yaml:"with"`  // settings of the built-in stack
	// how the built-in stack runs: process, on this machine; docker, in containers of this machine's Docker engine;
	// or kubernetes, in pods of the cluster that `kubernetes` names, with the load made within the cluster; zero is
	// process
	Platform   string       `yaml:"platform,oneof=process|docker|kubernetes"`
	Processes  *syntax.Node `yaml:"processes"`  // commands that brunt starts
	Containers *syntax.Node `yaml:"containers"` // containers that brunt creates
	// a Compose file, started with the machine's docker compose
	Compose *Compose `yaml:"compose"`
	// containers that already run, by the names that faults use
	Units *syntax.Node `yaml:"units"`
	// with a url or endpoints: the running workloads of a namespace whose pods faults hit. With a built-in stack and
	// `platform: kubernetes`: the cluster in which the stack's pods are made; other platforms ignore it
	Kubernetes *Kubernetes `yaml:"kubernetes"`
	// URLs of other systems by name, such as redis://127.0.0.1:6379. A step goes to the endpoint that its `at` names,
	// or to the only one with a scheme of its protocol. If every step goes to an endpoint, the target needs nothing
	// else. brunt waits until the endpoints of setup accept connections, and after setup until the endpoints of the
	// loads do; it awaits none of datagrams, such as dns:. `to` of a fault on links may name an endpoint. SCHEME+tls://
	// is TLS for each protocol that has it; amqps, grpcs, https, kafkas, mqtts, rediss, smtps, tls and wss mean the same
	// as amqp+tls and so on. A gRPC endpoint may be a map of url and protos, import_paths or protoset
	Endpoints map[string]Endpoint `yaml:"endpoints"`
	Entry     string              `yaml:"entry"` // the service that requests with relative paths go to
	// how to find out that the target is ready for load
	Ready *Ready `yaml:"ready"`
	// TLS versions, and certificates of the target and of the load
	TLS *TLS `yaml:"tls"`
}

// OnKubernetes is the value of [Target.Platform] for a stack of pods.
const OnKubernetes = "kubernetes"

// Kind returns the kind of target: processes, containers, compose, stack or url. It is empty if the target names
// none.
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

// OnlyEndpoints reports whether the target consists of endpoints alone.
func (t *Target) OnlyEndpoints() bool {
	return len(t.Endpoints) > 0 && t.URL.IsZero() && t.Stack == "" && t.Processes == nil && t.Containers == nil &&
		t.Compose == nil
}

// NoteMissingTarget notes in m that the target at position at names no kind, although steps need one.
func NoteMissingTarget(at syntax.Pos, m *syntax.Mistakes) {
	m.AddHint(at, "such as {stack: demo} or {url: \"http://127.0.0.1:8080\"}",
		"the target wants one of url, stack, processes, containers, compose")
}

// Dependencies says for each service whether requests fail without it, hard, or succeed without it, soft.
type Dependencies map[string]string

// The values of [Dependencies].
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
	// values for the file's own placeholders, in addition to brunt's environment
	Env   map[string]string `yaml:"env"`
	Build bool              `yaml:"build"` // build the images again
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

// Ready says how to find out that the target is ready for load: by a path, by its port, or by a question.
type Ready struct {
	syntax.Place
	// a path that answers with a status under 400, requested without auth and sign
	Get    string            `yaml:"get"`
	TCP    bool              `yaml:"tcp"`             // the target is ready when its port accepts connections
	Within quantity.Duration `yaml:"within,positive"` // zero is 30s

	// Question is the whole block if it has keys of a question, which package plan decodes; Get is then empty. It is
	// nil for other blocks.
	Question *syntax.Node `yaml:"-"`
	// Asks asks a unit at host:port the Question once. A nil error means yes. The run sets Asks.
	Asks func(ctx context.Context, unit, addr, ref string) error `yaml:"-"`
	// Runs says that Asks runs a command, on this machine or in a container. Such a question is asked at most four
	// times a second.
	Runs bool `yaml:"-"`
}

func (r *Ready) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	type plain Ready
	if !slices.ContainsFunc(n.Fields, func(f syntax.Field) bool {
		return f.Key != "get" && f.Key != "tcp" &&
			f.Key != "within"
	}) {
		syntax.Decode(n, (*plain)(r), m)
		if at := n.Get("get"); r.Get != "" && !strings.HasPrefix(r.Get, "/") && !strings.Contains(r.Get, "://") {
			m.AddHint(at.Pos, "a path begins with /", "%q is neither a path nor a URL", r.Get)
		}
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
