package words

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// Verdict returns a verdict in words, such as not reverted.
func Verdict(v scenarios.Verdict) string {
	if v == "" {
		return "unknown"
	}
	return Clip(Clean(v.Words()), widestVerdict+2)
}

// RunVerdict returns the verdict of a run in words, such as baseline failed.
func RunVerdict(r *result.Result) string {
	if r.Untried() != "" {
		return r.VerdictWords()
	}
	return Verdict(r.Verdict)
}

// widestVerdict is the width of the longest verdict.
const widestVerdict = len(scenarios.Inconclusive)

// Mark returns the sign beside the word of a verdict. It is never shown without the word.
func Mark(v scenarios.Verdict) string {
	switch v {
	case scenarios.Pass:
		return "✓"
	case scenarios.Fail, scenarios.NotReverted, scenarios.Regression, scenarios.Broken:
		return "✗"
	case scenarios.Running:
		return "▶"
	case scenarios.Pending:
		return "·"
	}
	return "?"
}

// Tone returns the colour of a verdict: good, bad, unsure or going.
func Tone(v scenarios.Verdict) string {
	return map[string]string{"✓": "good", "✗": "bad", "?": "unsure", "▶": "going", "·": "unsure"}[Mark(v)]
}

// Meaning explains the verdict of a run.
func Meaning(r *result.Result) string {
	if r.Untried() != "" {
		return "nothing was tried, so that nothing was judged"
	}
	for _, row := range scenarios.ExitTable() {
		if row[1] == string(r.Verdict) {
			return row[2]
		}
	}
	return ""
}

// Clean makes text safe for one line; see [syntax.Clean].
func Clean(s string) string { return syntax.Clean(s) }

// clean is Clean for each text of a list.
func clean(list []string) []string {
	out := make([]string, len(list))
	for i, text := range list {
		out[i] = Clean(text)
	}
	return out
}

// CleanLines is Clean for text of several lines.
func CleanLines(s string) string { return syntax.CleanLines(s) }

// Seconds formats a duration in seconds; unknown is –.
func Seconds(n result.Num) string {
	if !n.Known() {
		return "–"
	}
	return quantity.FormatSeconds(float64(n))
}

// Known formats a figure; – if it is not known, ∞ if it is infinite.
func Known(f float64, format func(float64) string) string {
	switch {
	case math.IsNaN(f):
		return "–"
	case math.IsInf(f, 0):
		return "∞"
	}
	return format(f)
}

// Offset formats a moment on the run's clock, to the millisecond; unknown is –.
func Offset(n result.Num) string {
	if !n.Known() {
		return "–"
	}
	return quantity.FormatDuration(time.Duration(math.Round(float64(n)*1e3)) * time.Millisecond)
}

// Clock formats whole seconds as 00:42 or 1:02:03.
func Clock(seconds float64) string {
	s := int64(math.Max(0, seconds))
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}

// Share formats a part of a whole in percent with three figures.
func Share(part, whole int64) string {
	if whole == 0 {
		return "–"
	}
	return Percent(float64(part) / float64(whole))
}

// Percent formats a share in percent with three figures. Only an exact 0 or 1 gives 0% or
// 100%.
func Percent(f float64) string { return quantity.FormatShareBriefly(f) }

// Rate formats events per second with three figures.
func Rate(n result.Num) string {
	if !n.Known() {
		return "–"
	}
	return Number(float64(n)) + "/s"
}

// Number formats f with three figures, or as a whole number from 100 on.
func Number(f float64) string {
	digits := 0
	if a := math.Abs(f); a > 0 && a < 100 {
		digits = min(6, 2-int(math.Floor(math.Log10(a))))
	}
	p := math.Pow(10, float64(digits))
	s := strconv.FormatFloat(math.Round(f*p)/p, 'f', digits, 64) // rounds halves up, like the page's script
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// Count groups the digits of large numbers: 12 345, with blanks that do not break.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	if n < 10_000 {
		return s
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u00a0" + s[i:]
	}
	return s
}

// Bytes formats a number of bytes in B, KiB, MiB, GiB or TiB.
func Bytes(n int64) string {
	f, units := float64(n), []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for f >= 1024 && i < len(units)-1 {
		f /= 1024
		i++
	}
	return Number(f) + " " + units[i]
}

// Plural formats a count with its noun.
func Plural(n int64, one, many string) string { return syntax.Plural(n, one, many) }

// Join formats a list as in a sentence: a, b and c.
func Join(list []string) string { return join(list, " and ") }

// Either formats a list of choices as in a sentence: a, b or c.
func Either(list []string) string { return join(list, " or ") }

func join(list []string, last string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + last + list[len(list)-1]
}

// Capitalize returns s with a capital first letter.
func Capitalize(s string) string {
	c, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(c)) + s[n:]
}

// Percentile formats a percentile of the response times of population requests; ∞ if more requests failed than the
// percentile allows.
func Percentile(n result.Num, population int64) string {
	if IsInfinite(n, population) {
		return "∞"
	}
	return Seconds(n)
}

// Command quotes the words of a command for a shell.
func Command(words []string) string {
	out := make([]string, 0, len(words))
	for _, w := range words {
		w = CleanLines(w)
		if w == "" || strings.ContainsFunc(w, func(c rune) bool {
			return !(unicode.IsLetter(c) || unicode.IsDigit(c) || strings.ContainsRune("-_=./:,@%+", c))
		}) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}
