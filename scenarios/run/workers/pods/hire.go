package pods

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/chaos/rpc"
	"brunt/scenarios/quantity"
	"brunt/scenarios/run/workers"
	"brunt/scenarios/syntax"
)

// Times of hiring.
const (
	pollEvery = 500 * time.Millisecond // interval of checks what pods wait for
	askFor    = 5 * time.Second        // time limit for asking why a pod does not run
	makeFor   = 30 * time.Second       // time limit for the creation of a Job
	// removeFor is the time limit for the removal of a Job: after an outage, the controllers of a cluster take up to
	// a minute to go on
	removeFor   = 2 * time.Minute
	removeAgain = 500 * time.Millisecond
)

// A Hirer starts workers in a cluster. It can hire only once.
type Hirer struct {
	cluster *kube.Cluster
	s       Settings
	uid     string // UID of the Job; empty if there is none
	end     context.CancelFunc
	watched chan struct{}

	mu     sync.Mutex
	pods   map[int]kube.Pod // last known state of the pods, by index
	posts  map[int]*post
	news   chan struct{} // closed at the next news of a pod
	broken error         // why the pods are no longer watched
	notes  []error       // errors about objects that could not be ended
}

// New prepares to hire in a cluster. The caller must call Dismiss.
func New(c *kube.Cluster, s Settings) *Hirer {
	return &Hirer{
		cluster: c, s: s, pods: map[int]kube.Pod{}, posts: map[int]*post{}, news: make(chan struct{}), end: func() {},
	}
}

// conversationOf returns the name of a worker's conversation, which both ends sign and verify.
func conversationOf(run string, index int) string { return run + "/" + strconv.Itoa(index) }

func (h *Hirer) Hire(ctx context.Context, n int) ([]workers.Post, error) {
	if err := h.cluster.Require(ctx, rights(h.s.Namespace)); err != nil {
		if lack, ok := errors.AsType[kube.LackingError](err); ok {
			err = lack.Explain(Uses(h.s.Namespace))
		}
		return nil, err
	}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	// not canceled by ctx: otherwise an interrupt could leave a Job that brunt does not know of
	making, made := context.WithTimeout(context.WithoutCancel(ctx), makeFor)
	job, err := kube.Jobs(h.cluster, h.s.Namespace).Create(making, h.s.job(n, hex.EncodeToString(public)), false)
	made()
	if err != nil {
		return nil, fmt.Errorf("create the Job of the workers in the namespace %s: %w", h.s.Namespace, err)
	}
	h.uid = string(job.UID)
	h.watch(ctx)
	limited, cancel := context.WithTimeoutCause(ctx, h.s.Join.D(), errJoin)
	defer cancel()
	limited, fail := context.WithCancelCause(limited)
	defer fail(nil)
	out, errs := make([]workers.Post, n), make([]error, n)
	var all sync.WaitGroup
	for k := range n {
		all.Go(func() {
			p, err := h.join(limited, k, private)
			if errs[k] = err; err != nil {
				if errors.As(err, new(hopelessError)) {
					fail(err)
				}
				return
			}
			out[k] = p
		})
	}
	all.Wait()
	if err := h.missing(ctx, errs); err != nil {
		for _, p := range out {
			if p != nil {
				_ = p.Close()
			}
		}
		return nil, err
	}
	return out, nil
}

var errInOrder = errors.New("in order, before it joined")

var errJoin = errors.New("the time to join is over")

// A hopelessError says that a worker will never join.
type hopelessError struct{ error }

// missing names the workers that have not joined, and the reason for each.
func (h *Hirer) missing(ctx context.Context, errs []error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	var lines []string
	first := error(nil)
	for k, err := range errs {
		if err != nil {
			lines = append(lines, fmt.Sprintf("worker %d: %v", k+1, err))
			if errors.As(err, new(hopelessError)) && first == nil {
				first = fmt.Errorf("worker %d of %d can't run: %w", k+1, len(errs), err)
			}
		}
	}
	switch {
	case first != nil:
		return first
	case len(lines) == 0:
		return nil
	}
	return fmt.Errorf("%s of %d joined within %s; %s", syntax.Amount(len(errs)-len(lines), "worker"), len(errs),
		quantity.FormatDuration(h.s.Join.D()), strings.Join(lines, "; "))
}

// join waits until a pod runs, and begins the conversation with it.
func (h *Hirer) join(ctx context.Context, k int, key ed25519.PrivateKey) (*post, error) {
	pod, err := h.running(ctx, k)
	if err != nil {
		return nil, err
	}
	p := &post{h: h, pod: pod.Name, uid: string(pod.UID), node: pod.Spec.NodeName, ended: make(chan struct{})}
	dial := func(ctx context.Context) (net.Conn, error) { return h.cluster.Dial(ctx, h.s.Namespace, pod.Name, port) }
	o := rpc.LastingOptions{Name: conversationOf(h.s.Run, k), Patience: h.s.Patience.D()}
	p.LastingConn, err = rpc.DialLasting(ctx, dial, key, o)
	if err != nil {
		return nil, fmt.Errorf("the pod %s runs on %s, and can't be spoken to: %w", pod.Name, pod.Spec.NodeName, err)
	}
	h.mu.Lock()
	h.posts[k] = p
	now := h.pods[k]
	h.mu.Unlock()
	p.see(kube.Event[kube.Pod]{Object: now})
	return p, nil
}

// running waits until the pod of a worker runs.
func (h *Hirer) running(ctx context.Context, k int) (*kube.Pod, error) {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		h.mu.Lock()
		pod, there := h.pods[k]
		news, broken := h.news, h.broken
		h.mu.Unlock()
		why, sure := "", false
		switch {
		case broken != nil:
			return nil, hopelessError{fmt.Errorf("watch the pods: %w", broken)}
		case !there:
			why, sure = h.unmade(ctx)
		case pod.Status.Phase == kube.PodRunning:
			return &pod, nil
		case pod.Status.Phase == kube.PodFailed || pod.Status.Phase == kube.PodSucceeded:
			return nil, hopelessError{fmt.Errorf("the pod %s ended: %w", pod.Name, cmp.Or(ending(&pod), errInOrder))}
		default:
			why, sure = waiting(&pod)
			why = "the pod " + pod.Name + " is " + string(pod.Status.Phase) + ": " + why
		}
		if sure {
			return nil, hopelessError{errors.New(why + h.hint(why))}
		}
		select {
		case <-news:
		case <-poll.C:
		case <-ctx.Done():
			if there {
				why = join(why, h.lastEvent(ctx, string(pod.UID), func(*kube.ObjectEvent) bool { return true }))
			}
			return nil, errors.New(why + h.hint(why))
		}
	}
}

// hint says how to get an image to the nodes, if the image is missing.
func (h *Hirer) hint(why string) string {
	if strings.Contains(why, "Image") || strings.Contains(why, "image") {
		return fmt.Sprintf(" (the image is %s: `brunt image` writes it, and says how a cluster gets it; workers.image "+
			"names another)", h.s.Image)
	}
	return ""
}

// unmade says why there is no pod, by the events of the Job.
func (h *Hirer) unmade(ctx context.Context) (why string, sure bool) {
	why = h.lastEvent(ctx, h.uid, func(e *kube.ObjectEvent) bool { return e.Type == kube.EventTypeWarning })
	if why == "" {
		return "there is no pod yet", false
	}
	return why, slices.ContainsFunc(refusals, func(r string) bool { return strings.Contains(why, r) })
}

// lastEvent returns the text of the last event of an object for which wanted is true; empty if none is known.
func (h *Hirer) lastEvent(ctx context.Context, uid string, wanted func(e *kube.ObjectEvent) bool) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askFor)
	defer cancel()
	events, err := kube.Events(h.cluster, h.s.Namespace).List(ctx, kube.Query{Fields: "involvedObject.uid=" + uid})
	if err != nil {
		return ""
	}
	slices.SortStableFunc(events, func(a, b kube.ObjectEvent) int { return a.LastTimestamp.Compare(b.LastTimestamp.Time) })
	for i := range slices.Backward(events) {
		if wanted(&events[i]) {
			return join(events[i].Reason, events[i].Message)
		}
	}
	return ""
}

// watch keeps the pods up to date until Dismiss.
func (h *Hirer) watch(ctx context.Context) {
	ctx, h.end = context.WithCancel(context.WithoutCancel(ctx))
	h.watched = make(chan struct{})
	go func() {
		defer close(h.watched)
		err := kube.Pods(h.cluster, h.s.Namespace).Watch(ctx, kube.Query{Labels: cluster.RunLabel + "=" + h.s.Run}, h.see)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.broken = err
		h.tell()
	}()
}

// tell wakes goroutines that wait for news. The caller holds mu.
func (h *Hirer) tell() {
	close(h.news)
	h.news = make(chan struct{})
}

// see records a change of a pod.
func (h *Hirer) see(e kube.Event[kube.Pod]) bool {
	k, err := strconv.Atoi(e.Object.Labels[labelIndex])
	if err != nil {
		return true
	}
	h.mu.Lock()
	p := h.posts[k]
	if e.Gone {
		if h.pods[k].UID == e.Object.UID {
			delete(h.pods, k)
		}
	} else {
		h.pods[k] = e.Object
	}
	h.tell()
	h.mu.Unlock()
	if p != nil && p.uid == string(e.Object.UID) {
		p.see(e)
	}
	return true
}

// note keeps an error about the end for Dismiss.
func (h *Hirer) note(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notes = append(h.notes, err)
}

// Dismiss implements [workers.Hirer]: it deletes the Job, and waits until its pods are gone.
func (h *Hirer) Dismiss() error {
	defer h.cluster.Close()
	if h.uid == "" {
		return nil
	}
	defer func() { h.end(); <-h.watched }()
	ctx, cancel := context.WithTimeout(context.Background(), removeFor)
	defer cancel()
	for {
		err := kube.Jobs(h.cluster, h.s.Namespace).Delete(ctx, h.s.name(), kube.Deletion{UID: h.uid})
		switch {
		case err == nil, kube.Is(err, kube.NotFound), kube.Is(err, kube.Conflict):
			return h.gone(ctx)
		case kube.Answered(err) || ctx.Err() != nil:
			return h.left(err)
		}
		select {
		case <-time.After(removeAgain):
		case <-ctx.Done():
		}
	}
}

// gone waits until all pods of the run are gone.
func (h *Hirer) gone(ctx context.Context) error {
	for {
		h.mu.Lock()
		n, news := len(h.pods), h.news
		h.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return h.left(fmt.Errorf("%s are still there", syntax.Amount(n, "pod")))
		}
	}
}

// left says which objects are left in the cluster, and how to remove them.
func (h *Hirer) left(err error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Errorf("the Job %s of the workers is left in the namespace %s: %w; its pods end after %s without a run, "+
		"and the cluster removes it %s later; "+
		"kubectl delete job -n %[2]s %[1]s does so at once", h.s.name(), h.s.Namespace,
		errors.Join(append(slices.Clone(h.notes), err)...),
		quantity.FormatDuration(h.s.Patience.D()), quantity.FormatDuration(keptFor))
}
