package docker

import (
	"errors"
	"fmt"
	"testing"

	"github.com/containerd/errdefs"
)

// TestGone: a container that the engine is about to remove is gone, as nothing can be done to it any more.
func TestGone(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("the engine is busy"), false},
		{fmt.Errorf("no such container: %w", errdefs.ErrNotFound), true},
		{errors.New("Error response from daemon: Container 7211 is marked for removal and cannot be connected or " +
			"disconnected to the network."), true},
	} {
		if got := gone(c.err); got != c.want {
			t.Errorf("%v: gone %v, want %v", c.err, got, c.want)
		}
	}
}
