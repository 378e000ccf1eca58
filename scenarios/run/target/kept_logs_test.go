package target_test

import (
	"os"
	"path/filepath"
	"testing"

	"brunt/scenarios/result"
	"brunt/scenarios/run/target"
)

// Names of files become names of units again.
func TestKeptLogs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"store-db-1.log": "x", "k6-users-2.log": "y", "empty-0.log": "", "other.txt": "z", "redis.log": "w",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := []result.UnitLog{
		{Unit: "k6-users-2", File: "logs/k6-users-2.log", Bytes: 1},
		{Unit: "redis", File: "logs/redis.log", Bytes: 1},
		{Unit: "store-db[1]", File: "logs/store-db-1.log", Bytes: 1},
	}
	got := target.KeptLogs(dir)
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
	if got := target.KeptLogs(""); got != nil {
		t.Errorf("without a folder: %v", got)
	}
}
