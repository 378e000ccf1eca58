package resource

import (
	"os"
	"path/filepath"
	"testing"

	"brunt/chaos/cgroup"
)

// TestHomeOf reads from the name of a group that brunt made which run it is of, and from where its processes came.
func TestHomeOf(t *testing.T) {
	for _, c := range []struct {
		name          string
		run           string
		unified, root bool
	}{
		{"version 1", "20260101-000000-abcdefgh", false, false},
		{"version 1, the root", "20260101-000000-abcdefgh", false, true},
		{"version 2", "20260101-000000-abcdefgh", true, false},
		{"version 2, the root", "20260101-000000-abcdefgh", true, true},
		{"no run", "", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := filepath.Join(t.TempDir(), "user@1000.service")
			if err := os.Mkdir(at, 0o755); err != nil {
				t.Fatal(err)
			}
			home, err := cgroup.Open(at, c.unified, c.root)
			if err != nil {
				t.Fatal(err)
			}
			own, err := cgroup.Make(home.Below(ownName(home, c.run)), c.unified)
			if err != nil {
				t.Fatal(err)
			}
			run, found, err := homeOf(own)
			if err != nil || run != c.run || found.Path != home.Path || found.Inode != home.Inode {
				t.Errorf("%s: of run %q, from %+v, %v", own.Path, run, found, err)
			}
		})
	}
}
