package kube_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"brunt/chaos/kube"
)

// TestObjects_Watch_Refused: a watch ends at a refusal of the API server, and goes on when the server only could not
// answer at that time, such as below a limit of its load.
func TestObjects_Watch_Refused(t *testing.T) {
	for _, c := range []struct {
		name   string
		code   int
		says   string
		goesOn bool
	}{
		{"forbidden", 403, `{"kind":"Status","reason":"Forbidden","message":"no"}`, false},
		{"a resource that it does not have", 404, "404 page not found", false},
		{"too many requests", 429, "Too many requests, please try again later.", true},
		{"too many, with a reason", 429, `{"kind":"Status","reason":"TooManyRequests","message":"later"}`, true},
		{"an error of its own", 500, `{"kind":"Status","reason":"InternalError","message":"etcd"}`, true},
		{"not ready", 503, "apiserver not ready", true},
		{"a gateway without it", 502, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if asked++; asked == 1 {
					w.WriteHeader(c.code)
					_, _ = w.Write([]byte(c.says))
					return
				}
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"7"},`+
					`"items":[{"metadata":{"name":"it","namespace":"a","uid":"1","resourceVersion":"7"}}]}`)
			}))
			defer s.Close()
			var seen []string
			maps := kube.ConfigMaps(open(t, kube.Address{Kubeconfig: kubeconfigOf(t, s.URL)}), "a")
			err := maps.Watch(t.Context(), kube.Query{}, func(e kube.Event[kube.ConfigMap]) bool {
				seen = append(seen, e.Object.Name)
				return false
			})
			if c.goesOn != (err == nil && len(seen) == 1) || kube.Answered(err) == c.goesOn {
				t.Errorf("after %d it saw %q: %v", c.code, seen, err)
			}
		})
	}
}

// kubeconfigOf writes a kubeconfig for an API server without TLS.
func kubeconfigOf(t testing.TB, url string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte("apiVersion: v1\nkind: Config\nclusters: [{name: a, cluster: {server: "+url+
		"}}]\n"+
		"users: [{name: a, user: {token: a}}]\ncontexts: [{name: a, context: {cluster: a, user: a}}]\ncurrent-context: a\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
