package scenarios

import (
	"slices"

	"brunt/scenarios/syntax"
)

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
