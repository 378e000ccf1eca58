package guard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios/quantity"
)

// Durations of the conversation between brunt and its watchdog.
const (
	every    = time.Second      // between renewals of the Lease, and between checks of the watchdog
	patience = 10 * time.Second // without a renewal, until the watchdog acts
	linger   = 5 * time.Minute  // without a renewal and an open entry, until it removes everything
	startFor = time.Minute      // until the watchdog must have started
	askFor   = 5 * time.Second  // bounds a request for which an injection or a revert waits
	freshFor = 3 * time.Second  // a watchdog that was heard of this recently is working
	endFor   = 30 * time.Second // to remove everything at the end
)

// said is the message of a watchdog in the annotation of the Lease.
type said struct {
	N     int    `json:"n"`     // grows with each check
	Taken []int  `json:"taken"` // entries that it has reverted
	Stop  string `json:"stop"`  // why it reverts everything; empty: it does not
}

// A StopError says that a person at the cluster asked to end the faults.
type StopError struct{ How string }

func (e StopError) Error() string { return "stopped at the cluster: " + e.How }

// A Host holds the functions that the watchdog of a run calls. The calls come from one goroutine, or from Check.
type Host struct {
	Ops     chaos.Operations
	Taken   func(entry int, ago time.Duration) // the watchdog has reverted an entry, or may have, about this long ago
	Stopped func(why error)                    // called once: the run has to end
}

// A Watchdog is the end of the cluster's watchdog in brunt.
type Watchdog struct {
	c    *kube.Cluster
	s    Settings
	host Host
	book *kube.ConfigMap
	end  context.CancelFunc
	over sync.WaitGroup
	kick chan struct{} // signals that there are entries to close

	one     sync.Mutex // held while the Lease is renewed
	mu      sync.Mutex
	open    map[int]bool // entries that are in the ConfigMap, or may be
	done    map[int]bool // entries to remove from it
	taken   map[int]bool // reverted entries that were reported
	heard   said
	grew    time.Time // when the watchdog was last heard of
	renewed time.Time // when the cluster last answered
	stopped bool
}

// Start makes the watchdog of a run, and waits until it works. After an error everything is removed again, or the error
// says what is left.
func Start(ctx context.Context, c *kube.Cluster, s Settings, h Host) (*Watchdog, error) {
	w := &Watchdog{
		c: c, s: s, host: h, kick: make(chan struct{}, 1), open: map[int]bool{}, done: map[int]bool{}, taken: map[int]bool{},
		renewed: time.Now(),
	}
	ns, err := kube.Namespaces(c).Get(ctx, s.Place.Namespace)
	if err != nil {
		return nil, err
	}
	if how := ns.Annotations[stopMark]; how != "" {
		return nil, fmt.Errorf("the namespace %s has the annotation %s=%s, which holds faults off; kubectl annotate "+
			"namespace %[1]s %[2]s- removes it",
			ns.Name, stopMark, how)
	}
	if w.book, err = s.make(ctx, c); err == nil {
		err = w.await(ctx)
	}
	if err == nil {
		own, end := context.WithCancel(context.WithoutCancel(ctx))
		w.end = end
		w.over.Go(func() { w.renewals(own) })
		return w, nil
	}
	if w.book != nil {
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), endFor)
		defer cancel()
		if rerr := remove(undo, c, &book{object: w.book, run: s.run()}); rerr != nil {
			err = fmt.Errorf("%w; it is left there, and kubectl delete configmap -n %s %s removes it: %w", err,
				s.Place.Namespace, w.book.Name, rerr)
		}
	}
	return nil, err
}

// Lever returns the command with which a person at the cluster ends the faults of the run.
func (w *Watchdog) Lever() string {
	return fmt.Sprintf("kubectl annotate lease -n %s %s %s=now", w.s.Place.Namespace, nameOf(w.s.Run), stopMark)
}

func (w *Watchdog) lease() kube.Objects[kube.Raw] {
	return kube.Like(w.c, kube.Ref{API: leases + "/v1", Resource: "leases", Namespace: w.s.Place.Namespace})
}

// await waits until the watchdog is heard of.
func (w *Watchdog) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startFor)
	defer cancel()
	why := error(nil)
	_, err := cluster.Until(ctx, func() (string, error) {
		if err := w.renew(ctx); err != nil {
			return "", err
		}
		w.mu.Lock()
		n := w.heard.N
		w.mu.Unlock()
		if n > 0 || why != nil {
			return "", nil
		}
		text, sure := w.waits(ctx)
		if sure {
			why = errors.New(text)
			return "", nil
		}
		return "", errors.New(text)
	})
	if err != nil && ctx.Err() != nil {
		err = fmt.Errorf("it is not there after %s: %w", quantity.FormatDuration(startFor), err)
	}
	return errors.Join(err, why)
}

// renewals renews the Lease, and removes closed entries, until ctx ends.
func (w *Watchdog) renewals(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = w.renew(ctx) // a failed renewal is tried again
		case <-w.kick:
		case <-ctx.Done():
			return
		}
		w.close(ctx)
	}
}

// renew renews the Lease, and reports the watchdog's message in it.
func (w *Watchdog) renew(ctx context.Context) error {
	w.one.Lock()
	defer w.one.Unlock()
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	o, err := w.lease().Patch(ctx, nameOf(w.s.Run),
		kube.Change{Op: "replace", Path: "/spec/renewTime", Value: renewal(time.Now())})
	w.mu.Lock()
	now, before := time.Now(), w.renewed
	if !kube.Away(err) && ctx.Err() == nil {
		w.renewed = now
	}
	w.mu.Unlock()
	switch {
	case kube.Is(err, kube.NotFound) && now.Sub(before) > w.s.patience():
		w.stop(fmt.Errorf("the cluster was not reached for %s, and the watchdog there has ended",
			quantity.FormatSeconds(now.Sub(before).Seconds())))
		return err
	case kube.Is(err, kube.NotFound):
		w.stop(StopError{fmt.Sprintf("the lease %s was deleted", nameOf(w.s.Run))})
		return err
	case err != nil:
		return err
	}
	w.hear(o, now)
	return nil
}

// hear processes the watchdog's message in a Lease.
func (w *Watchdog) hear(o *kube.Raw, now time.Time) {
	var is said
	_ = json.Unmarshal([]byte(o.Text("metadata", "annotations", guardMark)), &is) // an unreadable message says nothing new
	if how := o.Text("metadata", "annotations", stopMark); how != "" {
		is.Stop = fmt.Sprintf("the lease %s was annotated with %s=%s", nameOf(w.s.Run), stopMark, how)
	}
	w.mu.Lock()
	if is.N > w.heard.N {
		w.heard, w.grew = is, now
	}
	var news []int
	for _, id := range is.Taken {
		if !w.taken[id] {
			w.taken[id] = true
			if delete(w.open, id); !w.done[id] {
				news = append(news, id)
			}
			delete(w.done, id)
		}
	}
	w.mu.Unlock()
	if is.Stop != "" { // first: this is the reason why the run ends
		w.stop(StopError{is.Stop})
	}
	for _, id := range news {
		w.host.Taken(id, every)
	}
}

// stop ends the run, once.
func (w *Watchdog) stop(why error) {
	w.mu.Lock()
	was := w.stopped
	w.stopped = true
	w.mu.Unlock()
	if !was && w.host.Stopped != nil {
		w.host.Stopped(why)
	}
}

// Tell writes a line of the journal into the cluster, if a watchdog there can execute it. An intent needs a working
// watchdog.
func (w *Watchdog) Tell(text []byte) error {
	of, line, ours, err := stored(w.host.Ops, text)
	if err != nil {
		return err
	}
	w.mu.Lock()
	known, stopped := w.open[of.ID], w.stopped
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), askFor)
	defer cancel()
	switch {
	case of.Op == "done" && known:
		w.mu.Lock()
		w.done[of.ID] = true
		w.mu.Unlock()
		select {
		case w.kick <- struct{}{}:
		default:
		}
		return nil
	case of.Op == "intent" && ours && stopped:
		return errors.New("the watchdog in the cluster was stopped")
	case of.Op == "intent" && ours:
		if err := w.present(ctx); err != nil {
			return err
		}
		w.mu.Lock()
		w.open[of.ID] = true
		w.mu.Unlock()
		if err = w.write(ctx, added(of.ID, line)...); err != nil { // it may have been written
			w.mu.Lock()
			w.done[of.ID] = true
			w.mu.Unlock()
		}
	case of.Op == "add" && ours:
		err = w.extend(ctx, of.ID, line)
	}
	if err != nil {
		return fmt.Errorf("the journal in the cluster: %w", err)
	}
	return nil
}

// present checks that the watchdog works. It waits a little if the watchdog was not heard of recently.
func (w *Watchdog) present(ctx context.Context) error {
	_, err := cluster.Until(ctx, func() (string, error) {
		w.mu.Lock()
		silent := time.Since(w.grew)
		w.mu.Unlock()
		if silent < freshFor {
			return "", nil
		}
		if err := w.renew(ctx); err != nil {
			return "", err
		}
		return "", fmt.Errorf("the watchdog in the cluster was not heard of for %s: no fault is injected until it is "+
			"there again",
			quantity.FormatSeconds(silent.Seconds()))
	})
	return err
}

func (w *Watchdog) write(ctx context.Context, changes ...kube.Change) error {
	changes = slices.Concat([]kube.Change{{Op: "test", Path: "/metadata/uid", Value: w.book.UID}}, changes)
	_, err := kube.ConfigMaps(w.c, w.s.Place.Namespace).Patch(ctx, w.book.Name, changes...)
	return err
}

// extend adds a line to an entry.
func (w *Watchdog) extend(ctx context.Context, id int, line string) error {
	maps := kube.ConfigMaps(w.c, w.s.Place.Namespace)
	is, err := maps.Get(ctx, w.book.Name)
	if err != nil {
		return err
	}
	at := key(openKey, id)
	was := is.Data[at]
	return w.write(ctx, kube.Change{Op: "test", Path: "/data/" + at, Value: was},
		kube.Change{Op: "replace", Path: "/data/" + at, Value: was + line})
}

// close removes closed entries.
func (w *Watchdog) close(ctx context.Context) {
	w.mu.Lock()
	ids := slices.Sorted(maps.Keys(w.done))
	w.mu.Unlock()
	for _, id := range ids {
		own, cancel := context.WithTimeout(ctx, askFor)
		err := w.write(own, kube.Change{Op: "remove", Path: "/data/" + key(openKey, id)})
		cancel()
		if err != nil && !kube.Is(err, kube.Invalid) && !kube.Is(err, kube.NotFound) { // otherwise it is not there
			return // it is tried again
		}
		w.mu.Lock()
		delete(w.done, id)
		delete(w.open, id)
		w.mu.Unlock()
	}
}

// Check asks what the watchdog reverted while the cluster was not reached. As long as the cluster does not answer,
// brunt says nothing of it: an API server that is away for brunt may be away for the watchdog too.
func (w *Watchdog) Check() {
	w.mu.Lock()
	silent := time.Since(w.renewed)
	w.mu.Unlock()
	if silent < freshFor {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), askFor)
	defer cancel()
	_ = w.renew(ctx) // without an answer it is unknown; the next answer tells it
}

// Stop removes the watchdog, once no entry is open. If an entry could not be reverted, it leaves everything to the
// watchdog, and left is true. The error says what is still there.
func (w *Watchdog) Stop() (left bool, err error) {
	w.end()
	w.over.Wait()
	defer w.c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), endFor)
	defer cancel()
	w.mu.Lock()
	open := len(w.open) - len(w.done)
	w.mu.Unlock()
	if open > 0 {
		return true, fmt.Errorf("the watchdog in the cluster keeps trying to take back the rest: `brunt status --context "+
			"%s --namespace %s` shows it",
			w.s.Place.Context, w.s.Place.Namespace)
	}
	_, err = cluster.Until(ctx, func() (string, error) {
		err := remove(ctx, w.c, &book{object: w.book, run: w.s.run()})
		if err != nil && !kube.Away(err) {
			cancel()
		}
		return "", err
	})
	if err != nil {
		err = fmt.Errorf("the watchdog in the cluster is left, without a fault: %w; it removes itself within %s", err,
			quantity.FormatDuration(linger+patience))
	}
	return false, err
}

// refusals are texts that occur in the messages about pods that the cluster does not admit.
var refusals = []string{"violates PodSecurity", "exceeded quota", "denied the request", "is forbidden"}

// waits says what the pod of the watchdog waits for; sure says that it waits in vain.
func (w *Watchdog) waits(ctx context.Context) (why string, sure bool) {
	ns, run := w.s.Place.Namespace, cluster.RunLabel+"="+w.s.Run
	pods, err := kube.Pods(w.c, ns).List(ctx,
		kube.Query{Labels: run + "," + cluster.PartLabel + "=" + cluster.WatchdogPart})
	if err != nil {
		return err.Error(), false
	}
	if len(pods) == 0 {
		events, err := kube.Events(w.c, ns).List(ctx, kube.Query{Fields: "involvedObject.name=" + nameOf(w.s.Run)})
		for i := range events {
			if events[i].Type == kube.EventTypeWarning && err == nil {
				why = events[i].Reason + ": " + strings.Join(strings.Fields(events[i].Message), " ")
			}
		}
		if why == "" {
			return "it has no pod yet", false
		}
		return why, slices.ContainsFunc(refusals, func(r string) bool { return strings.Contains(why, r) })
	}
	return cluster.WaitsFor(&pods[0], "its pod", w.s.Image)
}
