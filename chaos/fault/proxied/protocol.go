package proxied

import (
	"brunt/chaos"
	"brunt/chaos/proxy/peer"
	"brunt/chaos/selector"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// The formats that faults parse, as the descriptors of protocols name them.
const (
	formatHTTP  = "http"
	formatHTTP2 = "http/2" // without TLS
	formatGRPC  = "grpc"
	formatRedis = "redis"
	formatSQL   = "sql"
	formatMySQL = "mysql"
	formatMongo = "mongo"
	formatKafka = "kafka"
	formatAMQP  = "amqp"
)

// form returns the form of a probe on a link: general, or the special form that the link is known to carry.
func form(l *chaos.Link, general peer.Form) peer.Form {
	switch {
	case general == peer.HTTP1 && l.Carries.Has(formatHTTP2):
		return peer.HTTP2
	case general == peer.SQL && l.Carries.Has(formatMySQL):
		return peer.MySQL
	}
	return general
}

// spoken notes a mistake if the fault hits a link to an endpoint that does not carry the format which the fault parses.
func spoken(e *selector.Edge, protocol, inside, format string, at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	for i := range sc.Endpoints {
		end := &sc.Endpoints[i]
		link := end.Name
		switch {
		case end.NoLink == "":
		case end.Addr != "" && end.Addr == sc.External:
			link = chaos.TargetName
		default:
			continue
		}
		switch {
		case !e.On(chaos.LoadName, link, nil):
		case !end.Carries.Has(format):
			m.Add(at, "the endpoint %q does not speak %s without TLS, so that no link can look into %s; network.* faults work",
				end.Name, protocol, inside)
		case end.EncryptedBy != "":
			m.AddHint(at, "without "+end.EncryptedBy+" in its URL, or with a fault of network.*, which looks into nothing",
				"connections to the endpoint %q are encrypted by %s, so that no link can look into %s", end.Name, end.EncryptedBy, inside)
		}
	}
}

// parsed returns the traits of a fault on links whose data is parsed.
func parsed(e *selector.Edge, sc chaos.Scope) chaos.Traits {
	t := e.Traits(sc)
	t.Touches = func(from, to string, z chaos.Zones) (hit, parses bool) { return e.On(from, to, z), true }
	return t
}

// some describes the share of the things that a fault hits.
func some(percent *quantity.Share, what, of string) string {
	s := "all " + what
	if percent != nil {
		s = percent.String() + " of " + what
	}
	if of != "" {
		s += " of " + of
	}
	return s
}
