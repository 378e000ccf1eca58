package protect

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"brunt/chaos/proc"
	"brunt/targets/platform/docker"
)

// A Protection lists the things that one rule protects.
type Protection struct {
	What string // such as: process 812 (dockerd)
	Why  string
}

// mostNamed is the number of processes of one rule that are named.
const mostNamed = 8

// Local lists the protected things on this machine that no policy changes: processes by their rules, and the containers
// of an engine; a nil engine means that none answers.
func Local(ctx context.Context, e *docker.Engine) []Protection {
	by := map[string][]string{}
	for _, pid := range proc.All() {
		err := proc.ProtectAll(pid)
		if err == nil {
			continue
		}
		_, why, _ := strings.Cut(err.Error(), proc.ErrProtected.Error()+": ")
		by[why] = append(by[why], fmt.Sprintf("%d (%s)", pid, proc.ProcessOf(pid).Name))
	}
	var out []Protection
	for _, why := range slices.Sorted(maps.Keys(by)) {
		all := by[why]
		what := "process " + all[0]
		if n := len(all); n > 1 {
			what = "processes " + strings.Join(all[:min(n, mostNamed)], ", ")
			if n > mostNamed {
				what += fmt.Sprintf(" and %d more", n-mostNamed)
			}
		}
		out = append(out, Protection{what, why})
	}
	if e == nil {
		return out
	}
	containers, err := docker.All(ctx, e)
	if err != nil {
		return out
	}
	for i := range containers {
		if err := containers[i].Protected(); err != nil {
			_, why, _ := strings.Cut(err.Error(), containers[i].Name+" ")
			out = append(out, Protection{"container " + containers[i].Name, why})
		}
	}
	return out
}
