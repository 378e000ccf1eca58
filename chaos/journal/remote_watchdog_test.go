package journal

import (
	"net"
	"path/filepath"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/chaostest/fakeengine"
	"brunt/chaos/rpc"
	"brunt/targets/platform/containers"
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
	nowhere := containers.Address{Host: "unix://" + filepath.Join(t.TempDir(), "no.sock")}
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

// TestRemoteWatchdog_Gone: a run learns that its watchdog in a container of its own has given it up, and notes what
// that reverted by the engine, and when: its journal has no line of it otherwise.
func TestRemoteWatchdog_Gone(t *testing.T) {
	near, remote := net.Pipe()
	over := make(chan error, 1)
	go func() {
		over <- RunRemoteWatchdog(t.Context(), testOperations(), remote, remote, time.Minute)
		_ = remote.Close()
	}()
	call, err := rpc.NewClient(t.Context(), near)
	if err != nil {
		t.Fatal(err)
	}
	w := &RemoteWatchdog{call: call}
	if w.Gone(t.Context()) {
		t.Error("it is gone while it works")
	}
	if err := call.Close(); err != nil {
		t.Error(err)
	}
	if err := <-over; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if !w.Gone(t.Context()) {
		t.Error("it is there after its end")
	}

	ops := testOperations()
	ops["by.engine"] = chaos.Operation{Name: "by.engine", ByEngine: true}
	j, err := Open(ops, t.TempDir(), "r")
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range []string{"by.engine", "test"} {
		if _, err := j.Intent(chaos.Intent{Fault: op, What: "it", Undo: []chaos.Undo{{Op: op}}}); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Now().Add(-time.Minute).UTC()
	if err := j.RevertedBeside(at); err != nil {
		t.Fatal(err)
	}
	taken, busy, err := j.TakenBack()
	if err != nil || busy || len(taken) != 1 || taken[0].Fault != "by.engine" || !taken[0].TakenBack.Equal(at) {
		t.Errorf("%+v, busy %v, %v", taken, busy, err)
	}
}
