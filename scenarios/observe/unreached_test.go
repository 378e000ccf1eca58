package observe_test

import (
	"errors"
	"strings"
	"testing"

	"brunt/chaos"
	"brunt/scenarios/observe"
	"brunt/scenarios/result"
)

// TestUnreached_Group: a group affected no traffic if no step that was injected did, as far as is known.
func TestUnreached_Group(t *testing.T) {
	counted := func(n int64) *chaos.Record {
		return &chaos.Record{Units: []string{"a[0]->b[0]"}, Traffic: &chaos.Traffic{N: n}}
	}
	unknown := &chaos.Record{Units: []string{"a[0]"}} // it is not watched
	failed := &chaos.Record{Units: []string{"a[0]"}, InjectErr: errors.New("no way in")}
	for _, c := range []struct {
		name  string
		steps []*chaos.Record
		says  bool
	}{
		{"no bytes at any link", []*chaos.Record{counted(0), counted(0)}, true},
		{"bytes at one link", []*chaos.Record{counted(0), counted(7)}, false},
		{"not known of one", []*chaos.Record{counted(0), unknown}, false},
		{"one was not injected", []*chaos.Record{counted(0), failed}, true},
		{"none was injected", []*chaos.Record{failed}, false},
	} {
		got := (*observe.Usage)(nil).Unreached(&chaos.Record{
			Name: "g", Kind: result.GroupKind, Units: []string{"a[0]->b[0]"}, Steps: c.steps,
		}, nil, &observe.Asks{})
		if (got != "") != c.says || c.says && !strings.Contains(got, "no step of g affected any traffic (a[0]->b[0])") {
			t.Errorf("%s: it says %q", c.name, got)
		}
	}
	if got := (*observe.Usage)(nil).Unreached(counted(0), nil, &observe.Asks{}); got != "" {
		t.Errorf("a fault that counts its own: it says %q", got)
	}
}
