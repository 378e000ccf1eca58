// Package toxiproxy converts the proxies and toxics of toxiproxy into scenarios.
package toxiproxy

import (
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/convert/draft"
	"brunt/scenarios/syntax"
)

// Converter returns the converter for toxiproxy's JSON.
func Converter() draft.Converter {
	return draft.Converter{
		Name: "toxiproxy", Source: "the JSON of toxiproxy's proxies and toxics", Convert: convert, Faults: true,
		Doc: "a fault for each toxic, one after the other, on the load's connections, or on those to the container that a proxy leads to",
	}
}

// convert reads a configuration, which is a list of proxies, or what the API gives: a map of them by name.
func convert(d *draft.Builder, source []byte) error {
	docs, err := d.Documents(source)
	if err != nil {
		return err
	}
	if len(docs) == 0 {
		return errors.New("want a list of proxies with name, listen and upstream, or what GET /proxies gives")
	}
	list := docs[0].Items
	for _, f := range docs[0].Fields {
		if f.Value.Get("upstream") != nil {
			list = append(list, f.Value)
		}
	}
	for _, p := range list {
		if draft.Value(p, "upstream") == "" {
			d.Lost(draft.Line(p), "a proxy without an upstream")
			continue
		}
		convertProxy(d, p)
	}
	return nil
}

// convertProxy converts a proxy: its link, and a fault for each toxic.
func convertProxy(d *draft.Builder, p *syntax.Node) {
	name, upstream := draft.Value(p, "name"), draft.Value(p, "upstream")
	ends, ok := endsOf(d, p, upstream)
	if !ok {
		return
	}
	if draft.Value(p, "enabled") == "false" {
		s := ends()
		d.Inject(draft.Fault{
			Name: name + "-down", Line: draft.Line(p), Kind: "network.partition", For: draft.GuessedFor, Guessed: true,
			Settings: s.Set("mode", draft.Raw("reject")),
		})
	}
	toxics := p.Get("toxics")
	if toxics == nil {
		return
	}
	for _, t := range toxics.Items {
		convertToxic(d, name, ends(), t)
	}
}

// endsOf returns what gives the ends of a proxy's link: the load and the target, or a caller and a container.
func endsOf(d *draft.Builder, p *syntax.Node, upstream string) (func() *draft.Node, bool) {
	host, port, err := net.SplitHostPort(upstream)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		d.Lost(draft.Line(p), "the upstream %q is no host:port", upstream)
		return nil, false
	}
	if host == "" || scenarios.IsLoopback(host) {
		at := &url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", port)}
		d.At(at)
		if d.Origin != draft.OriginOf(at) {
			d.Lost(draft.Line(p), "the proxy %s: the load goes to %s, and %s is another one; start its caller by brunt (target.processes), "+
				"and a fault goes from one to the other", draft.Value(p, "name"), d.Origin, upstream)
			return nil, false
		}
		return func() *draft.Node { return (&draft.Node{}).Set("from", draft.Raw("load")) }, true
	}
	unit := d.Container(host)
	if d.Units.Get("caller") == nil {
		d.Units.Set("caller", (&draft.Node{}).Set("container", draft.Raw("app")))
		d.Units.Get("caller").Say("A guess: toxiproxy does not say whose connections go through its proxies.")
		d.Tell(0, "toxiproxy does not say whose connections go through its proxies: name the container under target.units.caller")
	}
	return func() *draft.Node {
		return (&draft.Node{}).Set("from", draft.Raw("caller")).Set("to", draft.Plain(unit))
	}, true
}

// convertToxic converts a toxic between the ends of a link.
func convertToxic(d *draft.Builder, proxy string, s *draft.Node, t *syntax.Node) {
	kind, line := draft.Value(t, "type"), draft.Line(t)
	name := draft.Value(t, "name")
	if name == "" {
		name = kind
	}
	if !strings.HasPrefix(name, proxy) {
		name = proxy + "-" + name
	}
	number := func(key string) string { return draft.Value(t, "attributes", key) }
	f := draft.Fault{Name: name, Line: line, For: draft.GuessedFor, Guessed: true, Settings: s}
	directed := false // whether the fault acts on one direction alone
	var lost string
	switch kind {
	case "latency":
		f.Kind, directed = "network.latency", true
		s.SetDuration("delay", number("latency"), time.Millisecond).SetDuration("jitter", number("jitter"), time.Millisecond)
		if s.Get("delay") == nil {
			lost = "a latency of 0 ms"
		}
	case "bandwidth":
		f.Kind, directed = "network.bandwidth", true
		if s.SetRate(number("rate") + "kbps"); s.Get("rate") == nil {
			lost = "a bandwidth of 0: take network.blackhole"
		}
	case "timeout":
		f.Kind = "network.blackhole"
	case "reset_peer":
		f.Kind, f.For, f.Guessed = "network.reset", 0, false
	case "slow_close":
		f.Kind = "tcp.slow_close"
		if s.SetDuration("delay", number("delay"), time.Millisecond); s.Get("delay") == nil {
			lost = "a delay of 0 ms"
		}
	case "slicer":
		f.Kind = "tcp.slicer"
		s.SetWhole("size", number("average_size")).SetWhole("variation", number("size_variation")).SetDuration("delay", number("delay"), time.Microsecond)
	case "limit_data":
		f.Kind = "tcp.limit"
		if s.SetSize(number("bytes")); s.Get("bytes") == nil {
			lost = "a limit of 0 bytes: take network.blackhole"
		}
	default:
		lost = "a toxic of the type " + strconv.Quote(kind)
	}
	if lost != "" {
		d.Lost(line, "%s: %s", name, lost)
		return
	}
	stream := draft.Value(t, "stream")
	if directed {
		s.Set("direction", draft.Raw(map[bool]string{true: "request", false: "response"}[stream == "upstream"]))
	}
	n := d.Inject(f)
	if !directed && stream == "upstream" && kind != "reset_peer" {
		d.LoseAt(&n.Above, line, "the stream: it acts on both directions")
	}
	if v := number("timeout"); kind == "timeout" && v != "0" && v != "" {
		d.LoseAt(&n.Above, line, "connections are not closed after %s ms: they hang until the fault ends", v)
	}
	if kind == "reset_peer" {
		d.LoseAt(&n.Above, line, "it resets what is open at one instant, where the toxic resets each connection; `every` and `repeat` do it again")
	}
	if v := draft.Value(t, "toxicity"); v != "" && v != "1" && v != "1.0" {
		d.LoseAt(&n.Above, line, "the toxicity %s: every connection is hit", v)
	}
}
