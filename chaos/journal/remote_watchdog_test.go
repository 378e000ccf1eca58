package journal

import (
	"net"
	"path/filepath"
	"testing"
	"time"

	"brunt/chaos/chaostest/fakeengine"
	"brunt/chaos/rpc"
	"brunt/targets/platform/docker"
)

// TestRemoteWatchdog_Reaches checks that a remote watchdog that cannot revert anything reports it before the
// run goes on.
func TestRemoteWatchdog_Reaches(t *testing.T) {
	near, remote := net.Pipe()
	over := make(chan error, 1)
	go func() { over <- RunRemoteWatchdog(t.Context(), testOperations(), remote, remote, time.Minute) }()
	w, err := rpc.NewClient(t.Context(), near)
	if err != nil {
		t.Fatal(err)
	}
	nowhere := docker.Address{Host: "unix://" + filepath.Join(t.TempDir(), "no.sock")}
	for _, c := range []struct {
		name    string
		at      remoteAddress
		reached bool
	}{
		{"where brunt is", remoteAddress{fakeengine.New(t, nil).Address(), "c"}, true},
		{"an engine that knows it not", remoteAddress{fakeengine.New(t, nil).Address(), "d"}, false},
		{"no engine", remoteAddress{nowhere, "c"}, false},
	} {
		if err := w.Call(t.Context(), "reach", c.at, nil); (err == nil) != c.reached {
			t.Errorf("%s: %v; want it reached: %v", c.name, err, c.reached)
		}
	}
	_ = w.Close()
	if err := <-over; err != nil {
		t.Errorf("it ended with %v", err)
	}
}
