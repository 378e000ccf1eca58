package capacity

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/result/search"
)

// ToleranceVersion is the version of the files of tolerances that are written.
const ToleranceVersion = 1

const (
	toleranceSuffix = ".tolerance.json" // of a tolerance in a history
	mostTolerance   = 16 << 20          // the largest file that is read, in bytes
)

// Compare compares a search with another one of the same setting, of an earlier time or of another build. It is a
// regression if the whole interval has moved to smaller doses, or to larger ones where a larger dose does less harm, so
// that the two do not overlap. It is inconclusive if one of them is not confirmed, or if they are about different kinds
// of change. The result is in t.Against.
func Compare(t, was *search.Tolerance) {
	t.Against = &search.Against{
		Started: was.Started.UTC().Format("2006-01-02 15:04"), Commit: was.Commit, Low: was.Low,
		Verdict: compare(t, was),
	}
	if was.High.Known() {
		t.Against.High = float64(was.High)
	}
}

func compare(t, was *search.Tolerance) scenarios.Verdict {
	ends := func(t *search.Tolerance) (low, high float64, ok bool) {
		low, high = t.Low, float64(t.High)
		bad := t.Below == search.Breaks
		switch {
		case t.High.Known():
			ok = bad == t.Setting.Eases
		case bad == t.Setting.Eases: // nothing changes up to the largest dose
			high, ok = math.Inf(1), true
		}
		if !t.High.Known() && t.Setting.Eases && !bad { // survives all doses
			return 0, low, t.Found()
		}
		return low, high, ok && t.Found()
	}
	low, high, ok := ends(t)
	wasLow, wasHigh, wasOK := ends(was)
	switch {
	case !ok || !wasOK:
		return scenarios.Inconclusive
	case !t.Setting.Eases && high <= wasLow, t.Setting.Eases && low >= wasHigh:
		return scenarios.Regression
	}
	return scenarios.Pass
}

// CompareNewest compares a search with the newest one in a history of the same setting that is a measure: its interval
// is confirmed, and it passed its own comparison, if it had one. Without such a search it does nothing.
func CompareNewest(t *search.Tolerance, history []*search.Tolerance) {
	for _, was := range slices.Backward(history) {
		passed := was.Against == nil || was.Against.Verdict == scenarios.Pass
		if was.Name != t.Name || was.Setting != t.Setting || !was.Found() || !passed {
			continue
		}
		Compare(t, was)
		return
	}
}

// A Move is a change of a tolerance over the searches of a history.
type Move struct {
	At   int               // index of the first search at the new level
	From *search.Tolerance // first search at the level before
	Less bool              // the target tolerates less than before
}

// Moves returns the changes of the tolerance of one setting over its searches, the oldest first. A search is a change
// if its interval does not overlap that of the first search at the level before it, by the rule of [Compare]. Searches
// that are not confirmed, or of another kind of change, are left out.
func Moves(list []*search.Tolerance) (moves []Move) {
	var level *search.Tolerance
	for i, t := range list {
		switch {
		case compare(t, t) != scenarios.Pass: // not confirmed
		case level == nil:
			level = t
		case compare(t, level) == scenarios.Regression:
			moves, level = append(moves, Move{i, level, true}), t
		case compare(level, t) == scenarios.Regression:
			moves, level = append(moves, Move{i, level, false}), t
		}
	}
	return moves
}

// Newest returns the newest search of each setting of a scenario, in the order in which the settings came first.
func Newest(history []*search.Tolerance, name string) (list []*search.Tolerance) {
	for _, t := range history {
		i := slices.IndexFunc(list, func(l *search.Tolerance) bool { return l.Setting == t.Setting })
		switch {
		case t.Name != name:
		case i < 0:
			list = append(list, t)
		default:
			list[i] = t
		}
	}
	return list
}

// ReadTolerance reads the file of a search.
func ReadTolerance(file string) (*search.Tolerance, error) {
	b, err := disk.Read(file, mostTolerance)
	if err != nil {
		return nil, err
	}
	t := new(search.Tolerance)
	if err := json.Unmarshal(b, t); err != nil {
		return nil, fmt.Errorf("%s is not the result of `brunt tolerate`: %w", file, err)
	}
	if !t.Setting.Unit.Known() || t.Version < 1 || t.Version > ToleranceVersion {
		return nil, fmt.Errorf("%s is not the result of `brunt tolerate`, or of a version that this brunt reads (1 to %d)",
			file, ToleranceVersion)
	}
	return t, nil
}

// Tolerances reads the searches in the folder of a history, the oldest first. Problems has an error for each file that
// is not valid. A folder that does not exist has none.
func Tolerances(dir string) (list []*search.Tolerance, problems []error) {
	files, err := filepath.Glob(filepath.Join(dir, "*"+toleranceSuffix))
	if err != nil {
		return nil, []error{err}
	}
	for _, file := range files {
		t, err := ReadTolerance(file)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		list = append(list, t)
	}
	slices.SortStableFunc(list, func(a, b *search.Tolerance) int { return a.Started.Compare(b.Started) })
	return list, problems
}

// Add adds a search to the folder of a history, which it creates if needed. The file appears whole or not at all.
func Add(dir string, t *search.Tolerance) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("open history: %w", err)
	}
	name := t.Started.UTC().Format("20060102T150405.000") + "-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, t.Setting.Name())
	return disk.Replace(filepath.Join(dir, name+toleranceSuffix), disk.Shared, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(t)
	})
}
