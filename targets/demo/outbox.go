package demo

import (
	"context"
	"encoding/json"
	"net/http"
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

// unsent returns the oldest notices of the outbox.
func (s *store) unsent(w http.ResponseWriter, _ *http.Request) error {
	list := noticeList{Items: []notice{}}
	err := s.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(outbox).Cursor()
		for k, v := c.First(); k != nil && len(list.Items) < relayItems; k, v = c.Next() {
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
// arrived. Each replica of posts has one, so that a notice may arrive twice: notifications tells by its post.
type relay struct {
	store    string         // address
	giveUp   bool           // a notice that is refused too often is a dead letter, and no longer before the others
	refusals map[string]int // by post
}

// relayAll sends the notices of the outbox until ctx ends.
func (n *notifier) relayAll(ctx context.Context) {
	for pause(ctx, relayEvery) == nil {
		rep, err := n.client.do(ctx, n.relay.store, call{method: http.MethodGet, path: "/outbox"}, n.timeout)
		var list noticeList
		if failed(rep, err) || json.Unmarshal(rep.body, &list) != nil {
			continue
		}
		for _, note := range list.Items {
			if !n.pass(ctx, note) {
				break
			}
		}
	}
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
	rep, err = n.client.do(ctx, r.store, call{method: http.MethodDelete, path: path}, n.timeout)
	return !failed(rep, err)
}
