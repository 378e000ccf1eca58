package demo

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	registerEvery = 500 * time.Millisecond
	registeredFor = 2 * time.Second // without a word of the unit
)

// A registration says that a unit is there.
type registration struct {
	Unit string `json:"unit"`
}

// A registered list names the units that are there.
type registered struct {
	Units []string `json:"units"`
}

// registry knows the units that registered in the last registeredFor. It keeps nothing over a restart.
type registry struct {
	mu   sync.Mutex
	seen map[string]time.Time // by unit
}

// newRegistry makes the registry.
func newRegistry(parts) (service, error) {
	r := &registry{seen: map[string]time.Time{}}
	return service{routes: map[string]handler{"POST /units": r.register, "GET /units": r.list}}, nil
}

func (r *registry) register(w http.ResponseWriter, req *http.Request) error {
	var one registration
	if err := readJSON(w, req, maxBody, &one); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[one.Unit] = time.Now()
	writeJSON(w, http.StatusOK, one)
	return nil
}

func (r *registry) list(w http.ResponseWriter, _ *http.Request) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.seen, func(_ string, at time.Time) bool { return time.Since(at) > registeredFor })
	writeJSON(w, http.StatusOK, registered{Units: slices.Sorted(maps.Keys(r.seen))})
	return nil
}

// A member talks to the registry every registerEvery, and at its start.
//
// A nil member does nothing.
type member struct {
	client *client
	addr   string
	talk   func(ctx context.Context, m *member)

	cancel context.CancelFunc
	done   sync.WaitGroup
}

// newMember returns nil if there is no registry.
func newMember(p parts, c *client, talk func(ctx context.Context, m *member)) *member {
	if !p.env.asked("DEMO_REGISTRY") {
		return nil
	}
	return &member{client: c, addr: p.env.link(registryName)[0], talk: talk}
}

func (m *member) start() {
	if m == nil {
		return
	}
	var ctx context.Context
	ctx, m.cancel = context.WithCancel(context.Background())
	m.done.Go(func() {
		m.talk(ctx, m)
		for pause(ctx, registerEvery) == nil {
			m.talk(ctx, m)
		}
	})
}

func (m *member) stop() {
	if m == nil || m.cancel == nil {
		return
	}
	m.cancel()
	m.done.Wait()
}

// registers makes what a unit says to the registry.
func registers(unit string) func(ctx context.Context, m *member) {
	body, _ := json.Marshal(registration{unit}) // of a text, without an error
	return func(ctx context.Context, m *member) {
		_, _ = m.client.do(ctx, m.addr, call{method: http.MethodPost, path: "/units", body: body}, checkTimeout)
	}
}

// learns makes a balancer use the replicas that the registry knows of. With keepLast it uses those of the last answer
// that had any.
func (b *balancer) learns(keepLast bool) func(ctx context.Context, m *member) {
	return func(ctx context.Context, m *member) {
		rep, err := m.client.do(ctx, m.addr, call{method: http.MethodGet, path: "/units"}, checkTimeout)
		var list registered
		if failed(rep, err) || json.Unmarshal(rep.body, &list) != nil {
			list.Units = nil
		}
		if len(list.Units) == 0 && keepLast || ctx.Err() != nil {
			return
		}
		for _, u := range b.all {
			u.unlisted.Store(!slices.Contains(list.Units, u.name))
		}
	}
}
