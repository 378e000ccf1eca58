package demo

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"

	_ "modernc.org/sqlite" // registers the driver
)

const (
	seedPosts = 500
	keptPosts = 20_000 // the oldest ones beyond that are deleted, so that memory stays bounded
	trimEvery = 100    // posts
	pageItems = 10
	readers   = 4 // connections
)

var noSuchPost = &problem{status: http.StatusNotFound, text: "no such post"}

// store keeps the posts in an SQLite database in memory.
//
// A file would remain after a kill. Of the ways to share a database in memory, only the memdb VFS
// has independent connections. It lacks WAL, so a writer and readers would get SQLITE_BUSY. All of
// them are in this process, so a lock keeps them apart: no operation needs a retry, and a write
// takes some microseconds.
type store struct {
	problems *sampler
	db       *sql.DB
	anchor   *sql.Conn // the database exists while a connection is open

	list, one, insert, trim *sql.Stmt
	byAlias, byKey          *sql.Stmt

	idempotent bool // a repeated key returns the same post
	writes     writeLog

	mu          sync.RWMutex // held for reading by readers, for writing by the writer
	first, last int64        // range of existing ids, without gaps
}

// stores numbers the databases of this process, because memdb shares them by name.
var stores atomic.Int64

func newStore(p parts) (service, error) {
	s, err := openStore(newSampler(p.log))
	if err != nil {
		return service{}, fmt.Errorf("opening the database: %w", err)
	}
	s.idempotent, s.writes = p.env.asked("DEMO_IDEMPOTENCY"), newWriteLog(p)
	return service{
		routes: map[string]handler{
			"GET /posts":      s.page,
			"GET /posts/{id}": s.read,
			"POST /posts":     s.write,
		},
		stop: func(context.Context) { s.close() },
	}, nil
}

func openStore(problems *sampler) (*store, error) {
	db, err := sql.Open("sqlite", fmt.Sprintf("file:/socialconnect-%d?vfs=memdb", stores.Add(1)))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(readers + 1)
	db.SetMaxIdleConns(readers + 1)
	s := &store{problems: problems, db: db}
	if err := s.fill(context.Background()); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *store) fill(ctx context.Context) error {
	var err error
	if s.anchor, err = s.db.Conn(ctx); err != nil {
		return err
	}
	_, err = s.anchor.ExecContext(ctx, `CREATE TABLE posts (
		id     INTEGER PRIMARY KEY,
		author TEXT NOT NULL,
		text   TEXT NOT NULL,
		key    TEXT NOT NULL DEFAULT '',
		alias  TEXT NOT NULL DEFAULT ''
	) STRICT;
	CREATE INDEX by_key   ON posts (key)   WHERE key   <> '';
	CREATE INDEX by_alias ON posts (alias) WHERE alias <> ''`)
	if err != nil {
		return err
	}
	tx, err := s.anchor.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // no effect after a commit
	for i := range seedPosts {
		author, text := seed(i)
		if _, err := tx.ExecContext(ctx, `INSERT INTO posts (author, text) VALUES (?, ?)`, author, text); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	s.first, s.last = 1, seedPosts
	for _, q := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&s.list, `SELECT id, author, text FROM posts WHERE id > ? AND id <= ? ORDER BY id DESC`},
		{&s.one, `SELECT author, text FROM posts WHERE id = ?`},
		{&s.insert, `INSERT INTO posts (author, text, key, alias) VALUES (?, ?, ?, ?)`},
		{&s.byAlias, `SELECT id, author, text FROM posts WHERE alias = ? AND alias <> ''`},
		{&s.byKey, `SELECT id, author, text FROM posts WHERE key = ? AND key <> '' ORDER BY id`},
		{&s.trim, `DELETE FROM posts WHERE id < ?`},
	} {
		if *q.stmt, err = s.db.PrepareContext(ctx, q.text); err != nil {
			return err
		}
	}
	return nil
}

var (
	seedSubjects = []string{"the team", "my cat", "our cluster", "the printer", "the new intern", "this coffee", "the build", "my bike"}
	seedDoes     = []string{
		"had a good day", "is back", "needs a break", "found a bug", "learnt something", "went for a walk", "is faster now", "said hello",
		"sleeps late",
	}
	seedWhen = []string{"this morning", "again", "at last", "on Friday", "after lunch", "before the deploy", "as ever"}
)

// seed returns the initial post number i, which is the same in every run.
func seed(i int) (author, text string) {
	author = "u" + strconv.Itoa(1+i*7%50)
	return author, seedSubjects[i%len(seedSubjects)] + " " + seedDoes[i%len(seedDoes)] + " " + seedWhen[i%len(seedWhen)]
}

// close closes the database, whose memory is freed with the last connection.
func (s *store) close() {
	err := errors.Join(s.anchor.Close(), s.db.Close())
	if err != nil {
		s.problems.warn("closing the database", "error", err)
	}
}

// page returns ten posts, the newest first. Pages past the last one start again with the first, so
// that every page has posts.
func (s *store) page(w http.ResponseWriter, r *http.Request) error {
	n, err := pageOf(r)
	if err != nil {
		return err
	}
	var items []post
	if key := r.URL.Query().Get("key"); key != "" {
		items, err = s.some(s.byKey, key)
	} else {
		items, err = s.items(n)
	}
	if err != nil {
		return s.broken("reading a page", err)
	}
	writeJSON(w, http.StatusOK, page{Items: items, Page: n})
	return nil
}

func (s *store) items(n int) ([]post, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	pages := (s.last - s.first + pageItems) / pageItems
	top := s.last - int64(n-1)%pages*pageItems
	return collect(s.list, top-pageItems, top)
}

// some returns the posts that a query finds.
func (s *store) some(query *sql.Stmt, by string) ([]post, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return collect(query, by)
}

func collect(query *sql.Stmt, args ...any) ([]post, error) {
	rows, err := query.Query(args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	items := make([]post, 0, pageItems)
	for rows.Next() {
		var p post
		if err := rows.Scan(&p.ID, &p.Author, &p.Text); err != nil {
			return nil, err
		}
		items = append(items, p)
	}
	return items, rows.Err()
}

func (s *store) read(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return s.alias(w, id)
	}
	p := post{ID: strconv.FormatInt(n, 10)}
	s.mu.RLock()
	err = s.one.QueryRow(n).Scan(&p.Author, &p.Text)
	s.mu.RUnlock()
	if errors.Is(err, sql.ErrNoRows) {
		return noSuchPost
	}
	if err != nil {
		return s.broken("reading a post", err)
	}
	writeJSON(w, http.StatusOK, p)
	return nil
}

// alias returns the post with an id that the posts service assigned.
func (s *store) alias(w http.ResponseWriter, id string) error {
	found, err := s.some(s.byAlias, id)
	switch {
	case err != nil:
		return s.broken("reading a post", err)
	case len(found) == 0:
		return noSuchPost
	}
	writeJSON(w, http.StatusOK, found[0])
	return nil
}

func (s *store) write(w http.ResponseWriter, r *http.Request) error {
	p, key, err := readPost(w, r)
	if err != nil {
		return err
	}
	id, err := s.add(p, key)
	if err != nil {
		return s.broken("writing a post", err)
	}
	writeJSON(w, http.StatusCreated, map[string]string{"id": strconv.FormatInt(id, 10)})
	return nil
}

func (s *store) add(p post, key string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idempotent && key != "" {
		if before, err := collect(s.byKey, key); err != nil || len(before) > 0 {
			if err != nil {
				return 0, err
			}
			return strconv.ParseInt(before[0].ID, 10, 64)
		}
	}
	res, err := s.insert.Exec(p.Author, p.Text, key, p.Alias)
	if err != nil {
		return 0, err
	}
	id, err := res.LastInsertId()
	if err != nil {
		return 0, err
	}
	s.last = id
	s.writes.log("committed", cmp.Or(p.Alias, strconv.FormatInt(id, 10)), key)
	if first := id - keptPosts + 1; first >= s.first+trimEvery {
		if _, err := s.trim.Exec(first); err != nil {
			return 0, err
		}
		s.first = first
	}
	return id, nil
}

// broken logs a database error; the client gets only a general message.
func (s *store) broken(doing string, err error) error {
	s.problems.warn(doing, "error", err)
	return &problem{status: http.StatusInternalServerError, text: "the database is broken"}
}
