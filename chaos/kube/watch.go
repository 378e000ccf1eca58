package kube

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// An Event reports a change of an object.
type Event[T any] struct {
	Object T    // its present state, or the last known one
	Gone   bool // the object is deleted
}

// Bounds of a watch.
const (
	watchFor    = 4 * time.Minute        // time after which the API server ends the watch
	watchAgain  = 250 * time.Millisecond // between attempts, ± 50 %, at first
	mostAgain   = 5 * time.Second        // later
	mostEvent   = 16 << 20               // bytes
	silentWatch = 90 * time.Second       // time after which it starts again: the API server sends a bookmark each minute
)

// Watch calls do with every object that a query selects, then with each change, until do returns false or ctx ends.
// After an outage of the API server, or if its history is too short, it lists the objects again, and also reports those
// that are gone meanwhile. It returns the error of a refused request, or the cause of ctx's end.
func (o Objects[T]) Watch(ctx context.Context, q Query, do func(Event[T]) bool) error {
	return o.WatchOn(ctx, q, nil, do)
}

// WatchOn is [Objects.Watch] for a caller that already knows some objects: it also reports those of them as gone that
// no longer exist when it begins.
func (o Objects[T]) WatchOn(ctx context.Context, q Query, had []T, do func(Event[T]) bool) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	w := &watcher[T]{Objects: o, q: q, do: do, known: map[string]T{}, had: map[string]bool{}}
	for i := range had {
		id, _ := identity(&had[i])
		w.known[id], w.had[id] = had[i], true
	}
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = watchAgain, mostAgain
	for {
		version, err := w.sync(ctx)
		for err == nil && !w.over { // until the history is too short
			version, err = w.follow(ctx, version)
			if err == nil || Is(err, Expired) {
				pause.Reset()
			}
		}
		switch {
		case w.over:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case Answered(err) && !Is(err, Expired):
			return err
		}
		select {
		case <-time.After(pause.NextBackOff()):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// A watcher is a watch of objects.
type watcher[T any] struct {
	Objects[T]
	q     Query
	do    func(Event[T]) bool
	known map[string]T    // by UID
	had   map[string]bool // known objects that were not reported yet
	over  bool            // do wants no more
}

// tell calls do with an event.
func (w *watcher[T]) tell(e Event[T]) {
	id, _ := identity(&e.Object)
	if _, had := w.known[id]; e.Gone {
		if !had {
			return
		}
		delete(w.known, id)
	} else {
		w.known[id] = e.Object
	}
	delete(w.had, id)
	w.over = w.over || !w.do(e)
}

// identity returns the UID and the version of an object.
func identity[T any](object *T) (uid, version string) {
	if m, ok := any(object).(interface {
		GetUID() UID
		GetResourceVersion() string
	}); ok {
		return string(m.GetUID()), m.GetResourceVersion()
	}
	return "", ""
}

// sync lists the objects, reports which are gone, new or changed, and returns the version of the list. It reports gone
// objects first, because a controller replaces an object only after it is gone: otherwise a count would hide that one
// was missing.
func (w *watcher[T]) sync(ctx context.Context) (string, error) {
	list, version, err := w.list(ctx, w.q)
	if err != nil {
		return "", err
	}
	there := map[string]bool{}
	for i := range list {
		id, _ := identity(&list[i])
		there[id] = true
	}
	for id, old := range w.known {
		if !there[id] {
			if w.tell(Event[T]{Object: old, Gone: true}); w.over {
				return "", nil
			}
		}
	}
	for i := range list {
		id, now := identity(&list[i])
		if old, had := w.known[id]; had {
			if _, was := identity(&old); was == now && !w.had[id] {
				continue
			}
		}
		if w.tell(Event[T]{Object: list[i]}); w.over {
			return "", nil
		}
	}
	return version, nil
}

// follow reports the changes after a version, until the API server ends the watch, and returns the last version.
func (w *watcher[T]) follow(ctx context.Context, version string) (string, error) {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	silent := time.AfterFunc(silentWatch, func() { end(fmt.Errorf("the API server sent nothing for %s", silentWatch)) })
	defer silent.Stop()
	v := w.q.values()
	v.Set("watch", "1")
	v.Set("allowWatchBookmarks", "true")
	v.Set("resourceVersion", version)
	v.Set("timeoutSeconds", fmt.Sprint(int(watchFor/time.Second)))
	res, err := w.c.send(ctx, call{method: http.MethodGet, path: w.path, query: v})
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
		return "", errorOf(res.StatusCode, text)
	}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, mostEvent)
	for lines.Scan() {
		silent.Reset(silentWatch)
		var e struct {
			Type   string          `json:"type"`
			Object json.RawMessage `json:"object"`
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return "", fmt.Errorf("an event of %s: %w", w.path, err)
		}
		if e.Type == "ERROR" {
			var s status
			_ = json.Unmarshal(e.Object, &s)
			return "", errorOf(s.Code, e.Object)
		}
		var object T
		if err := decode(e.Object, &object); err != nil {
			return "", fmt.Errorf("an event of %s: %w", w.path, err)
		}
		_, version = identity(&object)
		if e.Type == "BOOKMARK" {
			continue
		}
		if w.tell(Event[T]{Object: object, Gone: e.Type == "DELETED"}); w.over {
			return version, nil
		}
	}
	if err := lines.Err(); err != nil {
		return "", w.c.unreachable(ctx, err)
	}
	return version, nil
}
