package amqp

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/calls"
)

type line = calls.Line[frame]

// protocol is how AMQP goes over connections.
var protocol = calls.Protocol[frame]{
	Causes: causes, Login: login, Read: read, Take: take,
}

// such shows URLs of endpoints.
const such = "such as amqp://user:password@127.0.0.1:5672/vhost, or amqp://127.0.0.1:5672?addr=127.0.0.1:5673 for a cluster"

// locate returns the addresses of a URL.
func locate(u *url.URL) ([]string, error) {
	for name, values := range u.Query() {
		if name != "addr" {
			return nil, fmt.Errorf("unknown parameter %q; there is addr", name)
		}
		if err := targets.CheckAddresses(values); err != nil {
			return nil, err
		}
	}
	if _, err := virtualHost(u); err != nil {
		return nil, err
	}
	return calls.Addresses(u), nil
}

// virtualHost returns the virtual host of a URL, which is its path.
func virtualHost(u *url.URL) (string, error) {
	host, err := url.PathUnescape(strings.TrimPrefix(u.EscapedPath(), "/"))
	switch {
	case err != nil:
		return "", malformed("the virtual host %q", targets.Clip(u.Path, 60))
	case len(host) > mostName:
		return "", malformed("the virtual host %q has %d bytes, and there are at most %d", targets.Clip(host, 60), len(host),
			mostName)
	}
	return cmp.Or(host, "/"), nil
}

// A channel is the state of a connection's only channel.
type channel struct {
	most     int    // bytes of a frame
	sent     uint64 // messages since confirms began: the number of the last one
	confirms bool
	replies  bool // replies to calls are consumed
	blocked  atomic.Pointer[string]
}

// of returns the channel of a connection.
func of(l *line) *channel { return l.State.(*channel) }

const (
	one        = 1       // the number of the channel
	mostOfOurs = 1 << 17 // bytes of a frame that brunt sends
	leastFrame = 4 << 10
)

// login makes the handshake of a connection, and opens its channel.
func login(ctx context.Context, l *line, to *url.URL, config *tls.Config) error {
	if config != nil {
		if err := l.Secure(ctx, config); err != nil {
			return err
		}
	}
	targets.StagesOf(ctx).Enter(scenarios.InLogin)
	if _, err := l.Write([]byte("AMQP\x00\x00\x09\x01")); err != nil {
		return err
	}
	f, err := expect(l, connectionStart)
	if err != nil {
		return err
	}
	f.args.skip(2) // version
	f.args.longText()
	if ways := strings.Fields(f.args.longText()); f.args.short || !slices.Contains(ways, "PLAIN") {
		return malformed("the server wants a login by %s, and brunt knows PLAIN", strings.Join(ways, ", "))
	}
	user, password := cmp.Or(to.User.Username(), "guest"), "guest"
	if p, has := to.User.Password(); has || to.User.Username() != "" {
		password = p
	}
	var w writer
	w.begin(0, connectionStartOK).table([]field{
		{"product", "brunt"},
		{"capabilities", []field{
			{"publisher_confirms", true},
			{"basic.nack", true},
			{"connection.blocked", true},
			{"consumer_cancel_notify", true},
			{"authentication_failure_close", true},
		}},
	}).shortText("PLAIN").longText("\x00" + user + "\x00" + password).shortText("en_US").end()
	if _, err := l.Write(w.b); err != nil {
		return err
	}
	if f, err = expect(l, connectionTune); err != nil {
		return err
	}
	f.args.word() // channels
	c := &channel{most: int(f.args.long())}
	if c.most == 0 || c.most > mostOfOurs {
		c.most = mostOfOurs
	}
	if f.args.short || c.most < leastFrame {
		return malformed("the server takes frames of at most %d bytes", c.most)
	}
	l.State = c
	host, err := virtualHost(to)
	if err != nil {
		return err
	}
	w = writer{}
	w.begin(0, connectionTuneOK).word(one).long(uint32(c.most)).word(0).end() // no heartbeats: a call has a timeout
	w.begin(0, connectionOpen).shortText(host).shortText("").octet(0).end()
	if _, err := l.Write(w.b); err != nil {
		return err
	}
	if _, err = expect(l, connectionOpenOK); err != nil {
		return err
	}
	w = writer{}
	if _, err := l.Write(w.begin(one, channelOpen).shortText("").end().b); err != nil {
		return err
	}
	_, err = expect(l, channelOpenOK)
	return err
}

// expect reads the next method of the handshake.
func expect(l *line, want method) (frame, error) {
	for {
		f, err := read(l.Reader)
		switch {
		case err != nil:
			return f, err
		case f.method == want:
			return f, nil
		case f.method == connectionClose || f.method == channelClose:
			code, reason := f.refusal()
			return f, &targets.Error{Cause: causes.Cause(code), Text: "the login is refused: " + reason}
		case f.method == connectionBlocked || f.method == connectionUnblocked:
			if l.State != nil {
				of(l).note(&f)
			}
		default:
			return f, malformed("method %d.%d in the handshake", f.method>>16, f.method&0xffff)
		}
	}
}

// refusal returns the reply code and the text of a method that closes or returns something.
func (f *frame) refusal() (code int32, reason string) {
	code = int32(f.args.word())
	return code, f.args.shortText()
}

// note notes that the server blocks publishers, or does so no more.
func (c *channel) note(f *frame) {
	if f.method == connectionUnblocked {
		c.blocked.Store(nil)
		return
	}
	reason := f.args.shortText()
	c.blocked.Store(&reason)
}

// take handles the methods of the connection.
func take(l *line, f frame) (bool, error) {
	for i := range f.notices {
		if _, err := take(l, f.notices[i]); err != nil {
			return true, err
		}
	}
	switch f.method {
	case connectionBlocked, connectionUnblocked:
		of(l).note(&f)
		return true, nil
	case connectionClose:
		code, reason := f.refusal()
		var w writer
		_, _ = l.Write(w.begin(0, connectionCloseOK).end().b)
		return true, &targets.Error{Cause: causes.Cause(code), Text: "the server closed the connection: " + reason}
	}
	return false, nil
}
