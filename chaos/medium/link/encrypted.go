package link

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/proxy"
	"brunt/scenarios/syntax"
)

// parses reports whether the toxic acts on the content of connections, which the proxy has to read.
func (t *Toxic) parses() bool {
	return t.Toxic != nil && errors.Is(t.Toxic.Check(false), proxy.ErrNotHTTP)
}

// leaveEncrypted leaves out the links to servers that speak TLS, if the toxic acts on content: no proxy reads what
// their clients send, while brunt's own proof, which is not encrypted, would be hit. If no link is left, it returns
// an error. name names a link and its server.
//
// A server is asked by a TLS handshake, unless the proxy has read requests to it. TLS of a statement's connection
// begins in the middle of it, see unread.
func (t *Toxic) leaveEncrypted(ctx context.Context, name func(*chaos.Link) string) error {
	if t.asked || !t.parses() || t.Counts == statements {
		return nil
	}
	t.asked = true
	yes := make([]bool, len(t.Links))
	_ = atOnce(len(yes), func(i int) error {
		if l := t.Links[i]; l.Proxy != nil && !l.Datagrams {
			passed, err := l.Proxy.Traffic(ctx)
			if err == nil && passed.Requests() > 0 {
				return nil
			}
			r, err := l.Proxy.Probe(ctx, proxy.ProbeRequest{Kind: proxy.TLS})
			yes[i] = err == nil && r.Connected && r.Outcome == proxy.Answered
		}
		return nil
	})
	if !slices.Contains(yes, true) {
		return nil
	}
	var names []string
	var plain []*chaos.Link
	var callees []chaos.Unit
	for i, l := range t.Links {
		switch {
		case yes[i]:
			names = append(names, name(l))
		case i < len(t.callees):
			callees = append(callees, t.callees[i])
			fallthrough
		default:
			plain = append(plain, l)
		}
	}
	slices.Sort(names)
	if len(plain) == 0 {
		return fmt.Errorf("the server of %s speaks TLS, so that no proxy can look into its %s; network.* and tcp.* work",
			strings.Join(names, ", "), t.Counts)
	}
	t.Links, t.callees = plain, callees
	t.encrypted = fmt.Sprintf("; %s speaks TLS and is left alone", strings.Join(names, ", "))
	return nil
}

// unread returns an error if the toxic acts on content, and the clients of its links send nothing that their
// proxies can read: the proof, by brunt's own connections, does not show that the fault meets them.
func (h *heldToxic) unread(ctx context.Context) error {
	if !h.parses() {
		return nil
	}
	var names []string
	var n int64
	for _, l := range h.Links {
		passed, err := l.Proxy.Traffic(ctx)
		if err != nil || passed.Requests() > 0 {
			return nil
		}
		if passed.Unread > 0 {
			names, n = append(names, l.Name()), n+passed.Unread
		}
	}
	if n == 0 {
		return nil
	}
	return chaos.NotShownError{What: fmt.Sprintf("that %s of clients meet it: on %s brunt can't read what they send, such "+
		"as TLS, on any of %s", h.Counts, strings.Join(names, ", "), syntax.Amount(int(n), "connection"))}
}
