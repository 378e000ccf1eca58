package netns

import (
	"errors"
	"testing"
)

func TestProbes(t *testing.T) {
	var p probes
	calls := 0
	missing := errors.New("missing")
	for range 3 {
		if err := p.result(probed{Loss, "ebpf"}, func() error { calls++; return missing }); !errors.Is(err, missing) {
			t.Errorf("%v; want %v", err, missing)
		}
		if err := p.result(probed{Loss, "nft"}, func() error { calls++; return nil }); err != nil {
			t.Error(err)
		}
	}
	if calls != 2 {
		t.Errorf("%d probes of 2 mechanisms; want 2", calls)
	}
}
