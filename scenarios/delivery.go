package scenarios

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/ohler55/ojg/jp"

	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// A Delivery says that what a step sends must be seen elsewhere, such as a webhook for each order. Its measurements
// are a row of their own, which has the delivery's name: the time from the instant at which the request was due until
// brunt saw the message. An objective names it: `p99 < 2s of order`, `lost = 0 of order`.
type Delivery struct {
	syntax.Place
	Name string `yaml:"-"` // the name under `deliveries`
	// the name of the step that sends: METHOD path, unless the step sets `name`. Steps of several loads may share it
	Sent string `yaml:"sent,required"`
	// the answer that acknowledges what was sent, such as status 202; zero is any answer that passes the step's
	// own check
	Ack Ack `yaml:"ack"`
	// the id by which a message is known: "${delivery.id}", which brunt draws for each request and the request
	// sends, or
	// "${var.NAME}", which the step extracts from its answer; by default "${delivery.id}"
	ID   template.Text `yaml:"id"`
	Seen Seen          `yaml:"seen,required"` // where brunt sees what arrives, and how it reads the id
	// where a message says to which sequence it belongs, such as "$.customer": of two requests of one sequence, where
	// the first was acknowledged before the second was sent, the first must be seen first. Zero judges no order
	Key string `yaml:"key"`
	// how long after the instant at which it was due a request must be seen; by then an unseen one is an error,
	// `undelivered`. If it is seen later, it is late
	Within quantity.Duration `yaml:"within,required,positive"`
	// how long brunt looks on after the load, at least `within`: what it has not seen by then is lost; by default the
	// longer one of 10s and `within`
	Settle quantity.Duration `yaml:"settle,positive"`
}

// Seen says where brunt sees messages: exactly one of HTTP and Ask.
type Seen struct {
	syntax.Place
	// where brunt receives HTTP requests: HOST:PORT/PATH, where HOST is an address, which guard.allow.load has
	// to name
	// unless it is loopback; without HOST it is 127.0.0.1. Port 0 is a free one. Processes that brunt starts get
	// the URL
	// as BRUNT_HOOK_NAME, with the name of the delivery in capitals. brunt answers 204, or 422 if the body has no id
	HTTP string `yaml:"http"`
	// a step as in a flow, or several, which brunt runs again and again in a session of its own, from before the
	// warm-up until the settle time has passed; the answer of the last one has messages. The session bypasses links
	// with faults. A step that waits for messages needs no `every`: `{redis: [BLPOP, sent, 1]}`,
	// `[{ws: /feed, as: feed, keep: user}, {await: exists, from: feed, within: 1s}]`
	Ask Steps `yaml:"ask"`
	// of ask: time from one question to the next, for a step that does not wait for messages. The instants of sightings
	// are exact to this time and that of an answer. By default it asks at once, or after 10ms if there was no message.
	// A step that takes messages, such as LPOP, is asked again at once while there are any
	Every quantity.Duration `yaml:"every,positive"`
	// of ask: where the place of a message stands in an answer, such as "$[*].seq" of rows. The last place is the value
	// of ${var.after} in the next question, which asks for later messages alone: `where seq > $1`. Before the first
	// message it is 0
	After string `yaml:"after"`
	// of after: a step whose answer has the place of the last message before the run; zero is that brunt reads the
	// messages of earlier runs as well, and counts them as foreign
	From Steps `yaml:"from"`
	// of ask: an answer has all messages so far, not only new ones, such as LRANGE or a query without a place. An id
	// is then seen again if an answer has it more often than any before
	Repeats bool `yaml:"repeats"`
	// where the messages stand in an answer or a body, such as "$[*]"; a text is read as JSON. By default the whole answer
	Each string `yaml:"each"`
	// where the id stands in the JSON of a message, such as "$.order_id"; each value found is one message seen, so
	// "$.events[*].id" reads several
	ID string `yaml:"id,required"`
}

// VarAfter is the variable with the place of the last message, see [Seen.After].
const VarAfter = "after"

// SettleOr returns how long brunt looks on after the load.
func (d *Delivery) SettleOr() time.Duration {
	if d.Settle > 0 {
		return d.Settle.D()
	}
	return max(defaultSettle, d.Within.D())
}

// Drawn reports whether brunt draws the ids.
func (d *Delivery) Drawn() bool {
	refs := d.ID.Refs()
	return len(refs) == 0 || refs[0].Kind == syntax.RefLedger
}

// Hook returns the address and the path of Seen.HTTP; an empty address means that it is neither.
func (s *Seen) Hook() (hostport, path string) {
	at, rest, _ := strings.Cut(s.HTTP, "/")
	return listenAddress(at), "/" + rest
}

// listenAddress returns host:port of HOST:PORT or :PORT, by default on loopback; empty if it is not one.
func listenAddress(at string) string {
	host, port, err := net.SplitHostPort(at)
	if host == "" || host == "localhost" {
		host = "127.0.0.1"
	}
	_, herr := netip.ParseAddr(host)
	_, perr := strconv.ParseUint(port, 10, 16)
	if err != nil || herr != nil || perr != nil {
		return ""
	}
	return net.JoinHostPort(host, port)
}

// deliveries reads `deliveries`, and checks the parts that can be checked before its steps are compiled.
func (p *files) deliveries(sc *Scenario, n *syntax.Node) {
	p.named(n, "deliveries", func(name string, f syntax.Field) {
		d := &Delivery{Name: name}
		syntax.Decode(f.Value, d, p.m)
		sc.Deliveries = append(sc.Deliveries, d)
		const such = "such as \"${delivery.id}\", or \"${var.id}\" that the step extracts from its answer"
		if refs := d.ID.Refs(); d.ID.At.Line > 0 {
			if _, static := d.ID.Static(); static || len(refs) != 1 || len(d.ID.Pieces) != 1 {
				p.m.AddHint(d.ID.At, such, "`id` is one placeholder, which has another value for each request")
			} else if r := refs[0]; r.Kind != syntax.RefVar && r.Text != syntax.DeliveryPlaceholder {
				p.m.AddHint(d.ID.At, such, "%s can't identify a delivery", r)
			}
		}
		if d.Key != "" {
			p.jsonPath(d.Of("key"), "key", d.Key, "such as \"$.customer\"")
		}
		if s := d.Settle; s > 0 && s < d.Within {
			p.m.AddHint(d.Of("settle"), fmt.Sprintf("such as settle: %s", d.Within),
				"`settle` is at least `within`, %s, because the last request may be seen that late", d.Within)
		}
		p.seen(d)
	})
}

// seen checks where a delivery's messages are seen.
func (p *files) seen(d *Delivery) {
	s := &d.Seen
	if at, _ := s.Hook(); s.HTTP != "" && at == "" {
		p.m.AddHint(s.Of("http"), "such as :9099/hook, or :0/hook for a free port",
			"%q is not [HOST]:PORT/PATH, with an address as HOST", syntax.Clip(s.HTTP, 60))
	}
	if s.At.Line > 0 && s.Has("http") == s.Has("ask") {
		p.m.AddHint(s.At, `such as http: ":9099/hook", or ask: {redis: [BLPOP, sent, 1]}`,
			"want exactly one of http and ask, which says where messages are seen")
	}
	for _, key := range []string{"every", "after", "from", "repeats"} {
		if s.Has(key) && !s.Has("ask") {
			p.m.Add(s.Of(key), "`%s` goes with `ask`", key)
		}
	}
	switch {
	case s.Has("from") && !s.Has("after"):
		p.m.AddHint(s.Of("from"), `such as after: "$[*].seq"`, "`from` needs `after`, which says where a place stands")
	case s.Repeats && s.Has("after"):
		p.m.Add(s.Of("repeats"), "`after` asks for later messages alone, so that answers do not repeat")
	}
	if s.Every > d.Within && d.Within > 0 {
		p.m.AddHint(s.Of("every"), fmt.Sprintf("at most a tenth, such as every: %s", d.Within/10),
			"asking every %s can't tell what is seen within %s", s.Every, d.Within)
	}
	for key, path := range map[string]string{"id": s.ID, "each": s.Each, "after": s.After} {
		if path != "" {
			p.jsonPath(s.Of(key), key, path, "such as \"$.order_id\"")
		}
	}
}

// jsonPath refuses a text that is not a JSON path.
func (p *files) jsonPath(at syntax.Pos, key, path, such string) {
	if _, err := jp.ParseString(path); err != nil || !strings.HasPrefix(path, "$") {
		p.m.AddHint(at, such, "`%s` is a JSON path into the message, not %q", key, syntax.Clip(path, 40))
	}
}

// DeliveryOf returns the delivery with a name; nil if there is none.
func (s *Scenario) DeliveryOf(name string) *Delivery {
	for _, d := range s.Deliveries {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// ofDelivery checks that the scenario has the delivery that an objective names, and that it measures the metric.
func (p *files) ofDelivery(sc *Scenario, o slo.Objective) {
	var names []string
	for _, d := range sc.Deliveries {
		names = append(names, d.Name)
	}
	d := sc.DeliveryOf(o.Step)
	switch {
	case undeclared(sc.Root, "deliveries"):
		p.m.AddHint(o.Pos, "such as deliveries: {order: {sent: STEP, seen: {http: \":9099/hook\", id: \"$.id\"}, within: 5s}}",
			"`%s` needs `deliveries`, which says what is sent and where it is seen", o.Text)
	case len(names) == 0: // mistakes in the section are reported
	case d == nil:
		p.m.AddHint(o.Pos, syntax.DidYouMean(o.Step, names), "there is no delivery %q", o.Step)
	case o.Metric.Row().NeedsKey && !d.Has("key"):
		p.m.AddHint(o.Pos, "such as key: \"$.customer\"",
			"%s needs `key` in the delivery %q: without it no order is asked for", o.Metric.Name, d.Name)
	}
}
