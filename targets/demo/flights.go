package demo

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"
)

// flights merge identical concurrent requests into one: a request waits for the answer to an
// identical one in progress.
//
// A nil flights merges nothing.
type flights struct {
	group  singleflight.Group
	limit  time.Duration // timeout of the merged request, which outlives the first caller; 0: none
	shared prometheus.Counter
}

func (f *flights) do(ctx context.Context, key string, ask func(context.Context) (reply, error)) (reply, error) {
	if f == nil {
		return ask(ctx)
	}
	began := false
	answer := f.group.DoChan(key, func() (any, error) {
		began = true
		ctx := context.WithoutCancel(ctx)
		if f.limit > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, f.limit)
			defer cancel()
		}
		return ask(ctx)
	})
	select {
	case a := <-answer:
		if !began {
			f.shared.Inc()
		}
		return a.Val.(reply), a.Err
	case <-ctx.Done():
		return reply{}, context.Cause(ctx)
	}
}

const (
	missingFor  = 2 * time.Second // a post that appears meanwhile is not visible for that time
	mostMissing = 4096
	freshFor    = time.Minute // reads of a user that has written
	mostFresh   = 1 << 16
)

// recent remembers keys for a while.
//
// A nil recent remembers nothing.
type recent struct {
	life time.Duration
	most int // keys; beyond that expired ones are dropped, or all if none has expired

	mu   sync.Mutex
	keys map[string]time.Time // expiry by key
}

func newRecent(life time.Duration, most int) *recent {
	return &recent{life: life, most: most, keys: map[string]time.Time{}}
}

func (m *recent) has(key string) bool {
	if m == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	until, ok := m.keys[key]
	return ok && time.Now().Before(until)
}

func (m *recent) add(key string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if len(m.keys) >= m.most {
		maps.DeleteFunc(m.keys, func(_ string, until time.Time) bool { return !now.Before(until) })
		if len(m.keys) >= m.most {
			clear(m.keys)
		}
	}
	m.keys[key] = now.Add(m.life)
}

const (
	cacheFor    = 2 * time.Second // how long an entry is kept, unless a setting says otherwise
	mostEntries = 4096            // unless a setting says otherwise; beyond that all entries are dropped
	maxEntry    = 64 << 10        // bytes
)

// entries is the cache service: bodies by key, for a while.
type entries struct {
	life   time.Duration // of an entry
	jitter bool          // a life is drawn between a quarter of it and the whole
	most   int           // entries
	evicts bool          // a new entry drops the others if there are too many; else it is refused

	mu  sync.Mutex
	all map[string]entry
}

type entry struct {
	body  []byte
	until time.Time
}

func newCache(p parts) (service, error) {
	e := &entries{
		all:    map[string]entry{},
		life:   cmp.Or(p.env.length("DEMO_CACHE_LIFE"), cacheFor),
		jitter: p.env.asked("DEMO_EXPIRY_JITTER"),
		most:   cmp.Or(p.env.number("DEMO_CACHE_SIZE"), mostEntries),
		evicts: p.env.on("DEMO_EVICTION"),
	}
	return service{routes: map[string]handler{"GET /entry": e.read, "PUT /entry": e.write}}, nil
}

func (e *entries) read(w http.ResponseWriter, r *http.Request) error {
	e.mu.Lock()
	one, ok := e.all[r.URL.Query().Get("key")]
	e.mu.Unlock()
	if !ok || !time.Now().Before(one.until) {
		return &problem{status: http.StatusNotFound, text: "no such entry"}
	}
	writeBody(w, http.StatusOK, one.body)
	return nil
}

func (e *entries) write(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEntry))
	if err != nil {
		return &problem{status: http.StatusRequestEntityTooLarge, text: "the entry is too large"}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	key, life := r.URL.Query().Get("key"), e.life
	if _, has := e.all[key]; !has && len(e.all) >= e.most {
		if !e.evicts {
			return &problem{status: http.StatusInsufficientStorage, text: "the cache is full"}
		}
		clear(e.all)
	}
	if e.jitter {
		life = life/4 + rand.N(life-life/4)
	}
	e.all[key] = entry{body, time.Now().Add(life)}
	writeBody(w, http.StatusOK, []byte("{}"))
	return nil
}

// A cached asks the cache service first. A nil cached asks only the services behind it.
type cached struct {
	service  *upstream
	timeout  time.Duration // 0: none
	fallback bool          // reads go on without the cache
}

// do returns the entry of a call, or the answer of ask, which it keeps.
func (c *cached) do(ctx context.Context, q call, ask func() (reply, error)) (reply, error) {
	if c == nil {
		return ask()
	}
	key := url.Values{"key": {q.path + "?" + q.query}}.Encode()
	rep, err := c.service.send(ctx, call{method: http.MethodGet, path: "/entry", query: key}, c.timeout)
	if err == nil && rep.status == http.StatusOK {
		return reply{status: rep.status, body: rep.body, by: max(q.stay-1, 0)}, nil
	}
	lost := failed(rep, err)
	if lost && !c.fallback {
		return rep, err
	}
	if rep, err = ask(); err != nil || rep.status != http.StatusOK || lost || !json.Valid(rep.body) {
		return rep, err
	}
	_, _ = c.service.send(ctx, call{method: http.MethodPut, path: "/entry", query: key, body: rep.body}, c.timeout)
	return rep, err
}
