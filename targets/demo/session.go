package demo

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// sessionCookie names the replica of a client's session, by its index.
const sessionCookie = "replica"

// origin adds the client's address to a call, and the replica of its session if affinity is on.
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

// A signer makes and checks tokens: user.nonce.signature. Every gateway with the same key accepts
// them, also after a restart.
type signer struct{ key []byte }

func (s signer) issue(user string) string {
	body := user + "." + rand.Text()
	return body + "." + s.sign(body)
}

// valid reports whether a signer with this key issued the token.
func (s signer) valid(token string) bool {
	i := strings.LastIndexByte(token, '.')
	return i > 0 && hmac.Equal([]byte(token[i+1:]), []byte(s.sign(token[:i])))
}

func (s signer) sign(body string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(body))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
