//go:build linux

package drills

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// A rabbitStore publishes to the queue q and waits for the broker's confirm.
type rabbitStore struct {
	pool pool[*amqpConn]
	addr string
	mode byte   // the delivery mode: 2 is persistent
	run  string // the folder of the run

	mu    sync.Mutex
	found map[string]int // what the queue held at read
	read  time.Time
}

func newRabbitStore(addr string, mode byte, run string) *rabbitStore {
	s := &rabbitStore{addr: addr, mode: mode, run: run}
	s.pool.dial = dialAMQP
	s.pool.find = func(context.Context) (string, error) { return addr, nil }
	return s
}

func (s *rabbitStore) put(ctx context.Context, id string) error {
	return s.pool.do(ctx, func(c *amqpConn) error { return c.publish(ctx, "q", id, s.mode) })
}

// count counts a write in a copy of the queue that is at most 1 s old.
func (s *rabbitStore) count(ctx context.Context, id string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.read) > time.Second {
		found, err := rabbitIDs(ctx, s.addr, s.run)
		if err != nil {
			return 0, err
		}
		s.found, s.read = found, time.Now()
	}
	return s.found[id], nil
}

// rabbitIDs reads the ids of all writes and leaves them in the queue. While one reader has them, another
// finds none: they take turns by a file in the folder of the run.
func rabbitIDs(ctx context.Context, addr, run string) (map[string]int, error) {
	turn, err := os.OpenFile(filepath.Join(run, "reading"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	defer turn.Close()
	if err := syscall.Flock(int(turn.Fd()), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	c, err := dialAMQP(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	messages, err := c.all(ctx, "q")
	ids := map[string]int{}
	for _, text := range messages {
		ids[text]++
	}
	return ids, err
}
