package demo

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	noticeQueue   = 1024 // notices that wait; more are dropped
	noticeWorkers = 4
)

// A notifier sends notices of new posts to the notifications service in the background. No request
// waits for it, and it counts and drops a notice that can't be delivered.
//
// A nil notifier sends nothing.
type notifier struct {
	relay    *relay // nil: notices are sent once, when the post is written
	problems *sampler
	client   *client
	addr     string
	timeout  time.Duration // of one notice; 0: none
	count    *prometheus.CounterVec

	queue   chan queued // never closed: an interrupted request may still write to it
	quit    chan struct{}
	cancel  context.CancelFunc
	workers sync.WaitGroup
}

type queued struct {
	notice notice
	trace  trace
}

func newNotifier(p parts, c *client, addr string, timeout time.Duration) *notifier {
	return &notifier{
		problems: newSampler(p.log),
		client:   c,
		addr:     addr,
		timeout:  timeout,
		count: p.metrics.auto.NewCounterVec(prometheus.CounterOpts{
			Name: "socialconnect_notices_total",
			Help: "Notices of new posts: sent, failed, dropped as the queue was full, or dead letters.",
		}, []string{"result"}),
		queue: make(chan queued, noticeQueue),
		quit:  make(chan struct{}),
	}
}

// tell queues a notice, or drops it if too many wait. It never blocks.
func (n *notifier) tell(t trace, note notice) {
	if n == nil || n.relay != nil {
		return // the store has it in its outbox
	}
	select {
	case n.queue <- queued{note, t}:
	default:
		n.count.WithLabelValues("dropped").Inc()
		n.problems.warn("notice dropped", "waiting", noticeQueue)
	}
}

func (n *notifier) start() {
	if n == nil {
		return
	}
	var ctx context.Context
	ctx, n.cancel = context.WithCancel(context.Background())
	if n.relay != nil {
		n.workers.Go(func() { n.relayAll(ctx) })
	}
	for range noticeWorkers {
		n.workers.Go(func() { n.work(ctx) })
	}
}

// work sends until quit is closed, and then the queued notices.
func (n *notifier) work(ctx context.Context) {
	for {
		select {
		case q := <-n.queue:
			n.send(ctx, q)
			continue
		default:
		}
		select {
		case q := <-n.queue:
			n.send(ctx, q)
		case <-n.quit:
			return
		}
	}
}

func (n *notifier) send(ctx context.Context, q queued) {
	rep, err := n.deliver(withTrace(ctx, q.trace), q.notice)
	if err == nil && rep.status < 300 {
		n.count.WithLabelValues("sent").Inc()
		return
	}
	n.problems.warn("notice failed", "status", rep.status, "error", errText(err), "trace_id", q.trace.id)
	n.count.WithLabelValues("failed").Inc()
}

// deliver makes one call with a notice.
func (n *notifier) deliver(ctx context.Context, note notice) (reply, error) {
	body, err := json.Marshal(note)
	if err != nil {
		return reply{}, err
	}
	return n.client.do(ctx, n.addr, call{method: http.MethodPost, path: "/notifications", body: body}, n.timeout)
}

// stop sends the queued notices until ctx ends.
func (n *notifier) stop(ctx context.Context) {
	if n == nil || n.cancel == nil {
		return
	}
	defer context.AfterFunc(ctx, n.cancel)()
	if n.relay != nil || ctx.Err() != nil {
		n.cancel() // the next start goes on with the outbox; for ctx, AfterFunc might be later than a worker
	}
	close(n.quit)
	n.workers.Wait()
	n.cancel()
}
