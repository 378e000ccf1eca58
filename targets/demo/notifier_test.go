package demo

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// received returns what the notifications service received.
func (s *system) received() noticeList {
	s.t.Helper()
	a := s.askUnit(s.t.Context(), "notifications[0]", "GET", "/notifications", "")
	var l noticeList
	if err := json.Unmarshal([]byte(a.body), &l); err != nil {
		s.t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	return l
}

func (s *system) metric(unit, series string) float64 {
	return valueIn(s.askUnit(s.t.Context(), unit, "GET", "/metrics", "").body, series)
}

// write posts with a new token, and returns the response.
func (s *system) write(body string, header ...string) answer {
	s.t.Helper()
	return s.ask("POST", "/posts", body, 10*time.Second, append(header, "Authorization", "Bearer "+s.login("ann"))...)
}

func (s *system) login(user string) string {
	s.t.Helper()
	a := s.ask("POST", "/login", fmt.Sprintf(`{"user":%q}`, user), 10*time.Second)
	var in struct{ Token string }
	if err := json.Unmarshal([]byte(a.body), &in); err != nil || a.status != 200 || in.Token == "" {
		s.t.Fatalf("login: %d %s", a.status, a.body)
	}
	return in.Token
}

// TestNotifier_PostsDoNotWait cuts the link to notifications: posts stay as fast as before, notices
// wait up to the queue's length, and the rest is dropped and counted.
func TestNotifier_PostsDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{Posts: Scale{Replicas: 1}, Timeouts: off()})
		e := s.net.edge("posts[0]", "notifications[0]")
		e.hold()
		const n = noticeQueue + noticeWorkers + 10
		for range n {
			if a := s.write(`{"author":"ann","text":"hi"}`); a.status != 201 || a.took > 0 {
				t.Fatalf("%d %s after %v, want 201 at once", a.status, a.body, a.took)
			}
			synctest.Wait() // so that the workers take their notices
		}
		if d := s.metric("posts[0]", `socialconnect_notices_total{result="dropped"}`); d != 10 {
			t.Errorf("%v dropped, want 10", d)
		}
		e.release()
		time.Sleep(time.Second)
		if got := s.received(); got.Count != n-10 || len(got.Items) != shownNotices || got.Items[0].Author != "ann" {
			t.Errorf("%d arrived, %d shown, want %d", got.Count, len(got.Items), n-10)
		}
		if c := strings.Count(s.logs["posts[0]"].String(), "notice dropped"); c != 1 {
			t.Errorf("%d lines in the log, want 1", c)
		}
	})
}

// TestNotifier_Stop checks that queued notices are sent before the process ends, if possible.
func TestNotifier_Stop(t *testing.T) {
	tests := []struct {
		name string
		hold bool
		took time.Duration // at most
		want int
	}{
		{"delivered first", false, time.Second, 20},
		{"no longer than a stop may take", true, grace, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Posts: Scale{Replicas: 1}, Timeouts: off()})
				e := s.net.edge("posts[0]", "notifications[0]")
				e.slow(50 * time.Millisecond)
				if tt.hold {
					e.hold()
				}
				for range 20 {
					if a := s.write(`{"author":"ann","text":"hi"}`); a.status != 201 {
						t.Fatalf("%d %s", a.status, a.body)
					}
				}
				began := time.Now()
				s.stop["posts[0]"]()
				if took := time.Since(began); took > tt.took {
					t.Errorf("it took %v to stop, want %v at most", took, tt.took)
				}
				if got := s.received().Count; got != tt.want {
					t.Errorf("%d notices arrived, want %d", got, tt.want)
				}
			})
		})
	}
}

func TestNotifications_Ring(t *testing.T) {
	n := &notifications{}
	for i := range keptNotices + 30 {
		body := fmt.Sprintf(`{"post":"%d","author":"ann"}`, i)
		if err := n.add(httptest.NewRecorder(),
			httptest.NewRequest("POST", "/notifications", strings.NewReader(body))); err != nil {
			t.Fatal(err)
		}
	}
	w := httptest.NewRecorder()
	if err := n.list(w, httptest.NewRequest("GET", "/notifications", nil)); err != nil {
		t.Fatal(err)
	}
	var l noticeList
	if err := json.Unmarshal(w.Body.Bytes(), &l); err != nil {
		t.Fatal(err)
	}
	if l.Count != keptNotices+30 || len(n.last) != keptNotices {
		t.Errorf("counted %d, kept %d", l.Count, len(n.last))
	}
	for i, note := range l.Items {
		if want := fmt.Sprint(keptNotices + 29 - i); note.Post != want {
			t.Errorf("notice %d is of post %s, want %s", i, note.Post, want)
		}
	}
}
