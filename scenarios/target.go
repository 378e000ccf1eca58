package scenarios

import "time"

// Target is the system under test: exactly one of URL, Stack and Processes.
type Target struct {
	Place
	URL       URLTemplate `yaml:"url"`       // a system that runs already
	Stack     string      `yaml:"stack"`     // a built-in stack: demo
	With      *Node       `yaml:"with"`      // its switches
	Processes *Node       `yaml:"processes"` // the author's own commands
	Entry     string      `yaml:"entry"`     // the service that a relative path goes to
	Ready     *Ready      `yaml:"ready"`     // how to know that it can be loaded
	TLS       *TLS        `yaml:"tls"`       // versions and certificates, its own and the load's
}

// Ready says how to know that the target can be loaded.
type Ready struct {
	Place
	Get    string   `yaml:"get"`             // a path that answers with a status under 400, without auth and sign, which are not sent there
	TCP    bool     `yaml:"tcp"`             // its port accepts
	Within Duration `yaml:"within,positive"` // zero is 30s
}

// WithinOr gives the time by which the target is ready, with its default.
func (r Ready) WithinOr() time.Duration {
	if r.Within == 0 {
		return DefaultReady
	}
	return r.Within.D()
}
