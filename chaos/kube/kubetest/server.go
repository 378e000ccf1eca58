package kubetest

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// most bounds the body of a request, in bytes.
const most = 16 << 20

// A Server is an API server.
type Server struct {
	URL string
	// Printed holds the output of containers, by POD/CONTAINER/PREVIOUS, where PREVIOUS is false or true.
	Printed map[string]string
	// Ports maps the ports of every pod to addresses on this machine; under 0 it has the host for all other ports. It
	// is set before the first request.
	Ports map[int]string
	// At maps pods, by name, to addresses on this machine to which all of their ports lead. It takes precedence over
	// Ports, and is set before the first request too.
	At map[string]string

	authority string // its certificate, in the form of a kubeconfig

	mu     sync.Mutex
	store  store
	denied map[string]bool // users who may do nothing
	plain  bool            // it refuses WebSockets
	away   bool            // it answers nothing
	passed []net.Conn      // connections to pods
}

// Start starts a server that ends with the test.
func Start(t testing.TB) *Server {
	s := &Server{store: newStore(), denied: map[string]bool{}}
	for _, ns := range []string{"default", "kube-system"} {
		_, _ = s.store.add("/api/v1/namespaces", object{"metadata": object{"name": ns}}, false)
	}
	srv := httptest.NewUnstartedServer(s)
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.CloseClientConnections)
	t.Cleanup(srv.Close)
	t.Cleanup(srv.CloseClientConnections) // which ends watches before Close waits for them
	s.URL = srv.URL
	s.authority = base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{
		Type: "CERTIFICATE", Bytes: srv.Certificate().Raw,
	}))
	return s
}

// Kubeconfig writes a kubeconfig of the server for a user. An empty user may do everything.
func (s *Server) Kubeconfig(t testing.TB, user string) string {
	path := filepath.Join(t.TempDir(), "config")
	as := ""
	if user != "" {
		as = ", as: " + user
	}
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: %q, certificate-authority-data: %s}}]
users: [{name: test, user: {token: secret%s}}]
contexts: [{name: test, context: {cluster: test, user: test}}]
current-context: test
`, s.URL, s.authority, as)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Deny refuses everything to a user.
func (s *Server) Deny(user string) { s.mu.Lock(); s.denied[user] = true; s.mu.Unlock() }

// Away makes the server answer nothing, until it is called with false.
func (s *Server) Away(away bool) { s.mu.Lock(); s.away = away; s.mu.Unlock() }

// Break ends all connections to pods, without a word.
func (s *Server) Break() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.passed {
		_ = c.Close()
	}
	s.passed = nil
}

// Plain refuses WebSockets from now on.
func (s *Server) Plain() { s.mu.Lock(); s.plain = true; s.mu.Unlock() }

// Node adds a node with labels.
func (s *Server) Node(name string, labels map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.store.add("/api/v1/nodes", object{"metadata": object{"name": name, "labels": labels}, "spec": object{}},
		false)
}

// Forget ends the history: a watch from an earlier version gets the error that it is expired.
func (s *Server) Forget() { s.mu.Lock(); s.store.forget(); s.mu.Unlock() }

// Hide removes an object, by the path of its list, without a trace in the history.
func (s *Server) Hide(list, name string) {
	s.mu.Lock()
	delete(s.store.objects[list], name)
	s.mu.Unlock()
}

// A refusal is an answer of the API server other than success.
type refusal struct {
	code            int
	reason, message string
	cause           string // more of it; empty: none
}

func (r *refusal) Error() string { return r.message }

func notFound(what, name string) error {
	return &refusal{http.StatusNotFound, "NotFound", fmt.Sprintf("%s %q not found", what, name), ""}
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	away := s.away
	s.mu.Unlock()
	if away {
		panic(http.ErrAbortHandler) // ends the stream without an answer
	}
	if r.Header.Get("Authorization") != "Bearer secret" {
		answer(w, nil, &refusal{http.StatusUnauthorized, "Unauthorized", "Unauthorized", ""})
		return
	}
	s.mu.Lock()
	denied := s.denied[r.Header.Get("Impersonate-User")]
	s.mu.Unlock()
	var body object
	if r.Body != nil && r.Header.Get("Content-Type") == "application/json" {
		if err := json.NewDecoder(io.LimitReader(r.Body, most)).Decode(&body); err != nil {
			answer(w, nil, &refusal{http.StatusBadRequest, "BadRequest", err.Error(), ""})
			return
		}
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews"):
		body["status"] = object{"allowed": !denied}
		answer(w, body, nil)
	case denied:
		answer(w, nil, &refusal{
			http.StatusForbidden, "Forbidden", fmt.Sprintf("User %q cannot do this", r.Header.Get("Impersonate-User")), "",
		})
	default:
		s.serve(w, r, body)
	}
}

// split splits the path of a request into the path of the list, the name of the object, and the subresource.
func split(path string) (list, name, sub string) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	at := 2 // index of the resource, after api/VERSION
	if parts[0] == "apis" {
		at = 3
	}
	if len(parts) > at+2 && parts[at] == "namespaces" {
		at += 2
	}
	at = min(at, len(parts)-1)
	rest := append(slices.Clone(parts[at+1:]), "", "")
	return "/" + strings.Join(parts[:at+1], "/"), rest[0], rest[1]
}

// resources are the server's descriptions of the kinds of an API.
var resources = map[string][]any{
	"/api/v1": {
		object{"name": "pods", "kind": "Pod", "namespaced": true},
		object{"name": "pods/eviction", "kind": "Eviction", "namespaced": true},
		object{"name": "nodes", "kind": "Node"},
		object{"name": "configmaps", "kind": "ConfigMap", "namespaced": true},
		object{"name": "resourcequotas", "kind": "ResourceQuota", "namespaced": true},
	},
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, body object) {
	list, name, sub := split(r.URL.Path)
	q := r.URL.Query()
	switch {
	case sub == "portforward":
		s.forward(w, r, list, name)
		return
	case sub == "log":
		s.log(w, q, name)
		return
	case q.Get("watch") != "":
		s.watch(w, r, list)
		return
	case resources[r.URL.Path] != nil:
		answer(w, object{"kind": "APIResourceList", "resources": resources[r.URL.Path]}, nil)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.store.settle()
	switch {
	case sub == "eviction":
		err := s.store.evictable(list, name)
		if err == nil {
			err = s.store.remove(list, name, "")
		}
		answer(w, object{"kind": "Status", "status": "Success"}, err)
	case r.Method == http.MethodGet && name == "":
		out, err := s.store.list(list, q)
		answer(w, out, err)
	case r.Method == http.MethodGet:
		out, err := s.store.get(list, name)
		answer(w, out, err)
	case r.Method == http.MethodPost:
		out, err := s.store.add(list, body, q.Get("dryRun") == "All")
		answer(w, out, err)
	case r.Method == http.MethodPut:
		out, err := s.store.replace(list, name, body)
		answer(w, out, err)
	case r.Method == http.MethodPatch:
		var changes []change
		if err := json.NewDecoder(io.LimitReader(r.Body, most)).Decode(&changes); err != nil {
			answer(w, nil, &refusal{http.StatusBadRequest, "BadRequest", err.Error(), ""})
			return
		}
		out, err := s.store.patch(list, name, changes)
		answer(w, out, err)
	case r.Method == http.MethodDelete:
		uid, _ := lookup(body, "preconditions", "uid").(string)
		answer(w, object{"kind": "Status", "status": "Success"}, s.store.remove(list, name, uid))
	}
}

// log writes the output of a container of a pod.
func (s *Server) log(w http.ResponseWriter, q url.Values, pod string) {
	printed, ok := s.Printed[pod+"/"+q.Get("container")+"/"+q.Get("previous")]
	if !ok {
		answer(w, nil, &refusal{
			http.StatusBadRequest, "BadRequest",
			fmt.Sprintf("container %q in pod %q has not printed", q.Get("container"), pod), "",
		})
		return
	}
	_, _ = io.WriteString(w, printed)
}

// answer writes an object or an error.
func answer(w http.ResponseWriter, o object, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		r, ok := err.(*refusal)
		if !ok {
			r = &refusal{http.StatusInternalServerError, "InternalError", err.Error(), ""}
		}
		w.WriteHeader(r.code)
		o = status(r)
	}
	_ = json.NewEncoder(w).Encode(o)
}

func status(r *refusal) object {
	o := object{
		"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": r.message, "reason": r.reason, "code": r.code,
	}
	if r.cause != "" {
		o["details"] = object{"causes": []any{object{"message": r.cause}}}
	}
	return o
}

// watch writes the changes after a version, until the client goes away.
func (s *Server) watch(w http.ResponseWriter, r *http.Request, list string) {
	after, _ := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	w.Header().Set("Content-Type", "application/json")
	flush := http.NewResponseController(w)
	out := json.NewEncoder(w)
	for {
		s.mu.Lock()
		events, expired := s.store.since(list, after, r.URL.Query())
		after = max(after, s.store.version)
		news := s.store.news
		s.mu.Unlock()
		if expired {
			_ = out.Encode(object{
				"type": "ERROR", "object": status(&refusal{http.StatusGone, "Expired", "too old resource version", ""}),
			})
			return
		}
		for _, e := range events {
			if out.Encode(object{"type": e.kind, "object": e.object}) != nil {
				return
			}
		}
		if flush.Flush() != nil {
			return
		}
		select {
		case <-news:
		case <-r.Context().Done():
			return
		}
	}
}
