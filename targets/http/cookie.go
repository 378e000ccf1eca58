package http

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"brunt/targets/http/cookies"
)

// cookies returns the Cookie header of a request.
func (s *session) cookies(o *origin, target []byte) string {
	if s.jar == nil {
		return ""
	}
	return string(s.jar.Append(nil, cookieOrigin(o, target), time.Now()))
}

// cookieOrigin returns the parts of a URL that decide which cookies are sent.
func cookieOrigin(o *origin, target []byte) *cookies.Origin {
	path, _, _ := bytes.Cut(target, []byte("?"))
	return &cookies.Origin{Host: strings.ToLower(o.name), Path: string(path), Secure: o.tls != nil || isLoopback(o.name)}
}

// isLoopback reports whether a host is this machine, which clients trust as they trust TLS.
func isLoopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}

// store stores the cookies of an answer.
func (t *exchange) store(o *origin, target []byte) {
	s := t.session
	switch {
	case s.jar == nil:
		s.jar = new(cookies.Jar)
	case s.jar == s.first && !t.it.Init:
		s.jar = s.first.Clone()
	}
	from, now := cookieOrigin(o, target), time.Now()
	for _, line := range t.ans.Head().Cookies() {
		c, err := cookies.Parse(string(line), now)
		if err == nil {
			err = s.jar.Set(c, from, now)
		}
		if err != nil {
			s.client.refused.add(c.Name, err)
		}
	}
	if t.it.Init {
		s.first = s.jar
	}
}

// endIteration leaves the next iteration only the cookies of init, if each iteration is by a new user.
func (s *session) endIteration() {
	if s.client.o.Fresh {
		s.jar = s.first
	}
}

// refusedCookies counts cookies that were not kept.
type refusedCookies struct {
	n     atomic.Int64
	first atomic.Pointer[string]
}

func (r *refusedCookies) add(name string, why error) {
	if r.n.Add(1) == 1 {
		text := fmt.Sprintf("%q: %v", name, why)
		r.first.Store(&text)
	}
}
