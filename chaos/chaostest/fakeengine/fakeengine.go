// Package fakeengine is a Docker engine for tests that describes containers, and does nothing else.
package fakeengine

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// New starts an engine whose containers run, and that creates none. at maps their names to their addresses; nil means
// one container "c".
func New(t *testing.T, at *sync.Map) *docker.Engine {
	t.Helper()
	if at == nil {
		at = new(sync.Map)
		at.Store("c", "")
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.44")
		w.Header().Set("Content-Type", "application/json")
		_, name, _ := strings.Cut(r.URL.Path, "/containers/")
		name = strings.TrimSuffix(name, "/json")
		ip, ok := at.Load(name)
		switch {
		case r.URL.Path == "/_ping":
		case ok:
			fmt.Fprintf(w, `{"Id":%q,"Name":%q,"State":{"Running":true,"Pid":1,"StartedAt":"2020-01-01T00:00:00Z"},"Config":{"ExposedPorts":{"80/tcp":{}}},
				"HostConfig":{},"NetworkSettings":{"Networks":{"n":{"NetworkID":"n","IPAddress":%q}}}}`, name, "/"+name, ip)
		default:
			http.Error(w, `{"message":"not here"}`, http.StatusInternalServerError)
		}
	}))
	t.Cleanup(srv.Close)
	e, err := docker.Open(containers.Address{Host: "tcp://" + srv.Listener.Addr().String()}, docker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}
