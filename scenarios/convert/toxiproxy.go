package convert

import (
	"errors"
	"net"
	"net/url"
	"strconv"

	"brunt/scenarios"
	"brunt/scenarios/convert/draft"
	"brunt/scenarios/syntax"
)

// toxiproxyConverter returns the converter for toxiproxy's JSON.
func toxiproxyConverter() draft.Converter {
	return draft.Converter{
		Name: "toxiproxy", Source: "the JSON of toxiproxy's proxies and toxics", Convert: toxiproxyConvert, Faults: true,
		Doc: "a fault for each toxic, one after the other, on the load's connections, or on those to the container that a " +
			"proxy leads to",
	}
}

// toxiproxyConvert reads a configuration, which is a list of proxies, or an answer of the API, which is a map of
// proxies by name.
func toxiproxyConvert(d *draft.Builder, source []byte) error {
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
	for _, p := range list {
		if d.Text(p, "upstream") == "" {
			d.Lost(draft.Line(p), "a proxy without an upstream")
			continue
		}
		convertProxy(d, p)
	}
	return nil
}

// convertProxy converts a proxy: its link, and a fault for each toxic.
func convertProxy(d *draft.Builder, p *syntax.Node) {
	name, upstream := d.Text(p, "name"), d.Text(p, "upstream")
	d.Skip(p, "listen") // brunt's link has a port of its own
	toxics := p.Get("toxics")
	ends, ok := endsOf(d, p, upstream, toxics != nil && len(toxics.Items) > 0 || d.Text(p, "enabled") == "false")
	if !ok {
		return
	}
	if d.Text(p, "enabled") == "false" {
		s := ends()
		d.Inject(draft.Fault{
			Name: name + "-down", Line: draft.Line(p), Kind: "network.partition", For: draft.GuessedFor, Guessed: true,
			Settings: s.Set("mode", draft.Raw("reject")),
		})
	}
	if toxics != nil {
		for _, t := range toxics.Items {
			d.Toxic(draft.Toxic{
				Name: d.Text(t, "name"), Type: d.Text(t, "type"), Proxy: name, Stream: d.Text(t, "stream"),
				Toxicity: d.Text(t, "toxicity"),
				Line:     draft.Line(t), Ends: ends(), Attributes: t.Get("attributes"), In: t,
			})
		}
	}
	for _, rest := range d.Rest(p) {
		d.Lost(draft.Line(p), "the proxy %s: %s", name, rest)
	}
}

// endsOf returns a function that returns the ends of a proxy's link: the load and the target, or a caller and a
// container.
func endsOf(d *draft.Builder, p *syntax.Node, upstream string, faulty bool) (func() *draft.Node, bool) {
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
		return func() *draft.Node { return (&draft.Node{}).Set("from", draft.Raw("load")) }, true
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
