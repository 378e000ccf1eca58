package demo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"runtime"
	"strings"
	"time"
)

const (
	poolWait = 100 * time.Millisecond // for a connection
	coldCall = 400 * time.Millisecond // that each request takes in addition while a replica is cold
	poolLeak = time.Second            // a connection that is in use for longer is lost, if there is a leak
)

// posts is the service between the gateway and the store. It keeps no state, so that any replica
// can answer any request.
type posts struct {
	problems *sampler
	client   *client
	store    string
	timeout  time.Duration // of a call to the store; 0: none
	pool     *pool         // connections to the store; nil: no bound
	input    input
	drafts   *drafts   // nil: the store has them
	version  *version  // nil: all replicas have the same
	notifier *notifier // nil: mailers send the notices
	early    *early    // nil: a write is acknowledged once the store has it
	writes   writeLog
	line     *line // nil: requests do not wait
	member   *member
	backup   *backup // nil: none
	threads  bool    // a call to the store has a thread of its own
	warmAt   time.Time
}

func newPosts(p parts) (service, error) {
	s := &posts{problems: newSampler(p.log)}
	var connect, tell time.Duration
	if p.env.on("DEMO_TIMEOUTS") {
		connect, s.timeout, tell = 250*time.Millisecond, 800*time.Millisecond, 500*time.Millisecond
	}
	s.store = p.env.link(storeName)[0]
	s.client = p.client(connect)
	s.member = newMember(p, s.client, registers(p.env.text("BRUNT_UNIT", postsName)))
	s.backup = newBackup(p)
	s.writes, s.input = newWriteLog(p), newInput(p.env)
	s.version = newVersion(p.env)
	s.threads = p.env.oneOf("DEMO_THREADS", sharedThreads, ownThreads) == ownThreads
	s.warmAt = time.Now().Add(p.env.length("DEMO_WARM_UP"))
	atOnce := p.env.oneOf("DEMO_READY", readyWarm, readyAtOnce) == readyAtOnce
	if s.pool = newPool(p.env.number("DEMO_POOL")); s.pool != nil {
		if p.env.on("DEMO_POOL_WAIT") {
			s.pool.wait = poolWait
		}
		if p.env.asked("DEMO_POOL_LEAK") {
			s.pool.leak = poolLeak
		}
	}
	s.line = newLine(p.env.rate("DEMO_RATE"), p.env.number("DEMO_QUEUE"))
	if p.env.asked("DEMO_ACK_EARLY") {
		s.early = newEarly(s.commit)
	}
	if outbox := p.env.asked("DEMO_OUTBOX"); !outbox || p.env.number("DEMO_MAILERS") == 0 {
		s.notifier = newNotifier(p, s.client, p.env.link(notificationsName)[0], tell)
		if outbox {
			s.notifier.relay = &relay{store: s.store, giveUp: p.env.on("DEMO_MAX_TRIES"), refusals: map[string]int{}}
		}
	}
	if p.env.oneOf("DEMO_SESSIONS", sharedSessions, localSessions) == localSessions {
		s.drafts = newDrafts(s.input)
	}
	routes := map[string]handler{
		"GET /posts":          s.list,
		"GET /posts/{id}":     s.read,
		"POST /posts":         s.write,
		"GET /drafts/{user}":  s.draft,
		"POST /drafts/{user}": s.draft,
		"GET /export":         s.export,
	}
	if s.drafts != nil {
		maps.Copy(routes, s.drafts.routes())
	}
	return service{
		routes: routes,
		ready:  func() bool { return atOnce || !time.Now().Before(s.warmAt) },
		start: func() {
			s.backup.learn(context.Background(), s.client)
			s.notifier.start()
			s.early.start()
			s.member.start()
		},
		stop: func(ctx context.Context) {
			s.member.stop()
			s.early.stop(ctx)
			s.notifier.stop(ctx)
			s.client.close()
		},
	}, nil
}

func (s *posts) list(w http.ResponseWriter, r *http.Request) error {
	q := call{method: http.MethodGet, path: "/posts", query: r.URL.RawQuery, fresh: wantsFresh(r)}
	rep, err := s.get(r.Context(), q)
	if err != nil {
		return err
	}
	if rep.status == http.StatusOK {
		rep.body = s.version.page(w, rep.body)
	}
	writeBody(w, rep.status, rep.body)
	return nil
}

func (s *posts) read(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if !validID(id) {
		return noSuchPost
	}
	return s.pass(w, r, call{method: http.MethodGet, path: "/posts/" + id, fresh: wantsFresh(r)})
}

// export forwards a batch to the store. It may take longer than other requests.
func (s *posts) export(w http.ResponseWriter, r *http.Request) error {
	rep, err := s.client.do(r.Context(), s.store, call{method: http.MethodGet, path: "/export"}, 0)
	if failed(rep, err) {
		return &problem{status: http.StatusBadGateway, text: "the store gave no answer"}
	}
	writeBody(w, rep.status, rep.body)
	return nil
}

// pass forwards a request to the store and returns its response unchanged.
func (s *posts) pass(w http.ResponseWriter, r *http.Request, q call) error {
	rep, err := s.get(r.Context(), q)
	if err != nil {
		return err
	}
	writeBody(w, rep.status, rep.body)
	return nil
}

// get calls the store once the line lets the request through.
func (s *posts) get(ctx context.Context, q call) (reply, error) {
	if time.Now().Before(s.warmAt) {
		if err := pause(ctx, coldCall); err != nil {
			return reply{}, err
		}
	}
	if err := s.line.wait(ctx); err != nil {
		return reply{}, err
	}
	return s.ask(ctx, q)
}

func (s *posts) write(w http.ResponseWriter, r *http.Request) error {
	p, q, err := s.input.readPostCall(w, r)
	if err != nil {
		return err
	}
	if err := s.line.wait(r.Context()); err != nil {
		return err
	}
	if s.early != nil {
		p.Alias = "e-" + strings.ToLower(rand.Text())
		if !s.early.take(r.Context(), p, q.key) {
			s.writes.log("refused", p.Alias, q.key)
			return &problem{status: http.StatusServiceUnavailable, text: "too many writes wait for the store"}
		}
		s.writes.log("acknowledged early", p.Alias, q.key)
		writeJSON(w, http.StatusCreated, map[string]string{"id": p.Alias})
		return nil
	}
	rep, err := s.forward(r.Context(), q, p.Author)
	if err != nil {
		return err
	}
	writeBody(w, rep.status, rep.body)
	return nil
}

// forward passes a write to the store, and sends a notice once the store has it.
func (s *posts) forward(ctx context.Context, q call, author string) (reply, error) {
	rep, err := s.ask(ctx, q)
	if err != nil {
		return reply{}, err
	}
	var made post
	if rep.status == http.StatusCreated && json.Unmarshal(rep.body, &made) == nil {
		s.notifier.tell(traceIn(ctx), notice{Post: made.ID, Author: author, Key: q.key})
	}
	return rep, nil
}

// commit sends a write to the store that was acknowledged before.
func (s *posts) commit(ctx context.Context, w waiting) error {
	body, err := json.Marshal(w.post)
	if err != nil {
		return err
	}
	_, err = s.forward(ctx, call{method: http.MethodPost, path: "/posts", body: body, key: w.key}, w.post.Author)
	return err
}

// ask calls the store. A response with a server error is an error here.
func (s *posts) ask(ctx context.Context, q call) (reply, error) {
	free, err := s.pool.take(ctx, 1)
	if err != nil {
		return reply{}, poolFull
	}
	if s.threads {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	rep, err := s.backup.do(ctx, s, q)
	free()
	if !failed(rep, err) {
		return rep, nil
	}
	s.problems.warn("call failed", "of", storeName, "status", rep.status, "error", errText(err), "trace_id",
		traceIn(ctx).id)
	if err != nil && timedOut(err) {
		return reply{}, &problem{status: http.StatusGatewayTimeout, text: "the store took too long"}
	}
	return reply{}, &problem{status: http.StatusBadGateway, text: "the store gave no answer"}
}
