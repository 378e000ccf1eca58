package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ohler55/ojg/oj"

	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
)

// A hook receives HTTP requests at an address, for the deliveries of its paths.
type hook struct {
	set    *Set
	server *http.Server
	served chan struct{}
	paths  map[string][]*tracker
}

const (
	mostHookBody  = 1 << 20 // bytes
	mostHookHead  = 64 << 10
	hookPatience  = 30 * time.Second // to read a request, once its first byte came
	hookKeepAlive = 2 * time.Minute
)

// openHooks listens at the addresses of all `seen: {http: …}`.
func openHooks(s *Set) (out []source, err error) {
	hooks := map[string]*hook{}
	listeners := map[string]net.Listener{}
	for i, t := range s.trackers {
		if t.spec.Ask != nil {
			continue
		}
		at, path := t.spec.Seen.Hook()
		h, key := hooks[at], at
		if strings.HasSuffix(at, ":0") { // each has a port of its own
			h, key = nil, fmt.Sprint(at, i)
		}
		if h == nil {
			l, err := net.Listen("tcp", at)
			if err != nil {
				for _, opened := range listeners {
					_ = opened.Close()
				}
				return nil, fmt.Errorf("deliveries: %s: %w; name a port that is free, or port 0", t.spec.Name, err)
			}
			h = &hook{set: s, served: make(chan struct{}), paths: map[string][]*tracker{}}
			h.server = &http.Server{
				Handler: h, MaxHeaderBytes: mostHookHead, ReadTimeout: hookPatience, WriteTimeout: hookPatience,
				IdleTimeout: hookKeepAlive,
			}
			hooks[key], listeners[key] = h, l
			out = append(out, h)
		}
		h.paths[path] = append(h.paths[path], t)
		s.seen[i] = "http://" + listeners[key].Addr().String() + path
	}
	for key, h := range hooks { // their paths are complete
		go func() {
			defer close(h.served)
			_ = h.server.Serve(listeners[key]) // the error of a closed listener
		}()
	}
	return out, nil
}

// Hooks returns the URLs at which messages are received, by environment variable of the processes that brunt starts.
func (s *Set) Hooks() map[string]string {
	if s == nil {
		return nil
	}
	out := map[string]string{}
	for i, t := range s.trackers {
		if t.spec.Ask != nil {
			continue
		}
		out["BRUNT_HOOK_"+strings.ToUpper(strings.ReplaceAll(t.spec.Name, "-", "_"))] = s.seen[i]
	}
	return out
}

func (h *hook) Connect(context.Context, *Host) error { return nil }

func (h *hook) Settle(context.Context) {}

func (h *hook) Close() error {
	err := h.server.Close()
	<-h.served
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// ServeHTTP takes a message: it answers 204, 404 on a path of no delivery, 413 if the body is too long, or 422
// if it has
// no id where a delivery looks for one.
func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	of := h.paths[r.URL.Path]
	if len(of) == 0 {
		http.Error(w, "brunt expects nothing here", http.StatusNotFound)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostHookBody))
	if err != nil { // the sender broke off, or sends more than brunt reads
		if errors.As(err, new(*http.MaxBytesError)) {
			for _, t := range of {
				h.set.unread(t)
			}
			http.Error(w, "the body is longer than 1 MiB", http.StatusRequestEntityTooLarge)
		}
		return
	}
	doc, err := oj.Parse(body)
	missing := ""
	see := sighting{at: h.set.now()}
	see.since = see.at
	for _, t := range of {
		if err != nil {
			h.set.unread(t)
		} else if _, readable := h.set.messages(t, doc, see, nil); readable {
			continue
		}
		missing = t.spec.Seen.ID
	}
	if missing != "" {
		http.Error(w, "the body has no "+syntax.Clip(missing, 60), http.StatusUnprocessableEntity)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// messages takes a document with messages that were seen. It returns their number, and reports whether each
// has an id of the delivery; those that have none are counted. Before holds how often each id was in the document so
// far if documents repeat messages, and is nil otherwise.
func (s *Set) messages(t *tracker, doc any, see sighting, before map[uint64]int64) (n int, readable bool) {
	all := []any{doc}
	if t.spec.EachPath != nil {
		all = check.AtPath(doc, t.spec.EachPath)
	}
	readable = true
	for _, one := range all {
		one = parsed(one)
		if !s.message(t, one, see, before) {
			s.unread(t)
			readable = false
		}
	}
	return len(all), readable
}

// parsed returns the value of a text that is a JSON object or list, and every other value unchanged: an id may look
// like a number.
func parsed(v any) any {
	text, is := v.(string)
	if !is || !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return v
	}
	if doc, err := oj.ParseString(text); err == nil {
		return doc
	}
	return v
}

// message takes a message. It reports whether it has an id of the delivery.
func (s *Set) message(t *tracker, doc any, see sighting, before map[uint64]int64) bool {
	found := slices.DeleteFunc(check.AtPath(doc, t.spec.IDPath), func(v any) bool { return v == nil })
	var keys []any
	if t.spec.KeyPath != nil {
		keys = check.AtPath(doc, t.spec.KeyPath)
	}
	for i, id := range found {
		key := ""
		if len(keys) == len(found) {
			key = check.ValueText(keys[i])
		}
		s.sighted(t, check.ValueText(id), key, see, before)
	}
	return len(found) > 0
}
