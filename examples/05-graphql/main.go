// Forum is a system of two services that brunt starts and breaks: api speaks GraphQL, and
// store keeps the posts.
//
//	forum api     POST /graphql: the operations Feed and AddPost
//	forum store   GET and POST /posts
//
// A real api parses the query; this one uses the name of the operation, which is enough for a
// load test.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"sync"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: forum api|store")
	}
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	switch os.Args[1] {
	case "api":
		a := &api{
			store: os.Getenv("STORE") + "/posts", keeps: os.Getenv("CACHE") != "off",
			client: http.Client{Timeout: 200 * time.Millisecond},
		}
		http.HandleFunc("POST /graphql", a.graphql)
	case "store":
		http.Handle("/posts", &store{})
	default:
		log.Fatalf("there is no service %q", os.Args[1])
	}
	log.Fatal(http.ListenAndServe(os.Getenv("BRUNT_ADDR"), nil))
}

type post struct {
	ID   int    `json:"id"`
	Text string `json:"text"`
}

// store keeps the last posts in memory.
type store struct {
	mu    sync.Mutex
	posts []post
	n     int
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodPost {
		var p post
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.n++
		p.ID = s.n
		s.posts = append(s.posts[max(0, len(s.posts)-9):], p)
		_ = json.NewEncoder(w).Encode(p)
		return
	}
	_ = json.NewEncoder(w).Encode(s.posts)
}

// api answers in GraphQL: errors stand beside the data, and the status is 200 nevertheless.
type api struct {
	store  string
	keeps  bool
	client http.Client

	mu   sync.Mutex
	last []post // the last known feed
}

func (a *api) graphql(w http.ResponseWriter, r *http.Request) {
	var q struct {
		OperationName string
		Variables     struct {
			First int
			Text  string
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	field, value, err := "", any(nil), error(nil)
	switch q.OperationName {
	case "Feed":
		field = "posts"
		value, err = a.feed(q.Variables.First)
	case "AddPost":
		field = "addPost"
		value, err = a.add(q.Variables.Text)
	default:
		field, err = "query", fmt.Errorf("there is no operation %q", q.OperationName)
	}
	answer := map[string]any{"data": map[string]any{field: value}}
	if err != nil {
		answer["errors"] = []any{map[string]any{"message": err.Error(), "path": []string{field}}}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// feed returns the last posts; while the store is away, the last known ones.
func (a *api) feed(first int) (any, error) {
	var list []post
	err := a.ask(http.MethodGet, nil, &list)
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err == nil:
		a.last = list
	case a.keeps && a.last != nil:
		list = a.last
	default:
		return nil, err
	}
	return list[max(0, len(list)-first):], nil
}

func (a *api) add(text string) (any, error) {
	var p post
	if err := a.ask(http.MethodPost, post{Text: text}, &p); err != nil {
		return nil, err
	}
	return p, nil
}

func (a *api) ask(method string, body, into any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, a.store, bytes.NewReader(b))
	if err != nil {
		return err
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return fmt.Errorf("the store is away")
	}
	defer resp.Body.Close()
	if b, err = io.ReadAll(resp.Body); err != nil {
		return fmt.Errorf("the store is away")
	}
	return json.Unmarshal(b, into)
}
