//go:build unix

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"brunt/chaos/kube/kubetest"
)

// TestDoctor_Pods asks what a scenario with pods finds in its cluster.
func TestDoctor_Pods(t *testing.T) {
	program, err := exec.LookPath("brunt") // this one, by testscript
	if err != nil {
		t.Fatal(err)
	}
	s := kubetest.Start(t)
	s.Node("n1", map[string]string{"kubernetes.io/os": "linux"})
	b := newPodBedIn(t, &podBed{program: program, kubeconfig: s.Kubeconfig(t, ""), context: "test"}, "none")
	f, err := os.OpenFile(b.scenario, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("slo: [\"scaled(web, 2) < 5s after fail\"]\n"); err != nil {
		t.Fatal(err)
	}
	out, _ := b.brunt(t, t.TempDir(), "doctor", b.scenario) // whose code is also of this machine
	for _, want := range []string{
		"web (2)", "web has 2 pods now, so `scaled(web, 2) < 5s after fail` would show nothing", "CPU and memory by metrics",
	} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
