package compare

import (
	"fmt"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// A mismatch is a reason not to compare runs.
type mismatch struct {
	What string // scenario, machine, generator or run, as in Options.Allow
	Text string // the difference, and its runs
}

// mismatches lists differences between the runs that the target did not cause.
func mismatches(runs []Run) []mismatch {
	var out []mismatch
	first := runs[0]
	for _, r := range runs {
		add := func(what, format string, args ...any) {
			out = append(out, mismatch{what, r.Name + ": " + fmt.Sprintf(format, args...)})
		}
		if line, a, b, differs := firstDifference(first.Scenario, r.Scenario); differs {
			add("scenario", "the scenario differs from the scenario of %s: line %d is %q, there it is %q", first.Name, line, b,
				a)
		}
		if r.Chaos != first.Chaos {
			add("scenario", "faults were injected only in this run or in %s, not in both", first.Name)
		}
		if a, b := machineOf(first.Result), machineOf(r.Result); a != b {
			add("machine", "the machine differs from the machine of %s: %s, there %s", first.Name, b, a)
		}
		if !r.Generator.Healthy {
			why := "the generator was the limit"
			if len(r.Generator.Limits) > 0 {
				why += ": " + r.Generator.Limits[0]
			}
			add("generator", "%s", why)
		}
		if slices.Contains([]scenarios.Verdict{
			scenarios.Interrupted, scenarios.Stopped, scenarios.Broken, scenarios.NotReverted,
		}, r.Verdict) {
			add("run", "the run did not complete: %s", r.Reason)
		}
		if r.Void() && r.Generator.Healthy {
			add("run", "the verdict of the run is %s: %s", r.VerdictWords(), r.Reason)
		}
	}
	return out
}

// machineOf returns the part of an environment that runs must share.
func machineOf(r *result.Result) string {
	e := r.Environment
	return fmt.Sprintf("%s/%s, kernel %s, %d processors, %d GiB of memory", e.OS, e.Arch, e.Kernel, e.CPUs,
		(e.Memory+1<<29)>>30)
}

// firstDifference finds the first line in which two texts differ.
func firstDifference(a, b string) (line int, left, right string, differs bool) {
	if a == b {
		return 0, "", "", false
	}
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range max(len(as), len(bs)) {
		left, right = lineOf(as, i), lineOf(bs, i)
		if left != right {
			return i + 1, left, right, true
		}
	}
	return 0, "", "", false
}

func lineOf(lines []string, i int) string {
	if i >= len(lines) {
		return ""
	}
	return strings.TrimSpace(lines[i])
}

// MismatchKinds lists the values of Options.Allow.
func MismatchKinds() []string {
	return []string{"scenario", "machine", "generator", "run"}
}
