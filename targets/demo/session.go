package demo

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
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

// newIdentity makes the service that issues tokens.
func newIdentity(p parts) (service, error) {
	s := signer{key: tokenKey(p)}
	return service{routes: map[string]handler{
		"POST /tokens": func(w http.ResponseWriter, r *http.Request) error {
			user, err := readUserID(w, r)
			if err != nil {
				return err
			}
			writeJSON(w, http.StatusCreated, tokenView{s.issue(user)})
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

// tokenKey is the key that signs tokens.
func tokenKey(p parts) []byte { return []byte(p.env.text("DEMO_TOKEN_KEY", "socialconnect")) }

// readUserID reads the user of a login.
func readUserID(w http.ResponseWriter, r *http.Request) (string, error) {
	var login struct {
		User string `json:"user"`
	}
	if err := readJSON(w, r, &login); err != nil {
		return "", err
	}
	if !validID(login.User) {
		return "", &problem{status: http.StatusBadRequest, text: "user must be a user's id: " + idRule}
	}
	return login.User, nil
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
	if !g.signer.valid(token) {
		return &problem{status: http.StatusUnauthorized, text: "the token is not valid: POST /login gives one"}
	}
	if !g.askIssuer {
		return nil
	}
	rep, err := g.identity.send(r.Context(), call{method: http.MethodGet, path: "/tokens/" + token}, g.limits.users)
	return g.explain(r.Context(), identityName, rep, err)
}
