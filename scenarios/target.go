package scenarios

import (
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Target is the system under test: exactly one of URL, Stack, Processes, Containers and
// Compose.
type Target struct {
	syntax.Place
	URL        template.URLTemplate `yaml:"url"`                           // a system that runs already
	Stack      string               `yaml:"stack"`                         // a built-in stack: demo
	With       *syntax.Node         `yaml:"with"`                          // its switches
	Platform   string               `yaml:"platform,oneof=process|docker"` // what the built-in stack runs as; zero is process
	Processes  *syntax.Node         `yaml:"processes"`                     // the author's own commands
	Containers *syntax.Node         `yaml:"containers"`                    // containers that brunt makes
	Compose    *Compose             `yaml:"compose"`                       // a Compose file that the machine's own command brings up
	Units      *syntax.Node         `yaml:"units"`                         // containers that run already, by the names that faults are to call them by
	Entry      string               `yaml:"entry"`                         // the service that a relative path goes to
	Ready      *Ready               `yaml:"ready"`                         // how to know that it can be loaded
	TLS        *TLS                 `yaml:"tls"`                           // versions and certificates, its own and the load's
}

// Compose is a stack of containers that a Compose file describes.
type Compose struct {
	syntax.Place
	File     string            `yaml:"file,required"` // the Compose file; relative to the scenario's folder
	Profiles []string          `yaml:"profiles"`      // that are brought up
	Env      map[string]string `yaml:"env"`           // for the file's own placeholders, beside brunt's environment
	Build    bool              `yaml:"build"`         // images are built anew
}

// DecodeNode implements [NodeDecoder]: a file's name alone is short for its settings.
func (c *Compose) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind == syntax.String {
		c.Place, c.File = syntax.Place{At: n.Pos}, n.Value
		return
	}
	type plain Compose
	syntax.Decode(n, (*plain)(c), m)
}

// Ready says how to know that the target can be loaded.
type Ready struct {
	syntax.Place
	Get    string            `yaml:"get"`             // a path that answers with a status under 400, without auth and sign, which are not sent there
	TCP    bool              `yaml:"tcp"`             // its port accepts
	Within quantity.Duration `yaml:"within,positive"` // zero is 30s
}

// WithinOr gives the time by which the target is ready, with its default.
func (r Ready) WithinOr() time.Duration {
	if r.Within == 0 {
		return DefaultReady
	}
	return r.Within.D()
}
