package convert

import (
	"bytes"
	"cmp"
	"errors"
	"net"
	"net/url"
	"strconv"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/convert/draft"
	"brunt/scenarios/convert/shell"
	"brunt/scenarios/syntax"
)

// toxiproxyConverter returns the converter for toxiproxy's JSON.
func toxiproxyConverter() draft.Converter {
	return draft.Converter{
		Name: "toxiproxy", Source: "the JSON of toxiproxy's proxies and toxics, or commands of toxiproxy-cli", Convert: toxiproxyConvert, Faults: true,
		Doc: "a fault for each toxic, one after the other, or at its time in a script, on the load's connections, or on " +
			"those to the container that a proxy leads to",
		Usage: "Of toxiproxy, what stands after -- is a command of toxiproxy-cli.", Words: shell.Join("toxiproxy-cli"),
	}
}

// toxiproxyConvert reads a configuration, which is a list of proxies, an answer of the API, which is a map of proxies
// by name, or a script with commands of toxiproxy-cli.
func toxiproxyConvert(d *draft.Builder, source []byte) error {
	if begin := bytes.TrimSpace(source); len(begin) == 0 || begin[0] != '{' && begin[0] != '[' {
		return toxiproxyCommands(d, source)
	}
	docs, err := d.Documents(source)
	if err != nil {
		return err
	}
	if len(docs) == 0 {
		return errors.New("want a list of proxies with name, listen and upstream, or what GET /proxies gives")
	}
	for _, doc := range docs[1:] {
		d.Lost(draft.Line(doc), "a second document")
	}
	list := docs[0].Items
	for _, f := range docs[0].Fields {
		list = append(list, f.Value)
	}
	if docs[0].Get("upstream") != nil { // the answer of GET /proxies/NAME
		list = docs
	}
	if docs[0].Get("attributes") != nil { // what POST /proxies/NAME/toxics takes
		list = []*syntax.Node{mapOf(draft.Line(docs[0]), "toxics", &syntax.Node{Kind: syntax.List, Items: docs[:1]})}
	}
	var proxies []func() // all toxics of a configuration act at the same time
	for _, p := range list {
		proxies = append(proxies, func() { convertProxy(d, p) })
	}
	d.Together(proxies...)
	return nil
}

// mapOf returns a map of keys and values that are texts or nodes.
func mapOf(line int, fields ...any) *syntax.Node {
	n := &syntax.Node{Kind: syntax.Map, Pos: syntax.Pos{Line: line}}
	for i := 0; i < len(fields); i += 2 {
		v, ok := fields[i+1].(*syntax.Node)
		if text, is := fields[i+1].(string); is {
			v, ok = &syntax.Node{Kind: syntax.String, Value: text, Pos: n.Pos}, text != ""
		}
		if ok {
			n.Fields = append(n.Fields, syntax.Field{Key: fields[i].(string), Value: v})
		}
	}
	return n
}

// convertProxy converts a proxy: its link, and a fault for each toxic.
func convertProxy(d *draft.Builder, p *syntax.Node) {
	toxics, down := p.Get("toxics"), d.Text(p, "enabled") == "false"
	l := linkOf(d, p, toxics != nil && len(toxics.Items) > 0 || down)
	if l == nil {
		return
	}
	var faults []func()
	if down {
		faults = append(faults, func() { l.down(draft.Line(p), 0) })
	}
	if toxics != nil {
		for _, t := range toxics.Items {
			faults = append(faults, func() { l.toxic(t, 0) })
		}
	}
	d.Together(faults...)
	for _, rest := range d.Rest(p) {
		d.Lost(draft.Line(p), "the proxy %s: %s", l.name, rest)
	}
}

// A link is the link of a proxy, on which its toxics act.
type link struct {
	d    *draft.Builder
	name string
	ends func() *draft.Node
}

// linkOf returns the link of a proxy, or nil if no fault can be on it. Faulty says that the source has some.
func linkOf(d *draft.Builder, p *syntax.Node, faulty bool) *link {
	l := &link{d: d, name: d.Text(p, "name")}
	d.Skip(p, "listen") // brunt's link has a port of its own
	var ok bool
	if l.ends, ok = endsOf(d, p, d.Text(p, "upstream"), faulty); !ok {
		return nil
	}
	return l
}

// down adds the fault of a proxy that is disabled. Lasts is zero if the source does not say how long.
func (l *link) down(line int, lasts time.Duration) {
	s := l.ends()
	l.d.Inject(draft.Fault{
		Name: l.name + "-down", Line: line, Kind: "network.partition", For: cmp.Or(lasts, draft.GuessedFor),
		Guessed: lasts == 0, Settings: s.Set("mode", draft.Raw("reject")),
	})
}

// toxic adds the fault of a toxic.
func (l *link) toxic(t *syntax.Node, lasts time.Duration) {
	l.d.Toxic(draft.Toxic{
		Name: l.d.Text(t, "name"), Type: l.d.Text(t, "type"), Proxy: l.name, Stream: l.d.Text(t, "stream"),
		Toxicity: l.d.Text(t, "toxicity"),
		Line:     draft.Line(t), Ends: l.ends(), Attributes: t.Get("attributes"), In: t, For: lasts,
	})
}

// endsOf returns a function that returns the ends of a proxy's link: the load and the target, or a caller and a
// container.
func endsOf(d *draft.Builder, p *syntax.Node, upstream string, faulty bool) (func() *draft.Node, bool) {
	ofLoad := func() *draft.Node { return (&draft.Node{}).Set("from", draft.Raw("load")) }
	if upstream == "" {
		if faulty {
			d.Lost(draft.Line(p), "where the proxy %s leads to: its faults are on the load's connections; `from` and `to` "+
				"name another link", d.Text(p, "name"))
		} else {
			d.Lost(draft.Line(p), "a proxy without an upstream")
		}
		return ofLoad, faulty
	}
	host, port, err := net.SplitHostPort(upstream)
	if v, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || v == 0 {
		d.Lost(draft.Line(p), "the upstream of %s is no host:port", d.Text(p, "name"))
		return nil, false
	}
	if !faulty { // a proxy without faults is not a loss and needs no unit
		return nil, false
	}
	if host == "" || scenarios.IsLoopback(host) {
		at := &url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", port)}
		d.At(at)
		if d.Origin != draft.OriginOf(at) {
			d.Lost(draft.Line(p),
				"the proxy %s: the load goes to %s, and %s is another one; start its caller by brunt (target.processes), "+
					"and a fault goes from one to the other", d.Text(p, "name"), d.Origin, upstream)
			return nil, false
		}
		return ofLoad, true
	}
	unit := d.Container(host)
	if d.Units.Get("caller") == nil {
		d.Units.Set("caller", (&draft.Node{}).Set("container", draft.Raw("app")))
		d.Units.Get("caller").Say("A guess: toxiproxy does not say whose connections go through its proxies.")
		d.Tell(0, "toxiproxy does not say whose connections go through its proxies: name the container under "+
			"target.units.caller")
	}
	return func() *draft.Node {
		return (&draft.Node{}).Set("from", draft.Raw("caller")).Set("to", draft.Plain(unit))
	}, true
}
