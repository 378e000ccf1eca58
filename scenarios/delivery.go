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

// Seen says where brunt sees messages.
type Seen struct {
	syntax.Place
	// where brunt receives HTTP requests: HOST:PORT/PATH, where HOST is an address, which guard.allow.load has
	// to name
	// unless it is loopback; without HOST it is 127.0.0.1. Port 0 is a free one. Processes that brunt starts get
	// the URL
	// as BRUNT_HOOK_NAME, with the name of the delivery in capitals. brunt answers 204, or 422 if the body has no id
	HTTP string `yaml:"http,required"`
	// where the id stands in the JSON of a message, such as "$.order_id"; each value found is one message seen, so
	// "$.events[*].id" reads several
	ID string `yaml:"id,required"`
}

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
		s := &d.Seen
		if s.HTTP != "" {
			if at, _ := s.Hook(); at == "" {
				p.m.AddHint(s.Of("http"), "such as :9099/hook, or :0/hook for a free port",
					"%q is not [HOST]:PORT/PATH, with an address as HOST", syntax.Clip(s.HTTP, 60))
			}
		}
		if s.ID != "" {
			p.jsonPath(s.Of("id"), "id", s.ID, "such as \"$.order_id\"")
		}
	})
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
	declared := sc.Root.Get("deliveries")
	d := sc.DeliveryOf(o.Step)
	switch {
	case declared == nil || declared.Kind == syntax.Null && !declared.Bad:
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
