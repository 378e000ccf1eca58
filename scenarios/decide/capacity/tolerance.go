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
	"brunt/scenarios/quantity"
	"brunt/scenarios/result/search"
	"brunt/scenarios/syntax"
)

// ToleranceVersion is the version of the files of tolerances that are written.
const ToleranceVersion = 1

const (
	toleranceSuffix = ".tolerance.json" // of a tolerance in a history
	mostTolerance   = 16 << 20          // the largest file that is read, in bytes
)

// An Against is a comparison with an earlier search.
type Against struct {
	Started string            `json:"started"`          // when the earlier search began
	Commit  string            `json:"commit,omitempty"` // of the system under test then
	Low     float64           `json:"low"`
	High    float64           `json:"high,omitempty"` // zero: nothing changed up to the largest dose
	Verdict scenarios.Verdict `json:"verdict"`        // pass, regression or inconclusive
}

// Figure names the tolerance: tolerance(slow-store.delay).
func (t *Tolerance) Figure() string { return "tolerance(" + t.Setting.Name() + ")" }

// Found reports whether the search knows the answer with its confidence.
func (t *Tolerance) Found() bool { return t.Below != "" && t.Confidence > 0 }

// Interval says where the answer changes: survives 210ms, fails from 230ms.
func (t *Tolerance) Interval() string {
	say := t.Setting.Unit.Format
	high := float64(t.High)
	switch {
	case t.Below == "":
		return "not found"
	case !t.High.Known() && t.Below == search.Holds:
		return fmt.Sprintf("survives up to %s, the largest tried", say(t.Low))
	case !t.High.Known():
		return fmt.Sprintf("fails up to %s, the largest tried", say(t.Low))
	case t.Below == search.Breaks:
		return fmt.Sprintf("fails up to %s, survives from %s", say(t.Low), say(high))
	case t.Low == 0:
		return fmt.Sprintf("fails from %s; no smaller dose was seen to be survived", say(high))
	}
	return fmt.Sprintf("survives %s, fails from %s", say(t.Low), say(high))
}

// Sentence is the answer in one sentence, with the objective that failed first and the confidence.
func (t *Tolerance) Sentence() string {
	s := t.Setting.Name() + ": " + t.Interval()
	if t.Objective != "" {
		s += " (" + t.Objective + ")"
	}
	switch {
	case t.Below == "":
	case t.Confidence > 0:
		s += fmt.Sprintf(", with %s confidence", quantity.FormatShare(t.Confidence))
	default:
		s += ", not confirmed: probes of one dose contradicted each other"
	}
	return s
}

// More returns what the answer leaves out, in sentences: further changes, further objectives, and limits of brunt.
func (t *Tolerance) More() (out []string) {
	say := t.Setting.Unit.Format
	words := map[search.Answer]string{search.Holds: "survives", search.Breaks: "fails"}
	for i, c := range t.Changes {
		if i == 0 && t.High.Known() && float64(t.High) == c.To {
			continue
		}
		again := " again"
		if t.Below == "" { // the search ended early
			again = ""
		}
		out = append(out, fmt.Sprintf("Between %s and %s it changes%s: it %s %s.", say(c.From), say(c.To), again,
			words[c.Then], say(c.To)))
	}
	others := slices.DeleteFunc(slices.Clone(t.Objectives), func(o string) bool { return o == t.Objective })
	if len(others) > 0 {
		out = append(out, "These fail as well: "+strings.Join(others, "; ")+".")
	}
	if t.Why != "" {
		at := t.Low
		if t.Above == search.Breaks {
			at = float64(t.High)
		}
		out = append(out, fmt.Sprintf("At %s: %s.", say(at), t.Why))
	}
	var limited []string
	for _, d := range t.Doses {
		if d.Answer == search.Limited {
			limited = append(limited, say(d.Dose))
		}
	}
	if len(limited) > 0 {
		out = append(out, fmt.Sprintf("Nothing is known of %s: the generator was the limit there, not the target.",
			strings.Join(limited, ", ")))
	}
	if a := t.Against; a != nil {
		was := "no change up to " + say(a.Low)
		if a.High > 0 {
			was = "the change between " + say(a.Low) + " and " + say(a.High)
		}
		commit := ""
		if a.Commit != "" {
			commit = " (" + a.Commit + ")"
		}
		out = append(out, fmt.Sprintf("%s: the search of %s%s found %s.",
			strings.TrimSuffix(syntax.Sentence(string(a.Verdict)), "."), a.Started, commit, was))
	}
	return out
}

// Compare compares a search with an earlier one of the same setting. It is a regression if the whole interval has moved
// to smaller doses, or to larger ones where a larger dose does less harm, so that the two do not overlap. It is
// inconclusive if one of them is not confirmed, or if they are about different kinds of change.
func (t *Tolerance) Compare(was *Tolerance) scenarios.Verdict {
	ends := func(t *Tolerance) (low, high float64, ok bool) {
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

// Hold compares a search with the newest one in a history of the same setting that is a measure: its interval is
// confirmed, and it passed its own comparison, if it had one. Hold does nothing if there is none.
func (t *Tolerance) Hold(history []*Tolerance) {
	for _, was := range slices.Backward(history) {
		passed := was.Against == nil || was.Against.Verdict == scenarios.Pass
		if was.Name != t.Name || was.Setting != t.Setting || !was.Found() || !passed {
			continue
		}
		t.Against = &Against{
			Started: was.Started.UTC().Format("2006-01-02 15:04"), Commit: was.Commit, Low: was.Low, Verdict: t.Compare(was),
		}
		if was.High.Known() {
			t.Against.High = float64(was.High)
		}
		return
	}
}

// ReadTolerance reads the file of a search.
func ReadTolerance(file string) (*Tolerance, error) {
	b, err := disk.Read(file, mostTolerance)
	if err != nil {
		return nil, err
	}
	t := new(Tolerance)
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
func Tolerances(dir string) (list []*Tolerance, problems []error) {
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
	slices.SortStableFunc(list, func(a, b *Tolerance) int { return a.Started.Compare(b.Started) })
	return list, problems
}

// Add adds the search to the folder of a history, which it creates if needed.
func (t *Tolerance) Add(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("open history: %w", err)
	}
	name := t.Started.UTC().Format("20060102T150405.000") + "-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, t.Setting.Name())
	return t.Write(filepath.Join(dir, name+toleranceSuffix))
}

// Write writes the search to a file, which appears whole or not at all.
func (t *Tolerance) Write(file string) error {
	return disk.Replace(file, disk.Shared, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(t)
	})
}

// A CurvePoint is a dose with the medians of its probes, as texts; – is not known.
type CurvePoint struct {
	Dosed
	Agree, Probes     int // probes with that answer, of all at the dose
	P95, Good, Failed string
}

// Curve returns the decided doses with their figures, from the smallest.
func (t *Tolerance) Curve() (list []CurvePoint) {
	for _, d := range t.Doses {
		p := CurvePoint{Dosed: d}
		var p95, good, failed []float64
		for _, probed := range t.Probes {
			if probed.Dose != d.Dose || probed.Answer == search.Disturbed {
				continue
			}
			p.Probes++
			if probed.Answer == d.Answer {
				p.Agree++
			}
			if f := probed.Figures; f != nil {
				at := float64(f.P95)
				if math.IsNaN(at) {
					at = math.Inf(1)
				}
				p95, good, failed = append(p95, at), append(good, f.Good), append(failed, f.Failed)
			}
		}
		p.P95, p.Good, p.Failed = middle(p95, quantity.FormatSeconds), middle(good, func(f float64) string {
			return fmt.Sprintf("%.4g/s", f)
		}), middle(failed, quantity.FormatShareBriefly)
		list = append(list, p)
	}
	return list
}

// middle formats the median of a list.
func middle(list []float64, say func(float64) string) string {
	if len(list) == 0 {
		return "–"
	}
	slices.Sort(list)
	f := list[len(list)/2]
	if math.IsInf(f, 1) {
		return "∞"
	}
	return say(f)
}
