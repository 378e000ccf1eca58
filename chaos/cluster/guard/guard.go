package guard

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/journal"
	"brunt/chaos/kube"
	"brunt/scenarios/quantity"
)

// A Guard is the watchdog's program in the cluster, with its arguments.
type Guard struct {
	Run, Namespace string
	Patience       time.Duration // without a renewal of the Lease, until it reverts everything
	Linger         time.Duration // without a renewal and an open entry, until it removes everything
	Most           time.Duration // after which it reverts everything in any case
	Log            io.Writer
	Key            ed25519.PublicKey // of the run, as brunt told it; nil: it has no agents
}

// Durations of the watchdog in the cluster.
const (
	headStart  = 3 * time.Second  // for a living brunt, which reverts its faults in order and proves that
	mostSilent = 5 * every / 2    // the most that counts as silence between two checks: without answers it is unknown
	againIn    = 2 * time.Second  // pause before the next attempt at an entry
	dyingFor   = 20 * time.Second // to revert everything when the pod ends with its Job
)

// serving is the state of a watchdog.
type serving struct {
	Guard
	c     *kube.Cluster
	began time.Time
	name  string

	book    *book // as last read; nil: not read yet
	renewed string
	checked time.Time     // time of the last look at the Lease
	silence time.Duration // time without a renewal by brunt
	n       int
	stop    string // why everything is to be reverted
	since   time.Time
	due     map[int]time.Time // deadlines of entries, by its own clock
	again   map[int]time.Time // when to try failed entries again
	away    bool
}

// Serve guards the run until none of its objects is left. When ctx ends it returns, but reverts everything first if its
// Job is gone too.
func (g Guard) Serve(ctx context.Context, c *kube.Cluster) error {
	s := &serving{
		Guard: g, c: c, name: nameOf(g.Run), began: time.Now(), checked: time.Now(), due: map[int]time.Time{},
		again: map[int]time.Time{},
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		err := s.check(ctx)
		switch {
		case errors.Is(err, errNoJournal):
			s.say("%v: there is nothing more to guard", err)
			return nil
		case err != nil && !s.away:
			s.away = true
			s.say("%v", err)
		case err == nil && s.away:
			s.away = false
			s.say("the cluster answers again")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return s.dying(context.WithoutCancel(ctx))
		}
	}
}

func (s *serving) say(format string, args ...any) {
	fmt.Fprintf(s.Log, time.Now().UTC().Format(time.RFC3339)+" "+format+"\n", args...)
}

func (s *serving) lease() kube.Objects[kube.Raw] {
	return kube.Like(s.c, kube.Ref{API: leases + "/v1", Resource: "leases", Namespace: s.Namespace})
}

// errReplaced ends a watchdog whose pod ends. It is an error, because a Job does not replace a pod that succeeded.
var errReplaced = errors.New("the pod of the watchdog ends, and its Job makes another one")

// dying reverts everything if the pod ends because its Job was deleted: then no other pod replaces it.
func (s *serving) dying(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dyingFor)
	defer cancel()
	job, err := kube.Jobs(s.c, s.Namespace).Get(ctx, s.name)
	if err != nil && !kube.Is(err, kube.NotFound) || err == nil && job.DeletionTimestamp == nil {
		return errors.Join(errReplaced, err)
	}
	if err := s.read(ctx); err != nil {
		return err
	}
	s.stop, s.silence = fmt.Sprintf("the job %s was deleted", s.name), s.Patience
	return errors.Join(s.act(ctx), s.tell(ctx))
}

// read reads the journal.
func (s *serving) read(ctx context.Context) error {
	object, err := kube.ConfigMaps(s.c, s.Namespace).Get(ctx, s.name)
	if kube.Is(err, kube.NotFound) {
		return errNoJournal
	}
	if err != nil {
		return err
	}
	s.book, err = read(object)
	s.book.from.Key = s.Key
	return err
}

// check reads the Lease and the journal, and acts.
func (s *serving) check(ctx context.Context) error {
	if err := s.read(ctx); err != nil && (s.book == nil || errors.Is(err, errNoJournal) || kube.Away(err)) {
		return err
	}
	lease, err := s.lease().Get(ctx, s.name)
	now := time.Now()
	switch {
	case kube.Is(err, kube.NotFound):
		s.stopFor(fmt.Sprintf("the lease %s was deleted", s.name))
	case err != nil:
		return err
	default:
		s.hear(lease)
	}
	s.silence += min(now.Sub(s.checked), mostSilent)
	s.checked = now
	if err == nil {
		if is := lease.Text("spec", "renewTime"); is != s.renewed {
			s.renewed, s.silence = is, 0
		}
	}
	if ns, err := kube.Namespaces(s.c).Get(ctx, s.Namespace); err == nil && ns.Annotations[stopMark] != "" {
		s.stopFor(fmt.Sprintf("the namespace %s was annotated with %s=%s", s.Namespace, stopMark, ns.Annotations[stopMark]))
	}
	if s.Most > 0 && now.Sub(s.began) > s.Most {
		s.stopFor(fmt.Sprintf("its run takes longer than %s", quantity.FormatDuration(s.Most)))
	}
	if err := s.act(ctx); err != nil {
		return err
	}
	if len(s.book.open) == 0 && s.silence >= s.Linger {
		s.say("brunt was not heard of for %s, and nothing is left to take back: it removes everything",
			quantity.FormatDuration(s.Linger))
		if err := remove(ctx, s.c, s.book); err != nil {
			return err
		}
		return errNoJournal
	}
	return s.tell(ctx)
}

// hear reads the wish of a person from the Lease.
func (s *serving) hear(lease *kube.Raw) {
	if how := lease.Text("metadata", "annotations", stopMark); how != "" {
		s.stopFor(fmt.Sprintf("the lease %s was annotated with %s=%s", s.name, stopMark, how))
	}
	if s.n == 0 { // this pod may not be the first of the run
		var was said
		_ = json.Unmarshal([]byte(lease.Text("metadata", "annotations", guardMark)), &was)
		s.n = was.N
	}
}

func (s *serving) stopFor(why string) {
	if s.stop == "" {
		s.stop, s.since = why, time.Now()
		s.say("%s", why)
	}
}

// act reverts the entries that are due, the last first. A failed entry is tried again at a later check.
func (s *serving) act(ctx context.Context) error {
	now := time.Now()
	var errs []error
	for i := range slices.Backward(s.book.open) {
		e := &s.book.open[i]
		why := s.why(e, now)
		if why == "" || now.Before(s.again[e.ID]) {
			continue
		}
		out, err := s.book.revert(ctx, s.c, e, why)
		if err != nil {
			s.again[e.ID] = now.Add(againIn)
			s.say("%s: %s: could not be taken back: %v", why, e.What, err)
			errs = append(errs, err)
			continue
		}
		s.say("%s: %s: taken back (%s)", why, e.What, out)
		s.book.taken[e.ID] = Taken{Time: now, What: e.What, Outcome: out, Why: why}
	}
	s.book.open = slices.DeleteFunc(s.book.open,
		func(e journal.Pending) bool { _, taken := s.book.taken[e.ID]; return taken })
	return chaos.JoinErrors(errs...)
}

// why returns why an entry is to be reverted now; empty: it is not.
func (s *serving) why(e *journal.Pending, now time.Time) string {
	if _, known := s.due[e.ID]; !known && !e.Deadline.IsZero() { // only brunt's clock knows how long that is
		s.due[e.ID] = now.Add(max(0, e.Deadline.Sub(e.Time)) + s.Patience)
	}
	due, has := s.due[e.ID]
	switch {
	case s.stop != "" && (now.Sub(s.since) >= headStart || s.silence >= headStart):
		return s.stop
	case s.silence >= s.Patience:
		return "brunt was not heard of for " + quantity.FormatSeconds(s.silence.Seconds())
	case has && now.After(due):
		return "it is past its deadline"
	}
	return ""
}

// tell writes into the Lease that the watchdog works, and what it has reverted.
func (s *serving) tell(ctx context.Context) error {
	s.n++
	is := said{N: s.n, Stop: s.stop}
	for id := range s.book.taken {
		is.Taken = append(is.Taken, id)
	}
	slices.Sort(is.Taken)
	_, err := s.lease().Patch(ctx, s.name, kube.Change{
		Op: "add", Path: "/metadata/annotations/brunt.dev~1watchdog", Value: string(cluster.JSON(is)),
	})
	if kube.Is(err, kube.NotFound) || kube.Is(err, kube.Invalid) { // the Lease was deleted, or all of its annotations
		return nil
	}
	return err
}
