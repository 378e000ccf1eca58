package demo

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
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

// A signer makes and checks tokens: user.nonce.signature, or user.nonce.issued.expires.signature with times in ms.
// Every gateway with the same key accepts them, also after a restart.
type signer struct {
	key  []byte
	life time.Duration // of a token; 0: for ever, and tokens have no times
}

func newSigner(p parts) signer {
	return signer{key: []byte(p.env.text("DEMO_TOKEN_KEY", "socialconnect")), life: p.env.length("DEMO_TOKEN_LIFE")}
}

func (s signer) issue(user string) string {
	body := user + "." + rand.Text()
	if s.life > 0 {
		now := time.Now()
		body += fmt.Sprintf(".%d.%d", now.UnixMilli(), now.Add(s.life).UnixMilli())
	}
	return body + "." + s.sign(body)
}

// valid reports whether a signer with this key issued the token.
func (s signer) valid(token string) bool {
	i := strings.LastIndexByte(token, '.')
	return i > 0 && hmac.Equal([]byte(token[i+1:]), []byte(s.sign(token[:i])))
}

// leeway is the difference of the clocks of two services that a check of a token's times allows for.
const leeway = 5 * time.Minute

// current reports whether a token was issued before now, and has not expired. The clock of its issuer may be wrong by
// allowed.
func current(token string, allowed time.Duration) bool {
	part := strings.Split(token, ".")
	if len(part) != 5 {
		return true // without times
	}
	issued, err := strconv.ParseInt(part[2], 10, 64)
	expires, err2 := strconv.ParseInt(part[3], 10, 64)
	now := time.Now()
	return err == nil && err2 == nil && !time.UnixMilli(issued).After(now.Add(allowed)) &&
		time.UnixMilli(expires).After(now.Add(-allowed))
}

// tokenOf returns the token of a request that was admitted; empty: it has none.
func tokenOf(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// userOf returns the user that a token was issued to.
func userOf(token string) string {
	user, _, _ := strings.Cut(token, ".")
	return user
}

func (s signer) sign(body string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(body))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// newIdentity makes the service that issues tokens.
func newIdentity(p parts) (service, error) {
	s, in := newSigner(p), newInput(p.env)
	return service{routes: map[string]handler{
		"POST /tokens": func(w http.ResponseWriter, r *http.Request) error {
			l, err := in.readLogin(w, r)
			if err != nil {
				return err
			}
			writeJSON(w, http.StatusCreated, tokenView{s.issue(l.User)})
			return nil
		},
		"GET /tokens/{token}": func(w http.ResponseWriter, r *http.Request) error {
			token := r.PathValue("token")
			if !s.valid(token) {
				return &problem{status: http.StatusNotFound, text: "no such token"}
			}
			writeJSON(w, http.StatusOK, tokenView{token})
			return nil
		},
	}}, nil
}

// A tokenView is a client's view of a token.
type tokenView struct {
	Token string `json:"token"`
}

// A login is a request for a token.
type login struct {
	User     string `json:"user"`
	Password string `json:"password,omitempty"`
}

// readLogin reads and checks a login.
func (in input) readLogin(w http.ResponseWriter, r *http.Request) (l login, err error) {
	if err := readJSON(w, r, in.maxBody(), &l); err != nil {
		return login{}, err
	}
	if !in.isID(l.User) {
		return login{}, &problem{status: http.StatusBadRequest, text: "user must be a user's id: " + idRule}
	}
	return l, nil
}

// issue makes a token itself, or asks the identity service if there is one.
func (g *gateway) issue(r *http.Request, user string) (string, error) {
	if g.identity == nil {
		return g.signer.issue(user), nil
	}
	body, err := json.Marshal(map[string]string{"user": user})
	if err != nil {
		return "", err
	}
	rep, err := g.identity.send(r.Context(), call{method: http.MethodPost, path: "/tokens", body: body}, g.limits.users)
	if err := g.explain(r.Context(), identityName, rep, err); err != nil {
		return "", err
	}
	var made tokenView
	if err := json.Unmarshal(rep.body, &made); err != nil {
		return "", &problem{status: http.StatusBadGateway, text: "identity answered something unreadable"}
	}
	return made.Token, nil
}

// accepts checks a token by its signature, or asks the service that issued it.
func (g *gateway) accepts(r *http.Request, token string) error {
	if g.unchecked != uncheckedSignature && !g.signer.valid(token) {
		return &problem{status: http.StatusUnauthorized, text: "the token is not valid: POST /login gives one"}
	}
	if g.unchecked != uncheckedExpiry && !current(token, g.leeway) {
		return &problem{status: http.StatusUnauthorized, text: "the token is not valid now: POST /login gives another"}
	}
	if !g.askIssuer {
		return nil
	}
	rep, err := g.identity.send(r.Context(), call{method: http.MethodGet, path: "/tokens/" + token}, g.limits.users)
	return g.explain(r.Context(), identityName, rep, err)
}

const (
	hashTime    = 100 * time.Millisecond // of a password: a wait, so that the cost is the same on each machine
	mostGuesses = 10                     // wrong passwords of a user in a minute
)

// passwordOf is the password of a user. Every user has one.
func passwordOf(user string) string { return user + "-secret" }

// proves checks the password of a login. After mostGuesses wrong ones, it refuses even the right one, so that
// guessing on finds nothing.
func (g *gateway) proves(r *http.Request, l login) error {
	if !g.passwords {
		return nil
	}
	refusal := func(wait time.Duration) error {
		g.limited.Inc()
		return &problem{
			status: http.StatusTooManyRequests, text: "too many wrong passwords of this user", after: wait,
		}
	}
	if wait, ok := g.guesses.allows(l.User); !ok {
		return refusal(wait)
	}
	if err := pause(r.Context(), hashTime); err != nil {
		return clientGone
	}
	if l.Password == passwordOf(l.User) {
		return nil
	}
	if wait, ok := g.guesses.take(l.User); !ok {
		return refusal(wait)
	}
	return &problem{status: http.StatusUnauthorized, text: "the password is wrong"}
}

// administrator is the only user with a role.
const administrator = "admin"

// admin is a route for the administrator alone.
func (g *gateway) admin(w http.ResponseWriter, r *http.Request) error {
	token := tokenOf(r)
	switch {
	case token == "":
		return noToken
	case g.unchecked != uncheckedRole && userOf(token) != administrator:
		return &problem{status: http.StatusForbidden, text: "this is for the user " + administrator + " alone"}
	}
	writeJSON(w, http.StatusOK, map[string]string{"user": userOf(token)})
	return nil
}

// fresh refuses a write that was sent before. A nonce is remembered for a minute. No signature covers it, so that
// this stops a request that is repeated, and not one that is changed.
func (g *gateway) fresh(r *http.Request) error {
	if g.nonces == nil {
		return nil
	}
	nonce := r.Header.Get("Nonce")
	if nonce == "" || len(nonce) > maxKey {
		return &problem{
			status: http.StatusBadRequest, text: fmt.Sprintf("a write needs a header Nonce of 1 to %d bytes", maxKey),
		}
	}
	if _, ok := g.nonces.take(nonce); !ok {
		return &problem{status: http.StatusConflict, text: "this request was sent before"}
	}
	return nil
}
