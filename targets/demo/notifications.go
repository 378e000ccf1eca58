package demo

import (
	"net/http"
	"sync"
)

const (
	keptNotices  = 20_000
	shownNotices = 20
)

// poisonAuthor is the author whose notices notifications can't take.
const poisonAuthor = "poison"

var errPoison = &problem{
	status: http.StatusInternalServerError, text: "notices of " + poisonAuthor + " can't be taken",
}

// A notice announces a new post.
type notice struct {
	Post   string `json:"post"`
	Author string `json:"author"`
	Key    string `json:"key,omitempty"` // Idempotency-Key of the post, if any
}

// notifications counts the notices it receives, and keeps the last ones.
type notifications struct {
	known map[string]bool // posts whose notice has arrived; nil: a notice that arrives twice counts twice

	mu    sync.Mutex
	count int
	last  []notice // a ring once it is full: number n is at n mod keptNotices
}

// noticeList is the total count and the last notices, the newest first.
type noticeList struct {
	Count int      `json:"count"`
	Items []notice `json:"items"`
}

func newNotifications(p parts) (service, error) {
	n := &notifications{}
	if p.env.asked("DEMO_DEDUP") {
		n.known = map[string]bool{}
	}
	return service{routes: map[string]handler{
		"POST /notifications": n.add,
		"GET /notifications":  n.list,
	}}, nil
}

func (n *notifications) add(w http.ResponseWriter, r *http.Request) error {
	var note notice
	if err := readJSON(w, r, maxBody, &note); err != nil {
		return err
	}
	if note.Author == poisonAuthor {
		return errPoison
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known[note.Post] {
		writeBody(w, http.StatusAccepted, []byte("{}"))
		return nil
	}
	if n.known != nil {
		if len(n.known) >= keptNotices {
			clear(n.known)
		}
		n.known[note.Post] = true
	}
	if len(n.last) < keptNotices {
		n.last = append(n.last, note)
	} else {
		n.last[n.count%keptNotices] = note
	}
	n.count++
	writeBody(w, http.StatusAccepted, []byte("{}"))
	return nil
}

func (n *notifications) list(w http.ResponseWriter, r *http.Request) error {
	if key := r.URL.Query().Get("key"); key != "" {
		return n.of(w, key)
	}
	n.mu.Lock()
	l := noticeList{Count: n.count, Items: []notice{}}
	for i := range min(shownNotices, len(n.last)) {
		l.Items = append(l.Items, n.last[(n.count-1-i)%keptNotices])
	}
	n.mu.Unlock()
	writeJSON(w, http.StatusOK, l)
	return nil
}

// of returns the notices of the posts with an Idempotency-Key.
func (n *notifications) of(w http.ResponseWriter, key string) error {
	l := noticeList{Items: []notice{}}
	n.mu.Lock()
	for _, note := range n.last {
		if note.Key == key {
			l.Items = append(l.Items, note)
		}
	}
	n.mu.Unlock()
	l.Count = len(l.Items)
	writeJSON(w, http.StatusOK, l)
	return nil
}
