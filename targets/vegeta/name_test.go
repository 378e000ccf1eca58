package vegeta_test

import (
	"os"
	"strings"
	"testing"

	"brunt/targets/vegeta"
)

// The version in reports is the one that is linked. A program of tests has no build information that names it.
func TestName(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := strings.TrimPrefix(vegeta.Name, "vegeta ")
	if !strings.Contains(string(mod), "\tgithub.com/tsenart/vegeta/v12 "+version+"\n") {
		t.Errorf("reports name %s, which go.mod does not require", vegeta.Name)
	}
}
