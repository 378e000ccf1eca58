//go:build unix

package cgroup_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"brunt/chaos/cgroup"
)

func TestGroup_Quota(t *testing.T) {
	for _, tt := range []struct {
		name       string
		unified    bool
		files      map[string]string
		processors float64
		limited    bool
		absent     bool
	}{
		{
			"version 1", false,
			map[string]string{"cpu.cfs_quota_us": "20000\n", "cpu.cfs_period_us": "100000\n"},
			.2, true,
			false,
		},
		{
			"version 1 without a limit", false,
			map[string]string{"cpu.cfs_quota_us": "-1\n", "cpu.cfs_period_us": "100000\n"},
			0, false, false,
		},
		{"version 2", true, map[string]string{"cpu.max": "150000 100000\n"}, 1.5, true, false},
		{"version 2 without a limit", true, map[string]string{"cpu.max": "max 100000\n"}, 0, false, false},
		{"a root", true, nil, 0, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := cgroup.Group{Path: t.TempDir(), Unified: tt.unified}
			for name, text := range tt.files {
				if err := os.WriteFile(filepath.Join(g.Path, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			q, err := g.Quota()
			if errors.Is(err, fs.ErrNotExist) != tt.absent || !tt.absent && (err != nil || q.Period != 100_000) {
				t.Fatalf("%+v, %v", q, err)
			}
			if n, limited := q.Processors(); n != tt.processors || limited != tt.limited {
				t.Errorf("%v processors, limited %t, want %v, %t", n, limited, tt.processors, tt.limited)
			}
		})
	}
	g := cgroup.Group{Path: t.TempDir(), Unified: true}
	if err := os.WriteFile(filepath.Join(g.Path, "cpu.max"), []byte("many 100000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if q, err := g.Quota(); err == nil {
		t.Errorf("of no number it is %+v", q)
	}
}
