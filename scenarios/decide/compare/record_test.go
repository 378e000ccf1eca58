package compare_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"brunt/scenarios/decide/compare"
)

// TestOutdated reads records of older versions: each says which of its values are not compared.
func TestOutdated(t *testing.T) {
	const skipped = `{"phase":"run","load":"*","step":"*","metric":"p95","value":0.1,"count":90},
		{"phase":"run","load":"*","step":"*","metric":"errors","value":0.1,"count":100,"bad":10}`
	const recovery = `{"phase":"kill","load":"*","step":"*","metric":"recover","value":2,"count":100}`
	const after = `{"phase":"recovery/kill","load":"*","step":"*","metric":"p95","value":0.1,"count":90}`
	const byWindows, uncounted = "it was measured by windows and not by requests", "skipped steps did not count as errors"
	const late = "harm after the end of a fault counted as its own without further evidence"
	for _, tt := range []struct {
		name    string
		version int
		values  string
		want    string
		more    string // keys of the record
	}{
		{"version 1", 1, skipped + "," + recovery, "recover of 1 older record is not compared, as " + byWindows + "; " +
			"errors of 1 older record is not compared, as " + uncounted, ""},
		{
			"version 1 with the phase of a recovery", 1, after,
			"recovery/FAULT of 1 older record is not compared, as it ended with the recovery and not a " +
				"hold after it", "",
		},
		{"version 2 with the phase of a recovery", 2, after, "", ""},
		{
			"version 2", 2, skipped + "," + recovery, "errors of 1 older record is not compared, as " + uncounted + "; " +
				"recover of 1 older record is not compared, as " + late, "",
		},
		{"version 3", 3, skipped + "," + recovery, "recover of 1 older record is not compared, as " + late, ""},
		{"definitions 1", 4, recovery, "recover of 1 older record is not compared, as " + late, `"definitions":1,`},
		{
			"definitions 2", 4, skipped + "," + recovery + "," + after, "recover of 1 older record is not compared, as later " +
				"harm in a fault, a relapse after the last one, and slower answers at any time of a fault counted as its own " +
				"without further evidence",
			`"definitions":2,`,
		},
		{"definitions 3", 4, skipped + "," + recovery + "," + after, "", `"definitions":3,`},
		{
			"definitions 1 with init", 4, skipped, "the sum of all steps of 1 older record is not compared, as " +
				"requests of init counted in it", `"scenario":{"load.browse.init[0].post":"/login"},`,
		},
		{"definitions 2 with init", 4, skipped, "", `"definitions":2,"scenario":{"load.browse.init[0].post":"/login"},`},
		{"a load named init", 4, skipped, "", `"scenario":{"load.init.flow[0].get":"/"},`},
		{
			"version 1 without such values", 1, `{"phase":"run","load":"*","step":"*","metric":"p95","value":0.1,"count":90}`,
			"", "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			text := fmt.Sprintf(`{"version":%d,"run":"a","name":"s","key":"k","started":"2026-11-20T10:00:00Z","machine":{"cpus":2},%s
				"values":[%s]}`, tt.version, tt.more, tt.values)
			if err := os.WriteFile(filepath.Join(dir, "a.run.json"), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			h, err := compare.OpenHistory(dir)
			if err != nil {
				t.Fatal(err)
			}
			all := h.Records()
			if len(all) != 1 || all[0].Key != "k" {
				t.Fatalf("%d records of %v", len(all), h.Problems)
			}
			if got := compare.Outdated(all); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
