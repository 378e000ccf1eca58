package demo

import (
	"net/http"
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
	user := userOf(tokenOf(r))
	if !validID(user) {
		return noToken
	}
	q, err := g.input.readDraftCall(w, r, user)
	if err != nil {
		return err
	}
	q.stay = 1 + int(hashOf(user)%uint64(len(g.posts.all)))
	rep, err := g.retrier.send(r.Context(), g.posts, q, g.limits.posts, true)
	return g.pass(w, r, postsName, rep, err)
}

// draft forwards a user's draft to the store.
func (s *posts) draft(w http.ResponseWriter, r *http.Request) error {
	q, err := s.input.readDraftCall(w, r, r.PathValue("user"))
	if err != nil {
		return err
	}
	return s.pass(w, r, q)
}

// readDraftCall reads a request for the draft of a user, and makes the call that forwards it.
func (in input) readDraftCall(w http.ResponseWriter, r *http.Request, user string) (call, error) {
	q := call{method: r.Method, path: "/drafts/" + user}
	if r.Method != http.MethodPost {
		return q, nil
	}
	var err error
	q.body, err = readBody(w, r, in.maxBody())
	return q, err
}
