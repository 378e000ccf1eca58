package resource

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"brunt/chaos"
	"brunt/chaos/proc"
)

// opScore is the name of the undo of a changed oom_score_adj.
const opScore = "oom.score"

// killFirst is the score of a process that the kernel kills before all others. Raising a score needs no right;
// lowering it below its first value does.
const killFirst = 1000

// scored is a process with its oom_score_adj.
type scored struct {
	id  proc.Identity
	was int
}

func scoreFile(pid int) string { return fmt.Sprintf("/proc/%d/oom_score_adj", pid) }

func scoreOf(pid int) (int, error) {
	b, err := os.ReadFile(scoreFile(pid))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}

func setScore(pid, score int) error {
	return os.WriteFile(scoreFile(pid), []byte(strconv.Itoa(score)), 0)
}

// scoresOf reads the scores of a process and all its descendants.
func scoresOf(pid int) ([]scored, error) {
	var out []scored
	for _, p := range proc.Family(pid) {
		id, err := proc.Identify(p)
		if err != nil || proc.IsZombie(p) {
			continue // the process has ended meanwhile
		}
		was, err := scoreOf(p)
		if err != nil {
			return nil, err
		}
		if was == killFirst {
			return nil, fmt.Errorf("the kernel already kills pid %d first if memory runs out, and not because of this run", p)
		}
		out = append(out, scored{id, was})
	}
	if len(out) == 0 {
		return nil, proc.ErrEnded
	}
	return out, nil
}

// raiseScores makes the kernel kill these processes before all others.
func raiseScores(all []scored) error {
	for _, s := range all {
		if err := setScore(s.id.PID, killFirst); err != nil && s.id.Alive() {
			return err
		}
	}
	return nil
}

func undoScores(all []scored) []chaos.Undo {
	var out []chaos.Undo
	for _, s := range all {
		prior, _ := json.Marshal(s.was)
		out = append(out, chaos.Undo{Op: opScore, Identity: s.id.Raw(), Prior: prior})
	}
	return out
}

// restoreScore restores the score of a process, if the process still has the score that brunt set.
func restoreScore(u chaos.Undo, pid int) (undone bool, err error) {
	var was int
	if err := json.Unmarshal(u.Prior, &was); err != nil {
		return false, fmt.Errorf("%w: %w", chaos.ErrDamaged, err)
	}
	now, err := scoreOf(pid)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return false, nil
	case err != nil || now != killFirst:
		return now == was, err
	}
	return true, setScore(pid, was)
}
