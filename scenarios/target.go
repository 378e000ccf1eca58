package scenarios

// Target is the system under test: exactly one of URL, Stack and Processes.
type Target struct {
	Place
	URL       URLTemplate `yaml:"url"`       // a system that runs already
	Stack     string      `yaml:"stack"`     // a built-in stack: demo
	With      *Node       `yaml:"with"`      // its switches
	Processes *Node       `yaml:"processes"` // the author's own commands
	Entry     string      `yaml:"entry"`     // the service that a relative path goes to
	Ready     *Ready      `yaml:"ready"`     // how to know that it can be loaded
	TLS       *TLS        `yaml:"tls"`       // how its certificate is checked
}

// Ready says how to know that the target can be loaded.
type Ready struct {
	Place
	Get    string   `yaml:"get"`             // a path that answers with a status under 400
	TCP    bool     `yaml:"tcp"`             // its port accepts
	Within Duration `yaml:"within,positive"` // zero is 30s
}

// TLS says how the target's certificate is checked.
type TLS struct {
	Place
	CA                 string `yaml:"ca"`                   // a file of PEM certificates to trust, beside the system's
	ServerName         string `yaml:"server_name"`          // zero is the URL's host
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify"` // takes any certificate
}
