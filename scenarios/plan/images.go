package plan

import (
	"net"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/allow"
	"brunt/scenarios/syntax"
)

// checkImages refuses images whose names hold a secret and whose registries lie outside the blast radius: an engine or
// a node that lacks an image sends the name there. An image without a secret may come from anywhere.
func checkImages(p *Plan, m *syntax.Mistakes) {
	target := p.Scenario.Root.Get("target")
	var all []*syntax.Node
	if services := target.Get("containers"); services != nil {
		for _, f := range services.Fields {
			all = append(all, f.Value.Get("image"))
		}
	}
	for _, n := range append(all, target.Get("kubernetes").Get("image"), p.Scenario.Root.Get("workers").Get("image")) {
		secret := secretIn(n)
		if secret == "" {
			continue
		}
		host, port := registryOf(n.Value)
		err := p.within(func(l *allow.List) error { return l.CheckNamed(host, port) }, scenarios.ImagesBeyond(host))
		if err != nil {
			m.AddHint(n.Pos, "a param is no secret, such as `params: {tag: v1}`, with `--set tag=v2`",
				"%s would see ${%s}, which is in the name of the image: %v", host, secret, err)
		}
	}
}

// secretIn returns the placeholder of a secret value in a text; empty if there is none.
func secretIn(n *syntax.Node) string {
	if n == nil {
		return ""
	}
	for _, p := range n.Parts {
		if p.Secret != "" {
			return p.Secret
		}
	}
	return ""
}

// registryOf returns the registry of an image, as Docker and Kubernetes read the name: the part before the first
// slash, if it contains a dot, a colon or a capital letter, or is localhost.
func registryOf(image string) (host string, port uint16) {
	first, _, more := strings.Cut(image, "/")
	if !more || !strings.ContainsAny(first, ".:") && first != "localhost" && strings.ToLower(first) == first {
		return "docker.io", 443
	}
	host, text, err := net.SplitHostPort(first)
	if err != nil {
		return strings.Trim(first, "[]"), 443
	}
	n, _ := strconv.ParseUint(text, 10, 16)
	return host, uint16(n)
}
