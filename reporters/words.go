package reporters

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
)

// word is a verdict as a sentence writes it.
func word(v scenarios.Verdict) string {
	if v == "" {
		return "unknown"
	}
	return clip(clean(strings.ReplaceAll(string(v), "_", " ")), widestVerdict+2)
}

// widestVerdict is the width of the longest verdict there is.
const widestVerdict = len(scenarios.Inconclusive)

// mark is the sign that stands beside the word of a verdict, never alone.
func mark(v scenarios.Verdict) string {
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

// tone is how a verdict is coloured: good, bad or unsure.
func tone(v scenarios.Verdict) string {
	return map[string]string{"✓": "good", "✗": "bad", "?": "unsure", "▶": "going", "·": "unsure"}[mark(v)]
}

// meaning says in words what a run's verdict stands for.
func meaning(v scenarios.Verdict) string {
	for _, row := range scenarios.ExitTable() {
		if row[1] == string(v) {
			return row[2]
		}
	}
	return ""
}

// clean makes text fit for one line of a terminal or a page: line breaks and tabs
// become blanks, what controls a terminal or the direction of text becomes visible.
func clean(s string) string { return visible(s, " ") }

// cleanLines is clean for text of several lines.
func cleanLines(s string) string {
	return visible(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
}

func visible(s, newline string) string {
	safe := true
	for i := 0; i < len(s) && safe; i++ {
		safe = s[i] >= ' ' && s[i] < 0x7f
	}
	if safe {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		c, n := utf8.DecodeRuneInString(s)
		switch {
		case c == utf8.RuneError && n == 1:
			b.WriteRune(utf8.RuneError) // as JSON keeps it
		case c == '\n' || c == '\r' || c == '\u2028' || c == '\u2029':
			b.WriteString(newline)
		case c == '\t':
			b.WriteByte(' ')
		case unicode.IsControl(c):
			fmt.Fprintf(&b, `\x%02x`, c)
		case unicode.Is(unicode.Bidi_Control, c) || c == '\ufeff' || c == '\ufffe' || c == '\uffff':
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// seconds writes a span that may be unknown.
func seconds(n result.Num) string {
	if !n.Known() {
		return "–"
	}
	return quantity.FormatSeconds(float64(n))
}

// offset writes a moment on the run's clock to the millisecond.
func offset(n result.Num) string {
	if !n.Known() {
		return "–"
	}
	return quantity.FormatDuration(time.Duration(math.Round(float64(n)*1e3)) * time.Millisecond)
}

// clock writes whole seconds as 00:42 or 1:02:03.
func clock(seconds float64) string {
	s := int64(math.Max(0, seconds))
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}

// share writes a part of a whole with three figures.
func share(part, whole int64) string {
	if whole == 0 {
		return "–"
	}
	return percent(float64(part) / float64(whole))
}

// percent writes a share with three figures, and never 0% or 100% for what is
// neither.
func percent(f float64) string { return quantity.FormatShareBriefly(f) }

// rate writes events per second with three figures.
func rate(n result.Num) string {
	if !n.Known() {
		return "–"
	}
	return number(float64(n)) + "/s"
}

// number writes f with three figures, or as a whole number from 100 on.
func number(f float64) string {
	digits := 0
	if a := math.Abs(f); a > 0 && a < 100 {
		digits = min(6, 2-int(math.Floor(math.Log10(a))))
	}
	p := math.Pow(10, float64(digits))
	s := strconv.FormatFloat(math.Round(f*p)/p, 'f', digits, 64) // halves up, as the page's script does
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// count groups the digits of large numbers: 12 345, with blanks that do not break.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	if n < 10_000 {
		return s
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u00a0" + s[i:]
	}
	return s
}

// bytesOf writes a number of bytes.
func bytesOf(n int64) string {
	f, units := float64(n), []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for f >= 1024 && i < len(units)-1 {
		f /= 1024
		i++
	}
	return number(f) + " " + units[i]
}

// plural writes a count with its noun.
func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(n, 10) + " " + many
}

// join writes a list as a sentence does: a, b and c.
func join(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
}
