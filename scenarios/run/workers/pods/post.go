package pods

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"brunt/chaos/kube"
	"brunt/chaos/rpc"
	"brunt/scenarios/result"
)

// Time limits for the end of a pod.
const (
	killWithin = 10 * time.Second
	seenWithin = 3 * time.Second // until the cluster reports how a pod ended
)

// A post is a worker in a pod.
type post struct {
	*rpc.LastingConn
	h     *Hirer
	pod   string
	uid   string
	node  string
	ended chan struct{}

	once sync.Once
	why  error // how the pod ended; valid once ended is closed
}

func (p *post) Name() string { return "pod " + p.pod + " on " + p.node }

func (p *post) Describe(w *result.Worker) { w.Pod, w.Node = p.pod, p.node }

func (p *post) Ended() <-chan struct{} { return p.ended }

// see records a change of the pod.
func (p *post) see(e kube.Event[kube.Pod]) {
	over := e.Gone || e.Object.Status.Phase == kube.PodFailed || e.Object.Status.Phase == kube.PodSucceeded
	if !over {
		return
	}
	p.once.Do(func() {
		if p.why = ending(&e.Object); p.why != nil {
			p.Abort(p.why)
		}
		close(p.ended)
	})
}

func (p *post) Why() error {
	select {
	case <-p.ended:
		return p.why
	case <-time.After(seenWithin):
		return nil
	}
}

func (p *post) Kill() {
	p.Abort(errors.New("the run ended it"))
	select {
	case <-p.ended:
		return
	default:
	}
	ctx, cancel := context.WithTimeout(context.Background(), killWithin)
	defer cancel()
	err := kube.Pods(p.h.cluster, p.h.s.Namespace).Delete(ctx, p.pod, kube.Deletion{UID: p.uid, Now: true})
	if err != nil && !kube.Is(err, kube.NotFound) && !kube.Is(err, kube.Conflict) {
		p.h.note(fmt.Errorf("end the pod %s: %w", p.pod, err))
		return
	}
	select {
	case <-p.ended:
	case <-ctx.Done():
	}
}
