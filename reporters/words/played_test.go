package words_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/reporters/reporterstest"
	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// TestAnswer_Played: the answers to results of runs on nginx, on a plain URL and on Patroni, without their series. What
// failed there is known from the fault: each piece of advice was read beside the configuration of the system, and is
// true of it.
func TestAnswer_Played(t *testing.T) {
	files, err := filepath.Glob("testdata/played/*.json")
	if err != nil || len(files) < 9 {
		t.Fatalf("%d results, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r := &result.Result{}
			if err := json.Unmarshal(raw, r); err != nil {
				t.Fatal(err)
			}
			reporterstest.Golden(t, strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".json")+".txt",
				words.AnswerOf(reporterstest.Natured(r)).Text())
		})
	}
}
