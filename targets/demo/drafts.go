package demo

import (
	"net/http"
	"strings"
	"sync"
)

// The values of the switch sessions.
const (
	sharedSessions = "shared"
	localSessions  = "local"
)

// A draft is the text that a user has begun to write. It is the session of the user.
type draft struct {
	Text string `json:"text"`
}

// drafts keeps the draft of each user in memory.
type drafts struct {
	input input

	mu  sync.Mutex
	all map[string]draft
}

func newDrafts(in input) *drafts { return &drafts{input: in, all: map[string]draft{}} }

func (d *drafts) routes() map[string]handler {
	return map[string]handler{"GET /drafts/{user}": d.read, "POST /drafts/{user}": d.write}
}

func (d *drafts) read(w http.ResponseWriter, r *http.Request) error {
	d.mu.Lock()
	one, ok := d.all[r.PathValue("user")]
	d.mu.Unlock()
	if !ok {
		return &problem{status: http.StatusNotFound, text: "no draft"}
	}
	writeJSON(w, http.StatusOK, one)
	return nil
}

func (d *drafts) write(w http.ResponseWriter, r *http.Request) error {
	var one draft
	if err := readJSON(w, r, d.input.maxBody(), &one); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.all) >= keptPosts {
		clear(d.all)
	}
	d.all[r.PathValue("user")] = one
	writeJSON(w, http.StatusOK, one)
	return nil
}

// draft passes the draft of a user on to posts, always to the same replica while that is fit.
func (g *gateway) draft(w http.ResponseWriter, r *http.Request) error {
	user := userOf(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if !validID(user) {
		return &problem{status: http.StatusUnauthorized, text: "this needs a token: POST /login gives one"}
	}
	q := call{method: r.Method, path: "/drafts/" + user, stay: 1 + int(hashOf(user)%uint64(len(g.posts.all)))}
	if r.Method == http.MethodPost {
		body, err := readBody(w, r, g.input.maxBody())
		if err != nil {
			return err
		}
		q.body = body
	}
	rep, err := g.retrier.send(r.Context(), g.posts, q, g.limits.posts, true)
	if err := g.explain(r.Context(), postsName, rep, err); err != nil {
		return err
	}
	writeBody(w, http.StatusOK, rep.body)
	return nil
}
