package demo

import (
	"net/http"
	"sync"
)

const (
	keptNotices  = 1000
	shownNotices = 20
)

// A notice announces a new post.
type notice struct {
	Post   string `json:"post"`
	Author string `json:"author"`
}

// notifications counts the notices it receives, and keeps the last ones.
type notifications struct {
	mu    sync.Mutex
	count int
	last  []notice // a ring once it is full: number n is at n mod keptNotices
}

// noticeList is the total count and the last notices, the newest first.
type noticeList struct {
	Count int      `json:"count"`
	Items []notice `json:"items"`
}

func newNotifications(parts) (service, error) {
	n := &notifications{}
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
	n.mu.Lock()
	if len(n.last) < keptNotices {
		n.last = append(n.last, note)
	} else {
		n.last[n.count%keptNotices] = note
	}
	n.count++
	n.mu.Unlock()
	writeBody(w, http.StatusAccepted, []byte("{}"))
	return nil
}

func (n *notifications) list(w http.ResponseWriter, _ *http.Request) error {
	n.mu.Lock()
	l := noticeList{Count: n.count, Items: []notice{}}
	for i := range min(shownNotices, len(n.last)) {
		l.Items = append(l.Items, n.last[(n.count-1-i)%keptNotices])
	}
	n.mu.Unlock()
	writeJSON(w, http.StatusOK, l)
	return nil
}
