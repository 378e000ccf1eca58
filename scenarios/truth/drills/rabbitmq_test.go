//go:build linux

package drills

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// A rabbitStore publishes to the queue q by the management API, which waits for the broker's confirm.
type rabbitStore struct {
	client *http.Client
	base   string // of the API, with user and password
	mode   int    // the delivery mode: 2 is persistent

	mu    sync.Mutex
	found map[string]int // what the queue held at read
	read  time.Time
}

func newRabbitStore(addr string, mode int) *rabbitStore {
	return &rabbitStore{base: "http://guest:guest@" + addr + "/api", mode: mode, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}}
}

func (s *rabbitStore) put(ctx context.Context, id string) error {
	var out struct{ Routed bool }
	in := map[string]any{"properties": map[string]int{"delivery_mode": s.mode}, "routing_key": "q", "payload": id, "payload_encoding": "string"}
	if err := callJSON(ctx, s.client, s.base+"/exchanges/%2f/amq.default/publish", in, &out); err != nil {
		return err
	}
	if !out.Routed {
		return errors.New("no queue took it")
	}
	return nil
}

// count counts a write in a copy of the queue that is at most 1 s old.
func (s *rabbitStore) count(ctx context.Context, id string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.read) > time.Second {
		found, err := rabbitIDs(ctx, s.base)
		if err != nil {
			return 0, err
		}
		s.found, s.read = found, time.Now()
	}
	return s.found[id], nil
}

// rabbitIDs reads the ids of all writes and leaves them in the queue.
func rabbitIDs(ctx context.Context, base string) (map[string]int, error) {
	var messages []struct{ Payload string }
	in := map[string]any{"count": 100000, "ackmode": "ack_requeue_true", "encoding": "auto"}
	err := callJSON(ctx, http.DefaultClient, base+"/queues/%2f/q/get", in, &messages)
	ids := map[string]int{}
	for _, m := range messages {
		ids[m.Payload]++
	}
	return ids, err
}
