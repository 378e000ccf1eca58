package demo

import (
	"sync"
	"time"
)

const (
	missingFor  = 2 * time.Second
	mostMissing = 4096 // ids; with more the oldest answers are asked for again
)

// missing remembers which posts there are not, so that asking for them again and
// again reaches nobody. A post that appears meanwhile is not seen for that long.
//
// A nil missing remembers nothing.
type missing struct {
	mu  sync.Mutex
	ids map[string]time.Time // until when
}

func newMissing() *missing { return &missing{ids: map[string]time.Time{}} }

func (m *missing) has(id string) bool {
	if m == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	until, ok := m.ids[id]
	return ok && time.Now().Before(until)
}

func (m *missing) add(id string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if len(m.ids) >= mostMissing {
		for id, until := range m.ids {
			if !now.Before(until) {
				delete(m.ids, id)
			}
		}
		if len(m.ids) >= mostMissing {
			clear(m.ids)
		}
	}
	m.ids[id] = now.Add(missingFor)
}
