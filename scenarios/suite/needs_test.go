package suite_test

import (
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"testing"

	"brunt/scenarios/suite"
)

// ends records how a test ends: "" is that it goes on.
type ends struct {
	testing.TB
	how, text string
}

type over struct{}

func (e *ends) Helper() {}

func (e *ends) Skip(args ...any) { e.over("skip", fmt.Sprint(args...)) }

func (e *ends) Skipf(format string, args ...any) { e.over("skip", fmt.Sprintf(format, args...)) }

func (e *ends) Fatalf(format string, args ...any) { e.over("fail", fmt.Sprintf(format, args...)) }

func (e *ends) over(how, text string) {
	e.how, e.text = how, text
	panic(over{})
}

// TestNeeds: a test that lacks what a machine of CI has skips, and fails in CI. What it lacks anywhere comes first.
func TestNeeds(t *testing.T) {
	for _, c := range []struct {
		name     string
		env      map[string]string
		needs    []suite.Need
		here, ci string // how the test ends
	}{
		{"nothing", nil, nil, "", ""},
		{"a suite", nil, []suite.Need{suite.In("kill"), suite.EveryPart, suite.VM}, "", ""},
		{"a program that is there", nil, []suite.Need{suite.Programs("go")}, "", ""},
		{"a program", nil, []suite.Need{suite.Programs("go", "no-such-program")}, "skip", "fail"},
		{
			"an engine", map[string]string{"DOCKER_HOST": "unix:///nowhere.sock"}, []suite.Need{suite.Docker}, "skip", "fail",
		},
		{"a cluster", map[string]string{"BRUNT_KUBECONFIG": ""}, []suite.Need{suite.Kubernetes}, "skip", "skip"},
		{"a cluster that is there", map[string]string{"BRUNT_KUBECONFIG": "x"}, []suite.Need{suite.Kubernetes}, "", ""},
		{"an idle machine", map[string]string{"BRUNT_EXACT": ""}, []suite.Need{suite.Alone}, "skip", "skip"},
		{"no tests beside it", map[string]string{"BRUNT_FLAKY": ""}, []suite.Need{suite.Flaky}, "skip", "skip"},
		{"no tests beside it, in its suite", map[string]string{"BRUNT_FLAKY": "1"}, []suite.Need{suite.Flaky}, "", ""},
		{
			"a cluster and a program",
			map[string]string{"BRUNT_KUBECONFIG": ""},
			[]suite.Need{suite.Programs("no-such-program"), suite.Kubernetes},
			"skip", "skip",
		},
	} {
		for ci, want := range map[string]string{"": c.here, "true": c.ci} {
			t.Run(c.name+", CI="+ci, func(t *testing.T) {
				t.Setenv("CI", ci)
				for name, value := range c.env {
					t.Setenv(name, value)
				}
				if e := needs(c.needs...); e.how != want || want != "" && e.text == "" {
					t.Errorf("it ends by %q: %q, want %q", e.how, e.text, want)
				}
			})
		}
	}
	if e := needs(suite.Minutes(3)); (e.how == "skip") != testing.Short() {
		t.Errorf("with -short %t, a test of minutes ends by %q: %s", testing.Short(), e.how, e.text)
	}
}

// needs calls suite.Needs for a test that records its end.
func needs(all ...suite.Need) (e *ends) {
	e = &ends{}
	defer func() {
		if r := recover(); r != nil && r != any(over{}) {
			panic(r)
		}
	}()
	suite.Needs(e, all...)
	return e
}

// TestNeeds_Docker asks an engine.
func TestNeeds_Docker(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Skip("no sockets of Unix: ", err)
	}
	code := http.StatusOK
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/_ping" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.WriteHeader(code)
	})}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	t.Setenv("CI", "")
	t.Setenv("DOCKER_HOST", "unix://"+socket)
	t.Setenv("DOCKER_TLS_VERIFY", "")
	if e := needs(suite.Docker); e.how != "" {
		t.Errorf("an engine that answers is not found: %s", e.text)
	}
	code = http.StatusForbidden
	if e := needs(suite.Docker); e.how != "skip" {
		t.Error("an engine that refuses is taken for one")
	}
}
