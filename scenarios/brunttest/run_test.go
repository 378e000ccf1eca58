package brunttest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"brunt/scenarios/brunttest"
	"brunt/scenarios/suite"
)

// played names the case that a process started by TestRun plays.
const played = "BRUNTTEST_PLAYED"

func TestMain(m *testing.M) {
	switch os.Getenv(played) {
	case "":
		brunttest.Main(suite.Loading(m))
	case "no hook":
		os.Exit(m.Run())
	default:
		brunttest.Main(m)
	}
}

// TestShop is a test as a user of brunttest writes it. TestRun starts it, with each outcome that it can have.
func TestShop(t *testing.T) {
	if os.Getenv(played) == "" {
		t.Skip("TestRun starts it")
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"orders": []}`)
	}))
	defer server.Close()

	options := []brunttest.Option{brunttest.Set("url", server.URL)}
	if most := os.Getenv("MOST"); most != "" {
		options = append(options, brunttest.Set("most", most))
	}
	if policy := os.Getenv("POLICY"); policy != "" {
		options = append(options, brunttest.Policy(policy))
	}
	if output := os.Getenv("OUTPUT"); output != "" {
		options = append(options, brunttest.Output(output))
	}
	found := brunttest.Run(t, "testdata/shop.yaml", options...)

	if len(found.Faults) != 1 {
		t.Errorf("%d faults", len(found.Faults))
	}
}

// busyTries is how often a run is repeated that was invalid because this machine was too busy.
const busyTries = 12

func TestRun(t *testing.T) {
	output := filepath.Join(t.TempDir(), "report")
	for _, c := range []struct {
		name, played string
		env          []string
		ok           bool
		want         []string // regular expressions
		reported     bool     // the report stays
	}{
		{
			"it passes", "pass", nil, true,
			[]string{`--- PASS: TestShop/p90_<_\$?\{?\S+_in_baseline`, `--- PASS: TestShop/errors_<_1%`, `report: \S+report\.html`},
			false,
		},
		{
			"an objective fails", "fail",
			[]string{"MOST=10us"},
			false,
			[]string{
				`--- FAIL: TestShop/p90_<_\S+_in_baseline`, `--- PASS: TestShop/errors_<_1%`, `fail: \S+s`,
				`Don't ship\. `,
			},
			true,
		},
		{
			"a scenario with mistakes", "mistakes",
			[]string{"MOST=soon"},
			false,
			[]string{`--- FAIL: TestShop `, `shop\.yaml:\d+:\d+: .*soon`},
			false,
		},
		{
			"a policy forbids the fault", "policy",
			[]string{"BRUNT_POLICY=testdata/policy.yaml"},
			false,
			[]string{`shop\.yaml:\d+:\d+: .*network\.latency`, `policy\.yaml:2:10`},
			false,
		},
		{
			"its own policy forbids it", "policy",
			[]string{"POLICY=testdata/policy.yaml"},
			false,
			[]string{`policy\.yaml:2:10`},
			false,
		},
		{
			"a folder for the report", "output",
			[]string{"OUTPUT=" + output},
			true,
			[]string{"report: " + regexp.QuoteMeta(filepath.Join(output, "report.html"))},
			false,
		},
		{
			"without the hook", "no hook", nil, false,
			[]string{`func TestMain\(m \*testing\.M\) \{ brunttest\.Main\(m\) \}`},
			false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for try := range busyTries {
				said, ok, temp := play(t, c.played, c.env)
				if strings.Contains(said, "invalid: ") && try < busyTries-1 {
					continue
				}
				if ok != c.ok {
					t.Errorf("the test passes: %t, want %t", ok, c.ok)
				}
				for _, want := range c.want {
					if !regexp.MustCompile(want).MatchString(said) {
						t.Errorf("no %s", want)
					}
				}
				reports, err := filepath.Glob(filepath.Join(temp, "brunttest-*", "report.html"))
				if err != nil || (len(reports) == 1) != c.reported {
					t.Errorf("reports: %v %v", reports, err)
				}
				if t.Failed() {
					t.Log(said)
				}
				return
			}
		})
	}
}

// play starts TestShop in a process of its own, and returns its output and its folder for temporary files.
func play(t *testing.T, name string, env []string) (said string, ok bool, temp string) {
	t.Helper()
	temp = t.TempDir()
	c := exec.Command(os.Args[0], "-test.run=^TestShop$", "-test.v", "-test.timeout=5m")
	c.Env = append(os.Environ(), append(env, played+"="+name, "TMPDIR="+temp, "TMP="+temp, "BRUNT_STATE="+t.TempDir())...)
	out, err := c.CombinedOutput()
	return string(out), err == nil, temp
}
