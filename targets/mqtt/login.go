package mqtt

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/calls"
)

// protocol returns how MQTT goes over connections to an endpoint.
func (at *location) protocol() *calls.Protocol[*packet] {
	p := &calls.Protocol[*packet]{
		Causes: causes, Login: at.login, Take: take,
		Read:   func(r *bufio.Reader) (*packet, error) { return read(r, at.version) },
		Buffer: 1 << 10,
	}
	if at.client != "" { // for ten thousand devices, each with a few messages
		p.Single, p.Ahead = true, 8
	}
	return p
}

// login makes the handshake: TLS if the endpoint wants it, CONNECT and CONNACK.
func (at *location) login(ctx context.Context, l *line, to *url.URL, config *tls.Config) error {
	if config != nil {
		if err := l.Secure(ctx, config); err != nil {
			return err
		}
	}
	targets.StagesOf(ctx).Enter(scenarios.InLogin)
	if _, err := l.Write(at.connect(l.User, to.User)); err != nil {
		return err
	}
	p, err := read(l.Reader, at.version)
	switch {
	case err != nil:
		return err
	case p.kind != connack:
		return malformed("the server begins with a packet of type %d, and CONNACK was expected", p.kind)
	case at.version == 4 && p.code > 0:
		code := byte(firstError)
		if int(p.code) < len(returned) {
			code = returned[p.code]
		}
		return refused("the connection is refused", code, "")
	case p.code >= firstError:
		return refused("the connection is refused", p.code, p.reason)
	}
	s := &state{session: newSession(), version: at.version}
	if l.User != nil {
		if before, has := l.User.State.(*session); has {
			s.session = before
		}
		l.User.State = s.session
	}
	if !p.present {
		s.renew()
	}
	l.State, l.Leave = s, func() { s.leave(l) }
	var b []byte
	for _, id := range slices.Sorted(maps.Keys(s.opened)) { // their calls have ended, and the server is to forget them
		b = appendAnswer(b, pubrel, id)
	}
	clear(s.opened)
	if len(b) > 0 {
		if _, err := l.Write(b); err != nil {
			return err
		}
	}
	every := at.keepAlive
	if p.beat > 0 {
		every = time.Duration(p.beat) * time.Second
	}
	if every > 0 {
		s.beat(l, every*3/4)
	}
	return nil
}

// connect returns the CONNECT of a user, or of a connection that users share.
func (at *location) connect(user *calls.User, by *url.Userinfo) []byte {
	const (
		clean        = 0x02
		hasWill      = 0x04
		retains      = 0x20
		hasPassword  = 0x40
		hasUser      = 0x80
		qosOfTheWill = 3
	)
	flags, id := byte(clean), "brunt"+strconv.FormatUint(rand.Uint64(), 36)
	var properties []byte
	if user != nil {
		id = at.id(user)
		if at.session > 0 {
			flags = 0
			properties = binary.BigEndian.AppendUint32(append(properties, sessionExpiry), uint32(at.session/time.Second))
		}
	}
	body := appendText(nil, id)
	if w := at.will; w != nil {
		flags |= hasWill | w.qos<<qosOfTheWill
		if w.retain {
			flags |= retains
		}
		if at.version == 5 {
			body = append(body, 0) // properties of the will
		}
		body = appendText(appendText(body, w.topic), w.message)
	}
	if by.Username() != "" {
		flags |= hasUser
		body = appendText(body, by.Username())
	}
	if password, has := by.Password(); has {
		flags |= hasPassword
		body = appendText(body, password)
	}
	head := append(appendText(nil, "MQTT"), at.version, flags)
	head = appendWord(head, int(at.keepAlive/time.Second))
	if at.version == 5 {
		head = appendProperties(head, properties)
	}
	return appendPacket(nil, connect, 0, head, body)
}

// id returns the client id of a user: PREFIX, the number of the load, and the number of the user. What has no load,
// such as the steps that look for deliveries, has the number of its steps.
func (at *location) id(u *calls.User) string {
	if u.Flow.Load < 0 {
		return fmt.Sprintf("%ss%d-%d", at.client, u.Flow.Number, u.Number)
	}
	return fmt.Sprintf("%s%d-%d", at.client, u.Flow.Load, u.Number)
}

// ping sends b and a ping, and returns the number of the ping.
func (s *state) ping(b []byte, send func([]byte) error) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent++
	return s.sent, send(append(b, pingreq<<4, 0))
}

// beat sends pings until the connection is given up. It closes the connection if the server has not answered the one
// before, a quarter of the time after the next one was due.
func (s *state) beat(l *line, every time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = time.AfterFunc(every, func() {
		if err := s.pulse(l, every); err != nil {
			l.Fail(err)
		}
	})
}

func (s *state) pulse(l *line, every time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.left:
		return nil
	case s.got < s.own && !s.overdue: // brunt may have stood still, so that an answer that is there was not yet read
		s.overdue = true
		s.timer.Reset(every / 4)
		return nil
	case s.got < s.own:
		return &targets.Error{Cause: scenarios.Closed, Text: "brunt closed the connection: the server did not answer a ping"}
	}
	s.sent++
	s.own, s.overdue = s.sent, false
	_, err := l.Write([]byte{pingreq << 4, 0})
	s.timer.Reset(every)
	return err
}

// goodbye is how long DISCONNECT may take, to a server that does not read.
const goodbye = 20 * time.Millisecond

// leave ends the pings, and sends DISCONNECT, so that the server does not publish the will.
func (s *state) leave(l *line) {
	_ = l.SetWriteDeadline(time.Now().Add(goodbye)) // it ends also a write that lasts
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left = true; s.timer != nil {
		s.timer.Stop()
	}
	_, _ = l.Conn.Write([]byte{disconnect << 4, 0})
}

// take handles the packets that no call waits for.
func take(l *line, p *packet) (bool, error) {
	s := of(l)
	switch p.kind {
	case pingresp:
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.got == s.sent { // it answers nothing
			return true, nil
		}
		s.got++
		p.pong = s.got
		return p.pong == s.own, nil
	case pubrel:
		s.release(p.id)
		_, err := l.Write(appendAnswer(nil, pubcomp, p.id))
		return true, err
	case disconnect:
		return true, refused("the server closed the connection", max(p.code, firstError), p.reason)
	case connack:
		return true, malformed("the server accepts a connection twice")
	}
	return false, nil
}
