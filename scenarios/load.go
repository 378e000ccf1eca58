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
	// maximum number of iterations in flight; zero is 10000, or fewer if this machine can open few files
	MaxInFlight int `yaml:"max_in_flight,min=1"`
	// timeout of a request, counted from its intended time; zero is 10s
	Timeout quantity.Duration `yaml:"timeout,positive"`
	// how long iterations may go on after the load's end; zero is 10s
	Grace quantity.Duration `yaml:"grace"`
	// how the virtual users repeat a failed request; zero is not at all
	Retry *RetryPolicy `yaml:"retry"`
	Flow  []Step       `yaml:"flow"` // the steps of an iteration, one after the other
	// instead of flow: several flows; each iteration picks one by weight
	Mix []Mixed `yaml:"mix"`
	// instead of flow: a file of vegeta targets, in vegeta's http or json format, used in turn
	Targets string `yaml:"targets"`
	// settings for every request of a targets file or a log: headers, check, auth, sign, redirects
	Request *syntax.Node `yaml:"request"`
	Engine  string       `yaml:"engine"` // the engine that makes the requests; zero is native
	// steps that run once per virtual user, with rows of their own, such as `init POST /login`. If one fails, the steps
	// of the iteration are skipped
	Init []Step `yaml:"init"`
	// how its requests authenticate; off is not at all; nil is as in the scenario
	Auth *syntax.Node `yaml:"auth"`
	// how its requests are signed; off is not at all; nil is as in the scenario
	Sign        *syntax.Node `yaml:"sign"`
	Connections Connections  `yaml:"connections"` // number, lifetime and source of connections
	// how long an HTTP user keeps the cookies of answers. iteration: each iteration is by a new user, who has the
	// cookies of init alone; user: a virtual user keeps them to the end of the load; zero is iteration for an open load,
	// and user for a closed one. See brunt explain cookies
	Cookies string `yaml:"cookies,oneof=iteration|user"`
	// maps a host or host:port to the address to use instead, or to several with commas between them: connections go to
	// each in turn, and to the next one if one does not accept. Allow-lists have to hold these addresses
	Resolve map[string]string `yaml:"resolve"`
	Shape   syntax.Block      `yaml:"-"` // the executor with its own settings
	Script  *Script           `yaml:"-"` // a k6 script instead of all of the above; nil for other loads
}

// EmptiesJars reports whether each iteration of the load begins without the cookies of earlier ones.
func (l *Load) EmptiesJars(closed bool) bool {
	return l.Cookies == "iteration" || l.Cookies == "" && !closed
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
	// maximum number of open connections; zero is as many as needed
	Max int `yaml:"max,min=1"`
	// load: the users of the load share connections; user: each virtual user has a connection of its own, for
	// protocols that support it, such as Redis; zero is load
	Per string `yaml:"per,oneof=load|user"`
	// keep connections open between requests, each until it is unused for max_idle; nil is on
	KeepAlive *bool `yaml:"keep_alive"`
	// how long a connection may be unused; zero is 90s. A server that closes idle connections sooner may do so just as a
	// request comes: a request that may be sent twice is then sent again, once, and any other is an error, closed while
	// idle. Set less than the server's limit
	MaxIdle quantity.Duration `yaml:"max_idle,positive"`
	// number of requests after which a connection is closed; from a range, each connection draws its own number; zero
	// is no limit
	Reuse  quantity.Counts   `yaml:"reuse"`
	MaxAge quantity.Duration `yaml:"max_age"` // maximum age of a connection; zero is no limit
	// address of the name server to use after the hosts file; zero is the system's. Allow-lists have to hold the
	// addresses that it gives, not only their names
	DNS string `yaml:"dns"`
	// how long a resolved address is used; zero is the TTL of the record, at most 30s
	DNSTTL          quantity.Duration `yaml:"dns_ttl"`
	SourceAddresses []string          `yaml:"source_addresses"` // local addresses, taken in turn
	// replicas of the target's entry that connections go to: first, or all, in turn, where a connection goes to the next
	// one if one does not accept it, as for a name with several addresses; zero is first
	Entries string `yaml:"entries,oneof=first|all"`
	// the proxy: http://host:port; env, the proxy that HTTP_PROXY and similar variables name; or none
	Proxy string `yaml:"proxy"`
	// version of HTTP; auto, the default, is HTTP/2 where the server offers it by TLS, else HTTP/1.1; h2c is HTTP/2
	// without TLS; 3 is HTTP/3, over UDP
	HTTP HTTPVersion `yaml:"http"`
	// maximum number of concurrent HTTP/2 or HTTP/3 streams per connection, or calls per process of a plug-in; zero is the
	// server's limit, of HTTP/3 at most 100, of a plug-in 1000
	MaxStreams int `yaml:"max_streams,min=1"`
}

// AllEntries is the value of [Connections.Entries] that uses every replica of the entry.
const AllEntries = "all"

// PerUser is the value of [Connections.Per] that gives each virtual user a connection of its own.
const PerUser = "user"

// HTTPVersion is the version of HTTP that a load speaks.
type HTTPVersion string

// The versions. The empty string means AnyHTTP.
const (
	AnyHTTP HTTPVersion = "auto" // HTTP/2 where the server accepts it by ALPN, else HTTP/1.1; without TLS HTTP/1.1
	HTTP1   HTTPVersion = "1.1"
	HTTP2   HTTPVersion = "2"   // by ALPN, which the server must accept; without TLS by prior knowledge
	HTTP3   HTTPVersion = "3"   // over QUIC, for https:// alone; never chosen by auto
	H2C     HTTPVersion = "h2c" // without TLS HTTP/2 by prior knowledge; with TLS like auto
)

var httpVersions = []string{string(AnyHTTP), string(HTTP1), string(HTTP2), string(HTTP3), string(H2C)}

// meant maps other spellings of a version to the right one.
var meant = map[string]string{
	"1": "1.1", "1.0": "1.1", "http/1.1": "1.1", "h2": "2", "http/2": "2", "http2": "2", "HTTP/1.1": "1.1", "HTTP/2": "2",
	"h3": "3", "http/3": "3", "http3": "3", "HTTP/3": "3",
}

func (v *HTTPVersion) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	s, ok := n.Text(m)
	if s == "2.0" { // to JSON Schema, 2.0 is the number 2
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
	return syntax.Scalar(syntax.Schema{"enum": []any{"auto", "1.1", "2", "3", "h2c", 1.1, 2, 3}})
}
