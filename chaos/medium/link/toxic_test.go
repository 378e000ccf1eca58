package link

import (
	"context"
	"strings"
	"testing"

	"brunt/chaos"
	"brunt/chaos/proxy"
)

// toldToxic is a toxic on a link of which its proxy tells something.
type toldToxic struct {
	proxy.Toxicity
	of proxy.Status
}

func (x toldToxic) Status(context.Context) proxy.Status { return x.of }

// TestToxic_Ended: a codec that failed under the toxic ends the fault, which names the link.
func TestToxic_Ended(t *testing.T) {
	links := []*chaos.Link{{From: "web", To: "store"}, {From: "web", To: "cache"}}
	h := &heldToxic{Toxic: &Toxic{Links: links}, in: []proxy.Toxicity{toldToxic{}, toldToxic{}}}
	if err := h.Traits().Ended(t.Context()); err != nil {
		t.Errorf("both are in, and it says %v", err)
	}
	h.in[1] = toldToxic{of: proxy.Status{Broken: "a codec failed"}}
	if err := h.Traits().Ended(t.Context()); err == nil || !strings.Contains(err.Error(), "web->cache: a codec failed") {
		t.Errorf("it says %v", err)
	}
}
