package redis

import (
	"bytes"
	"cmp"
	"context"
	"strconv"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http/h1"
)

// init prepares the commands with which connections to l begin.
func (g *greeting) init(l *location) {
	var auth []string
	if l.password != "" {
		auth = []string{"AUTH", cmp.Or(l.user, "default"), l.password}
	}
	if !l.resp2 {
		g.hello, g.hellos = appendCommand(nil, append([]string{"HELLO", "3"}, auth...)...), 1
	}
	if auth != nil {
		if l.user == "" { // for servers before version 6, which have no users
			auth = []string{"AUTH", l.password}
		}
		g.plain, g.plains = appendCommand(nil, auth...), 1
	}
	if l.database != 0 {
		choice := appendCommand(nil, "SELECT", strconv.Itoa(l.database))
		if g.hello != nil {
			g.hello, g.hellos = append(g.hello, choice...), g.hellos+1
		}
		g.plain, g.plains = append(g.plain, choice...), g.plains+1
	}
}

// login begins a connection: with RESP3, or RESP2 if the server refuses that, and with the user and the database.
func (g *greeting) login(ctx context.Context, conn *h1.Conn) error {
	if until, bounded := ctx.Deadline(); bounded {
		_ = conn.SetDeadline(until)
	}
	if g.hello != nil && !g.old.Load() {
		targets.StagesOf(ctx).Enter(scenarios.InLogin)
		p, err := converse(conn, g.hello, g.hellos)
		switch {
		case err != nil:
			return err
		case !p.failed:
			g.spoken[1].Add(1)
			return nil
		case !p.knowsNoHello():
			return p.refusal("the login")
		}
	}
	if g.plains > 0 {
		targets.StagesOf(ctx).Enter(scenarios.InLogin)
		p, err := converse(conn, g.plain, g.plains)
		if err != nil {
			return err
		}
		if p.failed {
			return p.refusal("the login")
		}
	}
	g.old.Store(true)
	g.spoken[0].Add(1)
	return nil
}

// knowsNoHello reports whether an error means that a server or a proxy does not know RESP3. Any other error of HELLO,
// such as too many clients, is unrelated to the protocol.
func (p *reply) knowsNoHello() bool {
	if p.number == numbers["NOPROTO"] {
		return true
	}
	text := bytes.ToLower(p.text)
	return bytes.Contains(text, []byte("unknown command")) || bytes.Contains(text, []byte("unsupported"))
}

// unaskedTime is how long the rest of a message may take that a server sends without a request.
const unaskedTime = 50 * time.Millisecond

// unasked reads an error that the server sent without a request, which means that it refuses the connection.
func unasked(conn *h1.Conn) (p reply, yes bool) {
	if conn.WasSent {
		return p, false
	}
	_ = conn.SetReadDeadline(time.Now().Add(unaskedTime)) // the message has already arrived
	br := h1.Reader(conn.Unasked())
	defer h1.Release(br)
	r := reader{br: br}
	err := r.read(&p)
	return p, err == nil && p.failed
}

// converse sends n commands and reads their answers. It returns the first error among them.
func converse(conn *h1.Conn, commands []byte, n int) (p reply, err error) {
	br, err := conn.Ask(commands, nil)
	if err != nil {
		if said, yes := unasked(conn); yes {
			return said, nil
		}
		return p, err
	}
	defer h1.Release(br)
	r := reader{br: br}
	for range n {
		if err := r.read(&p); err != nil {
			return p, err
		}
	}
	return p, nil
}
