package demo

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	relayEvery = 100 * time.Millisecond
	relayItems = 100 // at a time
	mostTries  = 3   // refusals by notifications, after which a notice is a dead letter
)

// Buckets of the notices, by the keys of their posts. A write puts its notice into the outbox in its own transaction,
// so that there is a notice if and only if there is the post.
var (
	outbox      = []byte("outbox")
	deadLetters = []byte("dead letters")
)

// outboxRoutes are the routes of the store by which posts read and empty the outbox.
func (s *store) outboxRoutes() map[string]handler {
	return map[string]handler{
		"GET /outbox":              s.unsent,
		"DELETE /outbox/{id}":      func(w http.ResponseWriter, r *http.Request) error { return s.sent(w, r, false) },
		"DELETE /outbox/{id}/dead": func(w http.ResponseWriter, r *http.Request) error { return s.sent(w, r, true) },
	}
}

// unsent returns the oldest notices of the outbox: those of its share, if a member of the group asks.
func (s *store) unsent(w http.ResponseWriter, r *http.Request) error {
	list := noticeList{Items: []notice{}}
	items, own := relayItems, func(int64) bool { return true }
	if member := r.URL.Query().Get("member"); member != "" {
		items, own = mailItems, s.group.share(member)
	}
	err := s.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(outbox).Cursor()
		for k, v := c.First(); k != nil && len(list.Items) < items; k, v = c.Next() {
			if !own(postID(k)) {
				continue
			}
			var n notice
			if err := json.Unmarshal(v, &n); err != nil {
				return err
			}
			list.Items = append(list.Items, n)
		}
		return nil
	})
	if err != nil {
		return s.broken("reading the outbox", err)
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}

// sent removes a notice from the outbox, and keeps a dead one.
func (s *store) sent(w http.ResponseWriter, r *http.Request, dead bool) error {
	n, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return noSuchPost
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err = s.db.Update(func(tx *bolt.Tx) error {
		if v := tx.Bucket(outbox).Get(postKey(n)); dead && v != nil {
			if err := tx.Bucket(deadLetters).Put(postKey(n), v); err != nil {
				return err
			}
		}
		return tx.Bucket(outbox).Delete(postKey(n))
	})
	if err != nil {
		return s.broken("emptying the outbox", err)
	}
	writeBody(w, http.StatusOK, []byte("{}"))
	return nil
}

// putNotice puts the notice of a post into the outbox.
func putNotice(tx *bolt.Tx, id int64, p post, key string) error {
	b, err := json.Marshal(notice{Post: strconv.FormatInt(id, 10), Author: p.Author, Key: key})
	if err != nil {
		return err
	}
	return tx.Bucket(outbox).Put(postKey(id), b)
}

// A relay is the state of a notifier that sends the notices of the store's outbox, in their order, until each has
// arrived. Each replica of posts has one, or each mailer, so that a notice may arrive twice: notifications tells by its
// post.
type relay struct {
	store    string         // address
	giveUp   bool           // a notice that is refused too often is a dead letter, and no longer before the others
	refusals map[string]int // by post
	member   string         // of the group that shares the outbox; empty: all notices are its own
	work     time.Duration  // on each notice, before it is sent
	early    bool           // notices leave the outbox before they are sent
}

// relayAll sends the notices of the outbox until ctx ends.
func (n *notifier) relayAll(ctx context.Context) {
	q := call{method: http.MethodGet, path: "/outbox"}
	if n.relay.member != "" {
		q.query = "member=" + n.relay.member
	}
	for wait := relayEvery; pause(ctx, wait) == nil; {
		wait = relayEvery
		rep, err := n.client.do(ctx, n.relay.store, q, n.timeout)
		var list noticeList
		if failed(rep, err) || json.Unmarshal(rep.body, &list) != nil {
			continue
		}
		if n.passAll(ctx, list.Items) && n.relay.member != "" && len(list.Items) == mailItems {
			wait = 0 // there may be more
		}
	}
}

// passAll sends notices of the outbox until one fails, and reports whether none did.
func (n *notifier) passAll(ctx context.Context, list []notice) bool {
	if n.relay.early {
		for _, note := range list {
			if !n.remove(ctx, "/outbox/"+note.Post) {
				return false
			}
		}
	}
	return !slices.ContainsFunc(list, func(note notice) bool {
		return pause(ctx, n.relay.work) != nil || !n.pass(ctx, note)
	})
}

// remove takes a notice out of the outbox, and reports whether that is done.
func (n *notifier) remove(ctx context.Context, path string) bool {
	rep, err := n.client.do(ctx, n.relay.store, call{method: http.MethodDelete, path: path}, n.timeout)
	return !failed(rep, err)
}

// pass sends one notice, and takes it out of the outbox. It reports whether the next one may be sent.
func (n *notifier) pass(ctx context.Context, note notice) bool {
	r := n.relay
	rep, err := n.deliver(ctx, note)
	path, result := "/outbox/"+note.Post, "sent"
	// 503 says nothing about this notice
	refused := err == nil && rep.status >= 400 && rep.status != http.StatusServiceUnavailable
	switch {
	case err == nil && rep.status < 300:
	case refused && r.giveUp && r.refusals[note.Post]+1 >= mostTries:
		path, result = path+"/dead", "dead"
	default:
		if refused {
			r.refusals[note.Post]++
		}
		n.problems.warn("notice failed", "post", note.Post, "status", rep.status, "error", errText(err))
		n.count.WithLabelValues("failed").Inc()
		return false
	}
	delete(r.refusals, note.Post)
	n.count.WithLabelValues(result).Inc()
	return n.remove(ctx, path)
}
