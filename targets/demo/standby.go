package demo

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
)

// The values of the switch standby.
const (
	noStandby   = "none"
	hotStandby  = "hot"
	coldStandby = "cold"
)

// The values of the switch replication.
const (
	asyncReplication = "async"
	syncReplication  = "sync"
)

const (
	followEvery   = 50 * time.Millisecond
	followItems   = 500 // changes at a time
	followTimeout = 5 * time.Second
	coldTime      = 2 * time.Second // until a cold standby has started
	lostAfter     = 3               // calls in a row without an answer of the store
	learnTries    = 3
	learnEvery    = 50 * time.Millisecond
)

// A change is a post that a follower has to copy.
type change struct {
	ID int64 `json:"id"`
	kept
}

// followed knows how far the standby has followed.
//
// A nil followed lets no write wait.
type followed struct {
	mu    sync.Mutex
	to    int64         // the post up to which the standby has all
	moved chan struct{} // closed when to changes
}

func newFollowed(e *environment) *followed {
	if e.oneOf("DEMO_REPLICATION", asyncReplication, syncReplication) == asyncReplication {
		return nil
	}
	return &followed{moved: make(chan struct{})}
}

// has notes that the standby has all posts up to an id.
func (f *followed) has(id int64) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.to = id
	close(f.moved)
	f.moved = make(chan struct{})
}

// wait returns when the standby has a post, or with the error of ctx.
func (f *followed) wait(ctx context.Context, id int64) error {
	if f == nil {
		return nil
	}
	for {
		f.mu.Lock()
		to, moved := f.to, f.moved
		f.mu.Unlock()
		if to >= id {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// changes lists the posts after an id, the oldest first.
func (s *store) changes(w http.ResponseWriter, r *http.Request) error {
	after, err := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	if err != nil {
		return &problem{status: http.StatusBadRequest, text: "after must be the id of a post"}
	}
	s.followed.has(after)
	list := []change{}
	err = s.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(allPosts).Cursor()
		for k, v := c.Seek(postKey(after + 1)); k != nil && len(list) < followItems; k, v = c.Next() {
			one := change{ID: postID(k)}
			if err := json.Unmarshal(v, &one.kept); err != nil {
				return err
			}
			list = append(list, one)
		}
		return nil
	})
	if err != nil {
		return s.broken("reading changes", err)
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}

// copy takes changes of the primary over, unless the standby has its place.
func (s *standby) copy(list []change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leads.Load() {
		return nil
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		for _, one := range list {
			if err := tx.Bucket(allPosts).SetSequence(uint64(one.ID - 1)); err != nil {
				return err
			}
			if _, err := insert(tx, one.kept); err != nil {
				return err
			}
		}
		return trim(tx)
	})
}

// A standby is a store that follows another, until it takes its place. A store that is started again has only the
// initial posts, so that its standby does not follow it any further.
type standby struct {
	*store
	client  *client
	primary string
	cold    bool
	asked   atomic.Bool // to take the place of the other
	leads   atomic.Bool // it has taken it
	work    sync.WaitGroup
}

// readOnly is the answer of a standby to what it can't do yet.
var readOnly = &problem{
	status: http.StatusServiceUnavailable, text: "the standby has not taken over", after: time.Second,
}

func newStandby(p parts) (service, error) {
	own, err := buildStore(p)
	if err != nil {
		return service{}, err
	}
	s := &standby{store: own, client: p.client(0), primary: p.env.link(storeName)[0]}
	s.cold = p.env.oneOf("DEMO_STANDBY", hotStandby, coldStandby) == coldStandby
	ctx, cancel := context.WithCancel(context.Background())
	routes := own.routes()
	for pattern, h := range routes {
		routes[pattern] = func(w http.ResponseWriter, r *http.Request) error {
			if !s.leads.Load() && (s.cold || r.Method != http.MethodGet) {
				return readOnly
			}
			return h(w, r)
		}
	}
	routes["GET /promotion"] = func(w http.ResponseWriter, _ *http.Request) error {
		writeJSON(w, http.StatusOK, promotion{s.asked.Load()})
		return nil
	}
	routes["POST /promotion"] = func(w http.ResponseWriter, _ *http.Request) error {
		if s.asked.CompareAndSwap(false, true) {
			s.work.Go(func() { s.promote(ctx) })
		}
		writeBody(w, http.StatusAccepted, []byte("{}"))
		return nil
	}
	return service{
		routes: routes,
		start:  func() { s.work.Go(func() { s.follow(ctx) }) },
		stop: func(context.Context) {
			cancel()
			s.work.Wait()
			s.client.close()
			s.close()
		},
	}, nil
}

// A promotion says whether a standby takes the place of the store or has taken it.
type promotion struct {
	Asked bool `json:"asked"`
}

// follow copies what the primary has, until the standby takes over or ctx ends.
func (s *standby) follow(ctx context.Context) {
	last := int64(seedPosts)
	for !s.leads.Load() && pause(ctx, followEvery) == nil {
		q := call{method: http.MethodGet, path: "/changes", query: "after=" + strconv.FormatInt(last, 10)}
		rep, err := s.client.do(ctx, s.primary, q, followTimeout)
		var list []change
		if failed(rep, err) || json.Unmarshal(rep.body, &list) != nil || len(list) == 0 {
			continue
		}
		if err := s.copy(list); err != nil {
			s.problems.warn("copying changes", "error", err)
			continue
		}
		last = list[len(list)-1].ID
	}
}

// promote lets the standby take over.
func (s *standby) promote(ctx context.Context) {
	if s.cold && pause(ctx, coldTime) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leads.Store(true)
}

// A backup is the standby as a replica of posts sees it.
//
// A nil backup calls only the store.
type backup struct {
	addr  string
	reads bool         // it answers reads
	gone  atomic.Int64 // calls in a row that the store did not answer
	over  atomic.Bool  // the standby has been asked to take over
}

func newBackup(p parts) *backup {
	if p.env.oneOf("DEMO_STANDBY", noStandby, hotStandby, coldStandby) == noStandby {
		return nil
	}
	return &backup{addr: p.env.link(standbyName)[0], reads: p.env.asked("DEMO_REPLICA_READS")}
}

// learn asks the standby whether another replica of posts has asked it to take over. A standby that gives no answer
// learnTries times counts as one that has not been asked.
func (b *backup) learn(ctx context.Context, c *client) {
	if b == nil {
		return
	}
	for range learnTries {
		rep, err := c.do(ctx, b.addr, call{method: http.MethodGet, path: "/promotion"}, checkTimeout)
		var is promotion
		if !failed(rep, err) && json.Unmarshal(rep.body, &is) == nil {
			b.over.Store(is.Asked)
			return
		}
		if pause(ctx, learnEvery) != nil {
			return
		}
	}
}

// do calls the store, or the standby that has its place. Once the store has not answered lostAfter times in a row, the
// standby is asked to take over, for good.
func (b *backup) do(ctx context.Context, s *posts, q call) (reply, error) {
	switch {
	case b == nil:
		return s.client.do(ctx, s.store, q, s.timeout)
	case b.over.Load() || b.reads && q.method == http.MethodGet && !q.fresh:
		return s.client.do(ctx, b.addr, q, s.timeout)
	}
	rep, err := s.client.do(ctx, s.store, q, s.timeout)
	switch {
	case err == nil:
		b.gone.Store(0)
	case gone(ctx) || b.gone.Add(1) < lostAfter:
	default:
		asked, lost := s.client.do(ctx, b.addr, call{method: http.MethodPost, path: "/promotion"}, s.timeout)
		if !failed(asked, lost) {
			b.over.Store(true)
		}
	}
	return rep, err
}

// wantsFresh reports whether a request is not to be answered from a copy.
func wantsFresh(r *http.Request) bool { return r.Header.Get("Cache-Control") == notFromCopy }
