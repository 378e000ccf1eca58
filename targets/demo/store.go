package demo

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	seedPosts = 500
	keptPosts = 20_000 // the oldest ones beyond that are deleted, so that memory stays bounded
	trimEvery = 100    // posts
	pageItems = 10
	scanTime  = 20 * time.Microsecond // of a post, without an index: a wait, so that it is the same on each machine
)

var noSuchPost = &problem{status: http.StatusNotFound, text: "no such post"}

// store keeps the posts in a bbolt database whose file ends with the process: a restarted store has only the initial
// posts. So nothing is synced to disk.
type store struct {
	problems *sampler
	db       *bolt.DB

	idempotent bool          // a repeated key returns the same post
	work       time.Duration // of each read, in addition
	scan       *pool         // a page is found by reading all posts, one page at a time; nil: by an index
	input      input
	outbox     bool // each write leaves its notice
	group      group
	shards     shards
	disk       *disk     // nil: reads do not wait for it
	followed   *followed // nil: writes do not wait for the standby
	writes     writeLog

	mu sync.Mutex // held by a writer, which logs its commit before the next one
}

// Buckets of the database. A key of an index is a post's Idempotency-Key or alias, a zero byte and the key of the post.
var (
	allPosts = []byte("posts") // by big-endian ids, which have no gaps
	byKey    = []byte("by key")
	byAlias  = []byte("by alias")
)

// kept is a post in the database, as JSON.
type kept struct {
	Author string `json:"author"`
	Text   string `json:"text"`
	Key    string `json:"key,omitempty"`
	Alias  string `json:"alias,omitempty"`
}

func newStore(p parts) (service, error) {
	s, err := buildStore(p)
	if err != nil {
		return service{}, err
	}
	return service{
		routes: s.routes(),
		stop:   func(context.Context) { s.close() },
	}, nil
}

// buildStore opens a store with the settings of the environment.
func buildStore(p parts) (*store, error) {
	s, err := openStore(newSampler(p.log))
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	s.idempotent, s.writes = p.env.asked("DEMO_IDEMPOTENCY"), newWriteLog(p)
	s.input, s.work = newInput(p.env), p.env.length("DEMO_WORK")
	if !p.env.on("DEMO_INDEX") {
		s.scan = newPool(1)
	}
	s.outbox = p.env.asked("DEMO_OUTBOX")
	s.disk, s.shards, s.followed = newDisk(p.env), newShards(p.env), newFollowed(p.env)
	return s, nil
}

func (s *store) routes() map[string]handler {
	routes := map[string]handler{
		"GET /posts":      s.page,
		"GET /posts/{id}": s.read,
		"POST /posts":     s.write,
		"GET /export":     s.export,
		"GET /changes":    s.changes,
	}
	maps.Copy(routes, s.outboxRoutes())
	maps.Copy(routes, newDrafts(s.input).routes())
	return routes
}

func openStore(problems *sampler) (*store, error) {
	db, err := bolt.Open("socialconnect", 0o600, &bolt.Options{
		OpenFile: func(name string, _ int, _ os.FileMode) (*os.File, error) { return lostFile(name) },
		NoSync:   true, NoGrowSync: true, NoFreelistSync: true, FreelistType: bolt.FreelistMapType,
	})
	if err != nil {
		return nil, err
	}
	s := &store{problems: problems, db: db}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{allPosts, byKey, byAlias, outbox, deadLetters} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		for i := range seedPosts {
			author, text := seed(i)
			if _, err := insert(tx, kept{Author: author, Text: text}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

var (
	seedSubjects = []string{
		"the team", "my cat", "our cluster", "the printer", "the new intern", "this coffee", "the build", "my bike",
	}
	seedDoes = []string{
		"had a good day", "is back", "needs a break", "found a bug", "learnt something", "went for a walk", "is faster now",
		"said hello",
		"sleeps late",
	}
	seedWhen = []string{"this morning", "again", "at last", "on Friday", "after lunch", "before the deploy", "as ever"}
)

// seed returns the initial post number i, which is the same in every run.
func seed(i int) (author, text string) {
	author = "u" + strconv.Itoa(1+i*7%50)
	return author, seedSubjects[i%len(seedSubjects)] + " " + seedDoes[i%len(seedDoes)] + " " + seedWhen[i%len(seedWhen)]
}

// close closes the database, which removes its file.
func (s *store) close() {
	if err := s.db.Close(); err != nil {
		s.problems.warn("closing the database", "error", err)
	}
}

// page returns ten posts, or as many as size says, the newest first. Pages past the last one start
// again with the first, so that every page has posts.
func (s *store) page(w http.ResponseWriter, r *http.Request) error {
	n, err := pageOf(r)
	if err != nil {
		return err
	}
	size, err := s.input.sizeOf(r)
	if err != nil {
		return err
	}
	if err := s.seek(r.Context()); err != nil {
		return err
	}
	var items []post
	if key := r.URL.Query().Get("key"); key != "" {
		items, err = s.found(byKey, key)
	} else {
		items, err = s.items(n, size)
	}
	if err != nil {
		return s.broken("reading a page", err)
	}
	writeJSON(w, http.StatusOK, page{Items: items, Page: n})
	return nil
}

// seek takes the time that it takes to find posts: the work of a read and, without an index, a look at every post.
func (s *store) seek(ctx context.Context) error {
	if err := pause(ctx, s.work); err != nil {
		return err
	}
	if err := s.disk.read(ctx); err != nil {
		return err
	}
	if s.scan == nil {
		return nil
	}
	free, err := s.scan.take(ctx, 1)
	if err != nil {
		return err
	}
	defer free()
	count := 0
	if err := s.db.View(func(tx *bolt.Tx) error {
		first, last := ends(tx)
		count = int(last - first + 1)
		return nil
	}); err != nil {
		return s.broken("reading all posts", err)
	}
	return pause(ctx, time.Duration(count)*scanTime)
}

func (s *store) items(n, size int) (items []post, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		first, last := ends(tx)
		per := int64(size)
		pages := (last - first + per) / per
		top := last - int64(n-1)%pages*per
		for id := top; id > max(top-per, first-1); id-- {
			p, err := one(tx, id)
			if err != nil {
				return err
			}
			items = append(items, p)
		}
		return nil
	})
	return items, err
}

// ends returns the ids of the oldest and the newest post.
func ends(tx *bolt.Tx) (first, last int64) {
	c := tx.Bucket(allPosts).Cursor()
	oldest, _ := c.First()
	newest, _ := c.Last()
	return postID(oldest), postID(newest)
}

func postKey(id int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(id)) }

func postID(key []byte) int64 { return int64(binary.BigEndian.Uint64(key)) }

// one returns the post of an id, or noSuchPost.
func one(tx *bolt.Tx, id int64) (post, error) {
	b := tx.Bucket(allPosts).Get(postKey(id))
	if b == nil {
		return post{}, noSuchPost
	}
	var k kept
	err := json.Unmarshal(b, &k)
	return post{ID: strconv.FormatInt(id, 10), Author: k.Author, Text: k.Text}, err
}

// found returns the posts that an index holds under a value, the oldest first.
func (s *store) found(index []byte, value string) (items []post, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		for _, id := range indexed(tx, index, value) {
			p, err := one(tx, id)
			if err != nil {
				return err
			}
			items = append(items, p)
		}
		return nil
	})
	return items, err
}

func indexed(tx *bolt.Tx, index []byte, value string) (ids []int64) {
	prefix := indexKey(value, nil)
	c := tx.Bucket(index).Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		if len(k) == len(prefix)+8 { // else it belongs to a value that contains a zero byte
			ids = append(ids, postID(k[len(prefix):]))
		}
	}
	return ids
}

// indexKey is the key of an index for the value of a post.
func indexKey(value string, post []byte) []byte { return append(append([]byte(value), 0), post...) }

func (s *store) read(w http.ResponseWriter, r *http.Request) error {
	if err := pause(r.Context(), s.work); err != nil {
		return err
	}
	id := r.PathValue("id")
	if err := s.shards.read(r.Context(), id); err != nil {
		return err
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return s.alias(w, id)
	}
	var p post
	err = s.db.View(func(tx *bolt.Tx) (err error) {
		p, err = one(tx, n)
		return err
	})
	if errors.Is(err, noSuchPost) {
		return err
	}
	if err != nil {
		return s.broken("reading a post", err)
	}
	writeJSON(w, http.StatusOK, p)
	return nil
}

// alias returns the post with an id that the posts service assigned.
func (s *store) alias(w http.ResponseWriter, id string) error {
	items, err := s.found(byAlias, id)
	switch {
	case err != nil:
		return s.broken("reading a post", err)
	case len(items) == 0:
		return noSuchPost
	}
	writeJSON(w, http.StatusOK, items[0])
	return nil
}

func (s *store) write(w http.ResponseWriter, r *http.Request) error {
	p, key, err := s.input.readPost(w, r)
	if err != nil {
		return err
	}
	id, err := s.add(p, key)
	if err != nil {
		return s.broken("writing a post", err)
	}
	if err := s.followed.wait(r.Context(), id); err != nil {
		return &problem{status: http.StatusServiceUnavailable, text: "the standby does not have the post"}
	}
	writeJSON(w, http.StatusCreated, map[string]string{"id": strconv.FormatInt(id, 10)})
	return nil
}

func (s *store) add(p post, key string) (id int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	repeated := false
	err = s.db.Update(func(tx *bolt.Tx) error {
		if s.idempotent && key != "" {
			if before := indexed(tx, byKey, key); len(before) > 0 {
				id, repeated = before[0], true
				return nil
			}
		}
		if id, err = insert(tx, kept{Author: p.Author, Text: p.Text, Key: key, Alias: p.Alias}); err != nil {
			return err
		}
		if s.outbox {
			if err := putNotice(tx, id, p, key); err != nil {
				return err
			}
		}
		return trim(tx)
	})
	if err == nil && !repeated {
		s.writes.log("committed", cmp.Or(p.Alias, strconv.FormatInt(id, 10)), key)
	}
	return id, err
}

func insert(tx *bolt.Tx, k kept) (int64, error) {
	b, err := json.Marshal(k)
	if err != nil {
		return 0, err
	}
	n, err := tx.Bucket(allPosts).NextSequence()
	if err != nil {
		return 0, err
	}
	key := postKey(int64(n))
	err = tx.Bucket(allPosts).Put(key, b)
	for _, index := range k.indexes() {
		err = errors.Join(err, tx.Bucket(index.bucket).Put(indexKey(index.value, key), nil))
	}
	return int64(n), err
}

type indexValue struct {
	bucket []byte
	value  string
}

// indexes returns the index entries of the post.
func (k kept) indexes() (out []indexValue) {
	if k.Key != "" {
		out = append(out, indexValue{byKey, k.Key})
	}
	if k.Alias != "" {
		out = append(out, indexValue{byAlias, k.Alias})
	}
	return out
}

// trim deletes the oldest posts once there are trimEvery too many.
func trim(tx *bolt.Tx) error {
	first, last := ends(tx)
	from := last - keptPosts + 1
	if from < first+trimEvery {
		return nil
	}
	for id := first; id < from; id++ {
		key := postKey(id)
		var k kept
		err := json.Unmarshal(tx.Bucket(allPosts).Get(key), &k)
		for _, index := range k.indexes() {
			err = errors.Join(err, tx.Bucket(index.bucket).Delete(indexKey(index.value, key)))
		}
		if err = errors.Join(err, tx.Bucket(allPosts).Delete(key)); err != nil {
			return err
		}
	}
	return nil
}

// broken logs a database error; the client gets only a general message.
func (s *store) broken(doing string, err error) error {
	s.problems.warn(doing, "error", err)
	return &problem{status: http.StatusInternalServerError, text: "the database is broken"}
}
