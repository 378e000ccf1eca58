package demo

import (
	"net"
	"net/http"
	"strconv"
)

// sessionCookie names the replica that a client's session belongs to, by its index.
const sessionCookie = "replica"

// origin tells the balancer where a request came from: the client's address, and the
// replica that its session belongs to where affinity is on.
func (g *gateway) origin(r *http.Request, q call) call {
	q.client = r.RemoteAddr
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		q.client = host
	}
	if !g.affinity {
		return q
	}
	if c, err := r.Cookie(sessionCookie); err == nil {
		if i, err := strconv.Atoi(c.Value); err == nil && i >= 0 && i < len(g.posts.all) {
			q.stay = i + 1
		}
	}
	return q
}

// keep binds the client's session to the replica that answered.
func (g *gateway) keep(w http.ResponseWriter, q call, rep reply) {
	if g.affinity && rep.by != q.stay-1 {
		http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: strconv.Itoa(rep.by), Path: "/", HttpOnly: true})
	}
}
