package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"unicode/utf8"
)

const (
	maxText = 1000 // characters of a post
	maxKey  = 255  // bytes of an Idempotency-Key
)

// A post is a post in the store.
type post struct {
	ID     string `json:"id"`
	Author string `json:"author"` // a user's id
	Text   string `json:"text"`
	Alias  string `json:"alias,omitempty"` // an id that the posts service assigned before the store had it
}

// A page is ten posts, the newest first.
type page struct {
	Items []post `json:"items"`
	Page  int    `json:"page"`
}

// readPost reads and checks a new post and its Idempotency-Key.
func (in input) readPost(w http.ResponseWriter, r *http.Request) (p post, key string, err error) {
	if err := readJSON(w, r, in.maxBody(), &p); err != nil {
		return post{}, "", err
	}
	bad := func(format string, args ...any) (post, string, error) {
		return post{}, "", &problem{status: http.StatusBadRequest, text: fmt.Sprintf(format, args...)}
	}
	key = r.Header.Get("Idempotency-Key")
	switch {
	case !in.isID(p.Author):
		return bad("author must be a user's id: %s", idRule)
	case p.Text == "" && !in.lax:
		return bad("text is missing")
	case utf8.RuneCountInString(p.Text) > maxText && !in.unbounded:
		return bad("text may have %d characters at most", maxText)
	case len(key) > maxKey:
		return bad("an Idempotency-Key may have %d bytes at most", maxKey)
	}
	p.ID = "" // the store assigns it
	return p, key, nil
}

// readPostCall reads a client's post, and makes the call that forwards it.
func (in input) readPostCall(w http.ResponseWriter, r *http.Request) (post, call, error) {
	p, key, err := in.readPost(w, r)
	if err != nil {
		return post{}, call{}, err
	}
	p.Alias = ""
	body, err := json.Marshal(p)
	return p, call{method: http.MethodPost, path: "/posts", body: body, key: key}, err
}

const idRule = "1 to 64 letters, digits, dashes or underscores"

// validID reports whether id is a valid user id.
func validID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}
