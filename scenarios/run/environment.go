package run

import (
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"brunt/scenarios"
)

// Version is brunt's version: that of the module, or of the commit it was built
// from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" {
		v = "devel"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && !strings.Contains(v, s.Value[:min(12, len(s.Value))]) {
			v += " " + s.Value[:min(12, len(s.Value))]
		}
		if s.Key == "vcs.modified" && s.Value == "true" && !strings.Contains(v, "dirty") {
			v += "+dirty"
		}
	}
	return v
}

func (r *runner) environment() scenarios.Environment {
	var command []string
	for _, arg := range os.Args {
		command = append(command, r.Scenario.Secrets.Mask(arg))
	}
	var policies []string
	for _, p := range r.policies {
		policies = append(policies, policyName(p))
	}
	return scenarios.Environment{
		Brunt: Version(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU(),
		Kernel: kernel(), Memory: memory(), Files: fileLimit(), Command: command, Target: r.targetName(), Policies: policies,
	}
}
