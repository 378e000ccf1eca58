package scenarios

import (
	"slices"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A Load is one stream of iterations.
type Load struct {
	syntax.Place
	Name        string            `yaml:"-"`
	Executor    string            `yaml:"executor,required"`          // how iterations begin: the name of an executor, whose settings stand beside it
	Start       quantity.Duration `yaml:"start"`                      // offset from t0
	MaxInFlight int               `yaml:"max_in_flight,min=1"`        // iterations; zero is 10000, or fewer if files are few
	Timeout     quantity.Duration `yaml:"timeout,positive"`           // of a request, from intended; zero is 10s
	Grace       quantity.Duration `yaml:"grace"`                      // how long iterations may go on after the load's end; zero is 10s
	Flow        []Step            `yaml:"flow"`                       // the steps of an iteration, one after the other
	Mix         []Mixed           `yaml:"mix"`                        // instead of flow: several, one of which each iteration picks by weight
	Targets     string            `yaml:"targets"`                    // instead of flow: a file of vegeta's targets, in its format http or json, taken in turn
	Request     *syntax.Node      `yaml:"request"`                    // what every request of a targets file or a log has besides: headers, check, auth, sign, redirects
	Engine      string            `yaml:"engine,oneof=native|vegeta"` // what makes the requests; zero is native
	Init        []Step            `yaml:"init"`                       // once per virtual user, never judged
	Auth        *syntax.Node      `yaml:"auth"`                       // how its requests prove who sends them; nil is the scenario's, off is not at all
	Sign        *syntax.Node      `yaml:"sign"`                       // how its requests are signed; nil is the scenario's, off is not at all
	Connections Connections       `yaml:"connections"`                // how many, how long, from where
	Resolve     map[string]string `yaml:"resolve"`                    // host or host:port to the address used instead
	Shape       syntax.Block      `yaml:"-"`                          // the executor with its own settings
	Script      *Script           `yaml:"-"`                          // instead of all that: a script of k6; nil is none
}

// Engines that make the requests of a load.
const (
	NativeEngine = "native"
	VegetaEngine = "vegeta"
)

// Replay is the executor that makes the requests of a log again: a load of it has no
// Flow of its own.
const Replay = "replay"

// Mixed is a flow of a mix with its weight.
type Mixed struct {
	syntax.Place
	Weight float64 `yaml:"weight,required,positive"` // how often it is picked, against the other weights
	Flow   []Step  `yaml:"flow,required"`            // the steps of an iteration, one after the other
}

// Connections says how a load uses connections.
type Connections struct {
	syntax.Place
	Max             int               `yaml:"max,min=1"`         // open at once; zero is as many as needed
	KeepAlive       *bool             `yaml:"keep_alive"`        // nil is on
	Reuse           quantity.Counts   `yaml:"reuse"`             // requests after which one is closed, drawn for each from a range; zero is no bound
	MaxAge          quantity.Duration `yaml:"max_age"`           // zero is for ever
	DNS             string            `yaml:"dns"`               // address of the name server that is asked, beside the hosts file; zero is the system's
	DNSTTL          quantity.Duration `yaml:"dns_ttl"`           // how long a resolved address is used; not written is as the record says, 30s at most
	SourceAddresses []string          `yaml:"source_addresses"`  // local addresses, taken in turn
	Proxy           string            `yaml:"proxy"`             // http://host:port; env is the one that HTTP_PROXY and its like name; none
	HTTP            HTTPVersion       `yaml:"http"`              // auto (zero) takes HTTP/2 where TLS offers it; 1.1; 2; h2c is HTTP/2 without TLS
	MaxStreams      int               `yaml:"max_streams,min=1"` // of HTTP/2 on a connection at once; zero is the server's limit
}

// HTTPVersion is the version of HTTP that a load speaks.
type HTTPVersion string

// The versions. The empty one is AnyHTTP.
const (
	AnyHTTP HTTPVersion = "auto" // HTTP/2 where the server takes it by ALPN, else HTTP/1.1; without TLS HTTP/1.1
	HTTP1   HTTPVersion = "1.1"
	HTTP2   HTTPVersion = "2"   // by ALPN, which the server must take; without TLS by prior knowledge
	H2C     HTTPVersion = "h2c" // Without TLS HTTP/2 by prior knowledge; with TLS like auto
)

var httpVersions = []string{string(AnyHTTP), string(HTTP1), string(HTTP2), string(H2C)}

// meant is what is meant by versions written in other ways.
var meant = map[string]string{"1": "1.1", "1.0": "1.1", "http/1.1": "1.1", "h2": "2", "http/2": "2", "http2": "2", "HTTP/1.1": "1.1", "HTTP/2": "2"}

// DecodeNode implements [NodeDecoder].
func (v *HTTPVersion) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	s, ok := n.Text(m)
	if s == "2.0" { // to JSON Schema the same number
		s = string(HTTP2)
	}
	switch {
	case !ok:
	case slices.Contains(httpVersions, s):
		*v = HTTPVersion(s)
	case meant[s] != "":
		m.AddHint(n.Pos, syntax.Suggestion(meant[s]), "`http` can't be %s", n.Describe())
	default:
		m.AddHint(n.Pos, syntax.DidYouMean(s, httpVersions), "`http` can't be %s", n.Describe())
	}
}

// Schema implements [Schemer].
func (*HTTPVersion) Schema() syntax.Schema {
	return syntax.Scalar(syntax.Schema{"enum": []any{"auto", "1.1", "2", "h2c", 1.1, 2}})
}
