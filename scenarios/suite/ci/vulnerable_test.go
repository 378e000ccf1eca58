package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOlder(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"v1.2.3", "v1.2.4", true},
		{"v1.2.4", "v1.2.4", false},
		{"v1.10.0", "v1.9.9", false},
		{"v0.38.0", "v0.4.0", false},
		{"v1.2.4-rc.1", "v1.2.4", true},
		{"v1.2.4", "v1.2.4-rc.1", false},
		{"v0.0.0-20220101000000-abcdefabcdef", "v0.0.0-20220526004731-065cf7ba2467", true},
		{"v28.5.2+incompatible", "v28.0.0+incompatible", false},
		{"v25.0.0+incompatible", "v28.0.0+incompatible", true},
		{"devel", "v1.0.0", true},
	} {
		if got := older(c.a, c.b); got != c.want {
			t.Errorf("%s is older than %s: %v", c.a, c.b, got)
		}
	}
}

// TestVulnerable: a module in a version before the one that mends it is named, with what to do.
func TestVulnerable(t *testing.T) {
	known, err := readVulnerable("list", "# comment\n\nexample.com/a v1.2.0 GO-1\nexample.com/a v1.3.0 GO-2\n")
	if err != nil || len(known) != 2 {
		t.Fatal(known, err)
	}
	for at, want := range map[version]string{
		{"example.com/a", "v1.1.9"}: "example.com/a v1.1.9 has GO-1: update it to v1.2.0 or later\n" +
			"example.com/a v1.1.9 has GO-2: update it to v1.3.0 or later",
		{"example.com/a", "v1.2.5"}:    "example.com/a v1.2.5 has GO-2: update it to v1.3.0 or later",
		{"example.com/a", "v1.3.0"}:    "",
		{"example.com/a/v2", "v2.0.0"}: "",
	} {
		got := ""
		if err := at.vulnerable(known); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%v: %q, want %q", at, got, want)
		}
	}
	for _, line := range []string{"example.com/a v1.2", "example.com/a 1.2.0 GO-1", "example.com/a v1.2.0"} {
		if _, err := readVulnerable("list", "#\n"+line); err == nil || !strings.HasPrefix(err.Error(), "list:2: ") {
			t.Errorf("%q: %v", line, err)
		}
	}
}

// TestVulnerable_Linked: without a database the command finds vulnerable versions of modules that a program links, and
// no others.
func TestVulnerable_Linked(t *testing.T) {
	t.Chdir(filepath.Join("..", "..", ".."))
	was := shipped
	t.Cleanup(func() { shipped = was })
	shipped = []string{"."} // a machine that only tests has no modules of the others
	none := httptest.NewServer(http.NotFoundHandler())
	defer none.Close()
	t.Setenv("GOVULNDB", none.URL)
	file := filepath.Join(t.TempDir(), "list")
	list := "golang.org/x/sys v0.999.0 GO-1\ngolang.org/x/sys v0.1.0 GO-2\nexample.com/nobody v9.0.0 GO-3\n" +
		"github.com/spf13/cobra v9.0.0 CVE-4\n"
	if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	err := vulnerable(t.Context(), []string{file})
	if err == nil {
		t.Fatal("nothing is found")
	}
	for part, want := range map[string]bool{
		"golang.org/x/sys v0.": true, " has GO-1: update it to v0.999.0 or later": true, " has CVE-4: ": true, "GO-2": false, "GO-3": false,
	} {
		if strings.Contains(err.Error(), part) != want {
			t.Errorf("%q: want %v in %v", part, want, err)
		}
	}
}
