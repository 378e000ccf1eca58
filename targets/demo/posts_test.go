package demo

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPosts_Store(t *testing.T) {
	tests := []struct {
		name   string
		config Config
		harm   func(e *edge)
		status int
		took   time.Duration
	}{
		{"well", Config{}, func(*edge) {}, 200, 0},
		{"slow", Config{}, func(e *edge) { e.slow(350 * time.Millisecond) }, 200, 700 * time.Millisecond},
		{"slower than the timeout", Config{}, func(e *edge) { e.slow(450 * time.Millisecond) }, 504, 800 * time.Millisecond},
		{"without a timeout", Config{Timeouts: off()}, func(e *edge) { e.slow(10 * time.Second) }, 200, 20 * time.Second},
		{"away", Config{}, func(e *edge) { e.kill() }, 502, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, tt.config)
				tt.harm(s.net.edge("posts[0]", "store[0]"))
				a := s.askUnit(t.Context(), "posts[0]", "GET", "/posts/1", "")
				if a.status != tt.status || a.took != tt.took {
					t.Errorf("%d %s after %v, want %d after %v", a.status, a.body, a.took, tt.status, tt.took)
				}
				if a.status != 200 && !strings.Contains(a.body, `"error":"the store`) {
					t.Errorf("answered %s", a.body)
				}
			})
		})
	}
}

// TestPosts_EarlyFull checks that the write log records a refused write as refused.
func TestPosts_EarlyFull(t *testing.T) {
	var log strings.Builder
	s := &posts{early: &early{queue: make(chan waiting)}, writes: writeLog{slog.New(slog.NewJSONHandler(&log, nil))}}
	r := httptest.NewRequest(http.MethodPost, "/posts", strings.NewReader(`{"author":"ann","text":"hello"}`))
	err := s.write(httptest.NewRecorder(), r)
	if reason, ok := errors.AsType[*problem](err); !ok || reason.status != http.StatusServiceUnavailable {
		t.Errorf("got %v", err)
	}
	if got := log.String(); strings.Contains(got, "acknowledged") || !strings.Contains(got, `"refused"`) {
		t.Errorf("the log says %s", got)
	}
}
