package scenarios

import (
	"slices"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A Load is one stream of iterations.
type Load struct {
	syntax.Place
	Name string `yaml:"-"`
	// how iterations begin: the name of an executor, whose settings are keys of the load
	Executor string            `yaml:"executor,required"`
	Start    quantity.Duration `yaml:"start"` // offset from t0
	// limit of iterations in flight; zero is 10000, or fewer if few files can be open
	MaxInFlight int `yaml:"max_in_flight,min=1"`
	// of a request, from its intended time; zero is 10s
	Timeout quantity.Duration `yaml:"timeout,positive"`
	// how long iterations may go on after the load's end; zero is 10s
	Grace quantity.Duration `yaml:"grace"`
	// how its users repeat a request that failed; zero is not at all
	Retry *RetryPolicy `yaml:"retry"`
	Flow  []Step       `yaml:"flow"` // the steps of an iteration, one after the other
	// instead of flow: several flows; each iteration picks one by weight
	Mix []Mixed `yaml:"mix"`
	// instead of flow: a file of vegeta targets, in its format http or json, taken in turn
	Targets string `yaml:"targets"`
	// settings for every request of a targets file or a log: headers, check, auth, sign, redirects
	Request *syntax.Node `yaml:"request"`
	Engine  string       `yaml:"engine"` // what makes the requests; zero is native
	// steps that run once per virtual user, never judged
	Init []Step `yaml:"init"`
	// how its requests authenticate; nil is the scenario's, off is none
	Auth *syntax.Node `yaml:"auth"`
	// how its requests are signed; nil is the scenario's, off is none
	Sign        *syntax.Node      `yaml:"sign"`
	Connections Connections       `yaml:"connections"` // number, lifetime and source of connections
	Resolve     map[string]string `yaml:"resolve"`     // host or host:port to the address to use instead
	Shape       syntax.Block      `yaml:"-"`           // the executor with its own settings
	Script      *Script           `yaml:"-"`           // instead of all that: a k6 script; nil is none
}

// Replay is the executor that repeats the requests of a log: its load has no flow.
const Replay = "replay"

// Mixed is a flow of a mix with its weight.
type Mixed struct {
	syntax.Place
	Weight float64 `yaml:"weight,required,positive"` // how often it is picked, relative to the other weights
	Flow   []Step  `yaml:"flow,required"`            // the steps of an iteration, one after the other
}

// Connections says how a load uses connections.
type Connections struct {
	syntax.Place
	// maximum of open connections; zero is as many as needed
	Max int `yaml:"max,min=1"`
	// user gives each virtual user a connection of its own, of protocols that can, such as Redis; zero is load: its users
	// share connections
	Per       string `yaml:"per,oneof=load|user"`
	KeepAlive *bool  `yaml:"keep_alive"` // nil is on: a connection is closed once no request needed it for 90s
	// requests after which a connection is closed, drawn for each from a range; zero is no bound
	Reuse  quantity.Counts   `yaml:"reuse"`
	MaxAge quantity.Duration `yaml:"max_age"` // maximum age of a connection; zero is no limit
	// address of the name server to use, besides the hosts file; zero is the system's
	DNS string `yaml:"dns"`
	// how long a resolved address is used; zero is the TTL of the record, at most 30s
	DNSTTL          quantity.Duration `yaml:"dns_ttl"`
	SourceAddresses []string          `yaml:"source_addresses"` // local addresses, taken in turn
	// http://host:port; env: the proxy in HTTP_PROXY and its like; none
	Proxy string `yaml:"proxy"`
	// auto, the default, takes HTTP/2 where TLS offers it, else HTTP/1.1; h2c is HTTP/2 without TLS
	HTTP HTTPVersion `yaml:"http"`
	// HTTP/2 streams per connection at once; zero is the server's limit
	MaxStreams int `yaml:"max_streams,min=1"`
}

// PerUser is the value of [Connections.Per] that gives each virtual user a connection of its own.
const PerUser = "user"

// HTTPVersion is the version of HTTP that a load speaks.
type HTTPVersion string

// The versions. The empty one is AnyHTTP.
const (
	AnyHTTP HTTPVersion = "auto" // HTTP/2 where the server accepts it by ALPN, else HTTP/1.1; without TLS HTTP/1.1
	HTTP1   HTTPVersion = "1.1"
	HTTP2   HTTPVersion = "2"   // by ALPN, which the server must accept; without TLS by prior knowledge
	H2C     HTTPVersion = "h2c" // without TLS HTTP/2 by prior knowledge; with TLS like auto
)

var httpVersions = []string{string(AnyHTTP), string(HTTP1), string(HTTP2), string(H2C)}

// meant maps other spellings of a version to it.
var meant = map[string]string{
	"1": "1.1", "1.0": "1.1", "http/1.1": "1.1", "h2": "2", "http/2": "2", "http2": "2", "HTTP/1.1": "1.1", "HTTP/2": "2",
}

func (v *HTTPVersion) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	s, ok := n.Text(m)
	if s == "2.0" { // the same number in JSON Schema
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

func (*HTTPVersion) Schema() syntax.Schema {
	return syntax.Scalar(syntax.Schema{"enum": []any{"auto", "1.1", "2", "h2c", 1.1, 2}})
}
