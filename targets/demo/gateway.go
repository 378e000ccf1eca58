package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// limits are the gateway's timeouts; 0 means no timeout.
type limits struct {
	request time.Duration // of a client's request, retries included
	connect time.Duration
	posts   time.Duration // of an attempt
	users   time.Duration
	cache   time.Duration
}

// gateway is the entry for clients. Its only state is the state of its defences.
type gateway struct {
	problems  *sampler
	posts     *balancer
	users     *upstream
	retrier   *retrier // nil: one attempt
	limiter   *limiter // nil: no limit
	unnamable bool     // posts have no names of authors
	silent    bool     // the limiter sends no Retry-After
	signer    signer
	limits    limits
	affinity  bool
	rewrite   bool      // writes are retried as well
	missing   *recent   // ids of posts that do not exist, so that requests for them are not sent on
	flights   *flights  // nil: requests are not merged
	cache     *cached   // nil: none
	identity  *upstream // nil: the gateway issues tokens itself
	askIssuer bool      // each token is checked by identity
	room      *admission
	input     input
	unchecked string        // the check of tokens that is left out
	leeway    time.Duration // for the times of tokens
	passwords bool          // a login needs one
	guesses   *limiter      // of passwords; nil: no limit
	nonces    *limiter      // of writes; nil: none are wanted
	writers   *recent       // tokens that wrote
	byAddress bool          // requests without a token are limited by address
	leak      *leak         // nil: none
	strict    bool          // an answer with unknown fields is unreadable
	absent    prometheus.Counter
	unnamed   prometheus.Counter
	limited   prometheus.Counter
}

func newGateway(p parts) (service, error) {
	g := &gateway{
		problems: newSampler(p.log),
		signer:   newSigner(p),
		room:     newAdmission(p),
		input:    newInput(p.env),
		leak:     newLeak(p.env),
		unnamed: p.metrics.auto.NewCounter(prometheus.CounterOpts{
			Name: "socialconnect_nameless_total", Help: "Reads answered with bare ids, for want of the users service.",
		}),
		limited: p.metrics.auto.NewCounter(prometheus.CounterOpts{
			Name: "socialconnect_limited_total", Help: "Requests turned away by the limiter.",
		}),
		absent: p.metrics.auto.NewCounter(prometheus.CounterOpts{
			Name: "socialconnect_negative_hits_total", Help: "Reads answered from the cache of posts that do not exist.",
		}),
		affinity:  p.env.asked("DEMO_AFFINITY"),
		rewrite:   p.env.asked("DEMO_RETRY_WRITES"),
		unnamable: p.env.oneOf("DEMO_BROKEN", wholeAnswers, noNames) == noNames,
		silent:    !p.env.on("DEMO_RETRY_AFTER"),
		unchecked: p.env.oneOf("DEMO_UNCHECKED", wholeAnswers, uncheckedSignature, uncheckedExpiry, uncheckedRole),
		passwords: p.env.asked("DEMO_PASSWORDS"),
		strict:    p.env.oneOf("DEMO_READER", tolerantReader, strictReader) == strictReader,
		byAddress: p.env.oneOf("DEMO_LIMIT_BY", limitByToken, limitByAddress) == limitByAddress,
	}
	if p.env.on("DEMO_TIMEOUTS") {
		g.limits = limits{
			request: 3 * time.Second, connect: 250 * time.Millisecond, posts: time.Second,
			users: 100 * time.Millisecond, cache: 20 * time.Millisecond,
		}
	}
	if p.env.on("DEMO_RETRIES") {
		g.retrier = newRetrier(p.metrics)
		g.retrier.unlimited = !p.env.on("DEMO_RETRY_BUDGET")
	}
	if p.env.on("DEMO_LIMITER") {
		g.limiter = newLimiter(limitRequests)
	}
	if p.env.on("DEMO_LOGIN_LIMIT") {
		g.guesses = newLimiter(mostGuesses)
	}
	if p.env.asked("DEMO_NONCE") {
		g.nonces = newLimiter(1)
	}
	if p.env.on("DEMO_LEEWAY") {
		g.leeway = leeway
	}
	if p.env.asked("DEMO_NEGATIVE_CACHE") {
		g.missing = newRecent(missingFor, mostMissing)
	}
	if p.env.asked("DEMO_SINGLE_FLIGHT") {
		g.flights = &flights{limit: g.limits.request, shared: p.metrics.auto.NewCounter(prometheus.CounterOpts{
			Name: "socialconnect_shared_total", Help: "Questions that waited for the answer to the same one.",
		})}
	}
	hub := newHub(p, g.room)
	breakers, m := p.env.on("DEMO_BREAKER"), newUpstreamMetrics(p.metrics)
	c := p.client(g.limits.connect)
	g.posts = &balancer{
		ejection: p.env.on("DEMO_EJECTION"), by: p.env.oneOf("DEMO_BALANCE", roundRobin, leastConnections, ipHash),
		canary: p.env.number("DEMO_CANARY"),
	}
	g.posts.all = upstreamsOf(p, c, m, postsName, breakers, g.posts.ejection)
	if g.posts.registry = newMember(p, c, g.posts.learns(p.env.on("DEMO_KEEP_LAST"))); g.posts.registry != nil {
		for _, u := range g.posts.all {
			u.unlisted.Store(true)
		}
	}
	if p.env.asked("DEMO_READ_YOUR_WRITES") {
		g.writers = newRecent(freshFor, mostFresh)
	}
	g.users = upstreamsOf(p, c, m, usersName, breakers, false)[0]
	if p.env.asked("DEMO_IDENTITY") {
		g.identity, g.askIssuer = upstreamsOf(p, c, m, identityName, breakers, false)[0], p.env.asked("DEMO_ASK_ISSUER")
	}
	if p.env.asked("DEMO_CACHE") {
		g.cache = &cached{
			upstreamsOf(p, c, m, cacheName, breakers, false)[0], g.limits.cache, p.env.on("DEMO_CACHE_FALLBACK"),
		}
	}
	return service{
		routes: map[string]handler{
			"POST /login":     g.room.bounded(g.room.logins, g.login),
			"GET /posts":      g.admit(g.room.posts, g.list),
			"GET /posts/{id}": g.admit(g.room.posts, g.read),
			"POST /posts":     g.admit(g.room.posts, g.write),
			"GET /users/{id}": g.admit(g.room.users, g.user),
			"GET /admin":      g.admit(nil, g.admin),
			"GET /draft":      g.admit(g.room.posts, g.draft),
			"POST /draft":     g.admit(g.room.posts, g.draft),
			"GET /export":     g.export,
			"GET /events":     hub.open,

			"POST /users/{id}/friends/{other}": g.admit(g.room.users, g.friend),
		},
		start: g.posts.start,
		stop: func(context.Context) {
			hub.stop()
			g.posts.stop()
			c.close()
		},
	}, nil
}

// admit checks a request: its token must be valid and within the limit. A read needs no token, another request does.
// The request's deadline starts here, and h answers it once the pool has a place for it.
func (g *gateway) admit(p *pool, h handler) handler {
	h = g.room.bounded(p, h)
	return func(w http.ResponseWriter, r *http.Request) error {
		g.leak.next()
		switch header := r.Header.Get("Authorization"); {
		case header == "" && r.Method != http.MethodGet && r.Method != http.MethodHead:
			return noToken
		case header == "" && g.byAddress:
			if err := g.within(g.origin(r, call{}).client, "from this address without one"); err != nil {
				return err
			}
		case header != "":
			token, ok := strings.CutPrefix(header, "Bearer ")
			if !ok {
				token = ""
			}
			if err := g.accepts(r, token); err != nil {
				return err
			}
			if err := g.within(token, "with this token"); err != nil {
				return err
			}
		}
		if g.limits.request > 0 {
			ctx, cancel := context.WithTimeout(r.Context(), g.limits.request)
			defer cancel()
			r = r.WithContext(ctx)
		}
		return h(w, r)
	}
}

// within refuses a request beyond the limit of its token or address.
func (g *gateway) within(of, words string) error {
	wait, ok := g.limiter.take(of)
	if ok {
		return nil
	}
	g.limited.Inc()
	if g.silent {
		wait = 0
	}
	return &problem{
		status: http.StatusTooManyRequests,
		text:   fmt.Sprintf("more than %d requests a minute %s", limitRequests, words),
		after:  wait,
	}
}

func (g *gateway) login(w http.ResponseWriter, r *http.Request) error {
	l, err := g.input.readLogin(w, r)
	if err == nil {
		err = g.proves(r, l)
	}
	if err != nil {
		return err
	}
	token, err := g.issue(r, l.User)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, tokenView{token})
	return nil
}

// export passes a batch on to posts. It has no deadline.
func (g *gateway) export(w http.ResponseWriter, r *http.Request) error {
	rep, err := g.posts.pick(call{}, nil).send(r.Context(), call{method: http.MethodGet, path: "/export"}, 0)
	return g.pass(w, r, postsName, rep, err)
}

// A postView is a client's view of a post.
type postView struct {
	ID     string `json:"id"`
	Author user   `json:"author"`
	Text   string `json:"text"`
}

type pageView struct {
	Items []postView `json:"items"`
	Page  int        `json:"page"`
}

func (g *gateway) list(w http.ResponseWriter, r *http.Request) error {
	n, err := pageOf(r)
	if err != nil {
		return err
	}
	var p page
	q := call{path: "/posts", query: "page=" + strconv.Itoa(n)}
	if key := r.URL.Query().Get("key"); key != "" {
		q.query = url.Values{"key": {key}}.Encode()
	}
	switch size, err := g.input.sizeOf(r); {
	case err != nil:
		return err
	case size != pageItems:
		q.query += "&size=" + strconv.Itoa(size)
	}
	if err := g.fetch(w, r, q, &p); err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, pageView{Items: g.views(r.Context(), p.Items), Page: p.Page})
	return nil
}

func (g *gateway) read(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if !validID(id) {
		return noSuchPost
	}
	if g.missing.has(id) {
		g.absent.Inc()
		return noSuchPost
	}
	var p post
	if err := g.fetch(w, r, call{path: "/posts/" + id}, &p); err != nil {
		if refusal, ok := errors.AsType[*problem](err); ok && refusal.status == http.StatusNotFound {
			g.missing.add(id)
		}
		return err
	}
	writeJSON(w, http.StatusOK, g.views(r.Context(), []post{p})[0])
	return nil
}

func (g *gateway) write(w http.ResponseWriter, r *http.Request) error {
	if err := g.fresh(r); err != nil {
		return err
	}
	_, q, err := g.input.readPostCall(w, r)
	if err != nil {
		return err
	}
	// subtle: a retry is not safe unless the store deduplicates posts by their keys. The gateway
	// can't check that; the scenario's author decides it.
	q = g.origin(r, q)
	rep, err := g.retrier.send(r.Context(), g.posts, q, g.limits.posts, g.rewrite)
	if err := g.explain(r.Context(), postsName, rep, err); err != nil {
		return err
	}
	g.keep(w, q, rep)
	g.writers.add(tokenOf(r))
	writeBody(w, http.StatusCreated, rep.body)
	return nil
}

func (g *gateway) user(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if !validID(id) {
		return noSuchUser
	}
	rep, err := g.users.send(r.Context(), call{method: http.MethodGet, path: "/users/" + id}, g.limits.users)
	return g.pass(w, r, usersName, rep, err)
}

// pass gives a client the answer of a service as it is, or the error for a failed call.
func (g *gateway) pass(w http.ResponseWriter, r *http.Request, service string, rep reply, err error) error {
	if err := g.explain(r.Context(), service, rep, err); err != nil {
		return err
	}
	writeBody(w, rep.status, rep.body)
	return nil
}

// fetch reads from the posts service, and retries if that may help.
func (g *gateway) fetch(w http.ResponseWriter, r *http.Request, q call, into any) error {
	ctx := r.Context()
	q.method = http.MethodGet
	q = g.origin(r, q)
	q.fresh = g.writers.has(tokenOf(r))
	rep, err := g.flights.do(ctx, g.flight(q), func(ctx context.Context) (reply, error) {
		return g.cache.do(ctx, q, func() (reply, error) { return g.retrier.send(ctx, g.posts, q, g.limits.posts, true) })
	})
	if rep.version != "" {
		w.Header().Set(versionHeader, rep.version)
	}
	if err := g.explain(ctx, postsName, rep, err); err != nil {
		return err
	}
	g.keep(w, q, rep)
	d := json.NewDecoder(bytes.NewReader(rep.body))
	if g.strict {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(into); err != nil {
		g.problems.warn("unreadable answer", "of", postsName, "error", err)
		return &problem{status: http.StatusBadGateway, text: "posts answered something unreadable"}
	}
	return nil
}

// flight returns the key of a mergeable request: its query, and the replica that it goes to if that
// depends on the client.
func (g *gateway) flight(q call) string {
	key := strconv.Itoa(q.stay)
	if g.posts.by == ipHash {
		key += " " + q.client
	}
	if q.fresh {
		key += " fresh"
	}
	return key + " " + q.path + "?" + q.query
}

// views adds the authors' names to posts, with one request to the users service. If that does not
// answer in time, the posts have only ids: a missing name should not fail a read.
func (g *gateway) views(ctx context.Context, posts []post) []postView {
	names := g.names(ctx, posts)
	views := make([]postView, len(posts))
	for i, p := range posts {
		views[i] = postView{ID: p.ID, Author: user{ID: p.Author, Name: names[p.Author]}, Text: p.Text}
	}
	return views
}

func (g *gateway) names(ctx context.Context, posts []post) map[string]string {
	if g.unnamable {
		return nil
	}
	ids := make([]string, len(posts))
	for i, p := range posts {
		ids[i] = p.Author
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	q := call{method: http.MethodGet, path: "/users", query: "ids=" + strings.Join(ids, ",")}
	rep, err := g.flights.do(ctx, "users?"+q.query, func(ctx context.Context) (reply, error) {
		return g.users.send(ctx, q, g.limits.users)
	})
	var known userList
	if err == nil && rep.status == http.StatusOK {
		err = json.Unmarshal(rep.body, &known)
	}
	if gone(ctx) {
		return nil
	}
	if err != nil || rep.status != http.StatusOK {
		g.unnamed.Inc()
		g.problems.warn("no names", "status", rep.status, "error", errText(err), "trace_id", traceIn(ctx).id)
		return nil
	}
	names := make(map[string]string, len(known.Users))
	for _, u := range known.Users {
		names[u.ID] = u.Name
	}
	return names
}

// explain returns the client's error for a failed call to a service; nil if the call succeeded.
func (g *gateway) explain(ctx context.Context, service string, rep reply, err error) error {
	if err == nil && rep.status < 300 {
		return nil
	}
	if gone(ctx) {
		return clientGone
	}
	if err == nil && rep.status >= 400 && rep.status < 500 {
		var refusal struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(rep.body, &refusal) != nil || refusal.Error == "" {
			refusal.Error = fmt.Sprintf("%s answered %d", service, rep.status)
		}
		return &problem{status: rep.status, text: refusal.Error}
	}
	g.problems.warn("call failed", "of", service, "status", rep.status, "error", errText(err), "trace_id", traceIn(ctx).id)
	switch {
	case errors.Is(err, errOpen):
		return &problem{
			status: http.StatusServiceUnavailable,
			text:   service + " is not asked for now: its circuit breaker is open", after: breakerRest,
		}
	case err != nil && timedOut(err):
		return &problem{status: http.StatusGatewayTimeout, text: service + " took too long"}
	case err != nil:
		return &problem{status: http.StatusBadGateway, text: service + " gave no answer"}
	}
	return &problem{
		status: max(rep.status, http.StatusInternalServerError), text: fmt.Sprintf("%s answered %d", service, rep.status),
	}
}

// statusGone is the status in the metrics for requests whose client did not wait, as in nginx. It
// is never sent.
const statusGone = 499

var (
	clientGone = &problem{status: statusGone, text: "the client went away"}
	noToken    = &problem{status: http.StatusUnauthorized, text: "this needs a token: POST /login gives one"}
)

func gone(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
