package protect_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/chaos/protect"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// fake is an engine of one container, safe, which is labelled and says that its first process is pid. It knows no
// container gone, and fails for every other. It counts how often it is asked for a list.
func fake(t *testing.T, pid int) (*docker.Engine, *atomic.Int64) {
	t.Helper()
	lists := new(atomic.Int64)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.44")
		w.Header().Set("Content-Type", "application/json")
		_, name, _ := strings.Cut(r.URL.Path, "/containers/")
		switch name {
		case "":
		case "json":
			lists.Add(1)
			fmt.Fprint(w, `[{"Id":"safe","Names":["/safe"]}]`)
		case "safe/json":
			fmt.Fprintf(w, `{"Id":"safe","Name":"/safe","State":{"Running":true,"Pid":%d},"Config":{"Labels":{%q:"true"}},"HostConfig":{}}`,
				pid, containers.ProtectLabel)
		case "gone/json":
			http.Error(w, `{"message":"no such container"}`, http.StatusNotFound)
		default:
			http.Error(w, `{"message":"not now"}`, http.StatusInternalServerError)
		}
	}))
	t.Cleanup(srv.Close)
	e, err := docker.Open(containers.Address{Host: "tcp://" + srv.Listener.Addr().String()}, docker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e, lists
}

// TestGuard_Unread checks that what may be protected is refused if the engine does not say whether it is.
func TestGuard_Unread(t *testing.T) {
	e, _ := fake(t, 0)
	open := func(context.Context) (*docker.Engine, error) { return e, nil }
	hangs := func(context.Context) (*docker.Engine, error) { return nil, errors.New("no answer within 20s") }
	none := func(ctx context.Context) (*docker.Engine, error) {
		absent, err := docker.Open(containers.Address{Host: "unix://" + t.TempDir() + "/engine.sock"}, docker.Options{})
		if err != nil {
			return nil, err
		}
		return nil, errors.Join(absent.Ping(ctx), absent.Close())
	}
	peers := []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}
	fills := chaos.Hit{Name: chaos.PIDName(started(t, "sleep", "60")), Fills: t.TempDir()}
	for _, c := range []struct {
		name   string
		engine func(context.Context) (*docker.Engine, error)
		hit    chaos.Hit
		want   string // empty: it may be hit
	}{
		{
			"a container that the engine does not describe", open,
			chaos.Hit{Name: "container/web"},
			"can't read which containers are protected",
		},
		{"a container that is gone", open, chaos.Hit{Name: "container/gone"}, ""},
		{"a container of an engine that hangs", hangs, chaos.Hit{Name: "container/web"}, "no answer within 20s"},
		{"addresses, where the engine hangs", hangs, chaos.Hit{Peers: peers}, "no answer within 20s"},
		{"a disk, where the engine hangs", hangs, fills, "no answer within 20s"},
		{"a container without an engine", none, chaos.Hit{Name: "container/web"}, ""},
		{"addresses without an engine", none, chaos.Hit{Peers: peers}, ""},
		{"a disk without an engine", none, fills, ""},
	} {
		rules := protect.Rules{Named: func(string) error { return nil }, Engine: c.engine}
		err := protect.New(rules).Begin(t.Context(), new(chaos.Targets))(c.hit)
		if c.want == "" && err != nil || c.want != "" &&
			(!errors.Is(err, proc.ErrProtected) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
}

// TestGuard_Seen checks that the pid which an engine gives is no process of this machine unless that is in the
// container: the engine may count its processes elsewhere. Each engine is asked once in a check.
func TestGuard_Seen(t *testing.T) {
	other := started(t, "sleep", "60")
	e, lists := fake(t, other)
	check := guardOf(e, none).Begin(t.Context(), new(chaos.Targets))
	for range 3 {
		if err := check(chaos.Hit{Name: chaos.PIDName(started(t, "sleep", "60")), Fills: t.TempDir()}); err != nil {
			t.Error(err)
		}
	}
	if n := lists.Load(); n != 1 {
		t.Errorf("the engine was asked %d times which containers are protected", n)
	}
}
