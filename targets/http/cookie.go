package http

import (
	"bytes"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// cookies returns the Cookie header of a request.
func (s *session) cookies(o *origin, target []byte) string {
	if s.jar == nil {
		return ""
	}
	var b strings.Builder
	for i, c := range s.jar.Cookies(cookieURL(o, target)) {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(c.Name + "=" + c.Value)
	}
	return b.String()
}

// cookieURL returns the parts of a URL that decide which cookies are sent.
func cookieURL(o *origin, target []byte) *url.URL {
	u := *o.url
	path, _, _ := bytes.Cut(target, []byte("?"))
	u.Path = string(path)
	return &u
}

// store stores the cookies of an answer.
func (s *session) store(o *origin, target []byte, list []*http.Cookie) {
	if s.jar == nil {
		s.jar, _ = cookiejar.New(nil)
	}
	s.jar.SetCookies(cookieURL(o, target), list)
}
