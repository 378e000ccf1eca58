package demo

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// friendTime is the time that a friendship takes between the locks of its two users.
const friendTime = 5 * time.Millisecond

// friends makes users friends. It locks both while it does.
type friends struct {
	ordered bool // the locks are taken in the order of the ids, so that two requests can't wait for each other

	mu    sync.Mutex
	locks map[string]*pool
}

func newFriends(e *environment) *friends {
	return &friends{ordered: e.on("DEMO_LOCK_ORDER"), locks: map[string]*pool{}}
}

// lock locks a user.
func (f *friends) lock(ctx context.Context, id string) (unlock func(), err error) {
	f.mu.Lock()
	l := f.locks[id]
	if l == nil {
		l = newPool(1)
		f.locks[id] = l
	}
	f.mu.Unlock()
	return l.take(ctx, 1)
}

func (f *friends) add(w http.ResponseWriter, r *http.Request) error {
	a, b := r.PathValue("id"), r.PathValue("other")
	if !validID(a) || !validID(b) || a == b {
		return noSuchUser
	}
	if _, err := readBody(w, r, maxBody); err != nil { // until then, a client that goes away is not noticed
		return err
	}
	if f.ordered && b < a {
		a, b = b, a
	}
	ctx := r.Context()
	unlock, err := f.lock(ctx, a)
	if err != nil {
		return err
	}
	defer unlock()
	if err := pause(ctx, friendTime); err != nil {
		return err
	}
	unlock, err = f.lock(ctx, b)
	if err != nil {
		return err
	}
	defer unlock()
	writeJSON(w, http.StatusCreated, map[string][]string{"friends": {a, b}})
	return nil
}

// friend passes a friendship on to the users service.
func (g *gateway) friend(w http.ResponseWriter, r *http.Request) error {
	a, b := r.PathValue("id"), r.PathValue("other")
	if !validID(a) || !validID(b) {
		return noSuchUser
	}
	if _, err := readBody(w, r, maxBody); err != nil {
		return err
	}
	q := call{method: http.MethodPost, path: "/users/" + a + "/friends/" + b}
	rep, err := g.users.send(r.Context(), q, g.limits.users)
	return g.pass(w, r, usersName, rep, err)
}
