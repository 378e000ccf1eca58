package sql

import (
	"strings"

	"brunt/scenarios/result"
	"brunt/targets"
	"brunt/targets/calls"
)

// Sample implements [calls.Maker].
func (t *exchange) Sample() targets.Sampled {
	sent := t.client.sent()
	const most = 100
	sent.Method = targets.Clip(t.call.name, most)
	sent.SetBody(t.script())
	return targets.Sampled{Step: t.call.name, Sent: sent, Failed: func() (string, string) {
		return t.wanted(), calls.Shown(t.Doc, t.Doc != nil)
	}}
}

// script writes the call for the client program of the dialect. For a transaction, it contains the sent statements,
// up to the one that failed.
func (t *exchange) script() string {
	d, c := t.client.dialect, t.call
	if !c.transaction {
		return d.Script(&c.statements[0].Statement, t.args)
	}
	lines := []string{c.begin.Text + ";"}
	for i := range t.firsts {
		t.choose(&c.statements[i], i)
		lines = append(lines, d.Script(&c.statements[i].Statement, t.args))
	}
	return strings.Join(append(lines, rollback.Text+";"), "\n")
}

// sent returns the destination of a call.
func (c *client) sent() *result.Sent {
	s := &result.Sent{
		URL: c.scheme + "://" + c.at.Addresses[0] + "/" + c.at.Database, Trust: c.at.TLS == Encrypted,
		Command: c.dialect.Command,
	}
	if c.at.TLS != NoTLS {
		s.URL += "?sslmode=require"
	}
	s.Headers = []string{"user: " + c.at.User}
	if c.at.Password != "" {
		s.Headers = append(s.Headers, "login: by password")
	}
	return s
}
