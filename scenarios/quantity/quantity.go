// Package quantity parses and formats the quantities of scenario files: durations (250ms), rates
// (200/s), shares (1%), sizes (64KiB), bandwidths (10Mbit/s), whole numbers and ranges of them.
//
// Each has a Parse function, a type that decodes itself from a node, and the inverse String. A
// quantity without its unit is a mistake: the message shows how to write it.
package quantity

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/syntax"
)

// Duration is a duration in a scenario: 250ms, 30s, 5m, 1h30m. It is never negative and at most a year.
type Duration time.Duration

// MaxDuration keeps sums of durations far from overflow.
const MaxDuration = 366 * 24 * time.Hour

// durationPattern matches a duration of any length.
var durationPattern = regexp.MustCompile("^" + duration + "$")

// ParseDuration parses a duration.
func ParseDuration(s string) (time.Duration, error) {
	s = strings.TrimSpace(s)
	if s == "0" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil && durationPattern.MatchString(s) { // with blanks, or too long
		d, err = time.ParseDuration(strings.Join(strings.Fields(s), ""))
	}
	_, bare := syntax.ParseFloat(s)
	tooLong := fmt.Errorf("a duration is at most a year, %s, not %s", FormatDuration(MaxDuration), syntax.Clip(s, 40))
	switch {
	case bare && !strings.HasPrefix(s, "-"):
		return 0, fmt.Errorf("a duration needs its unit, such as %ss or %sms", syntax.Clip(s, 20), syntax.Clip(s, 20))
	case bare, err == nil && d < 0, err != nil && strings.HasPrefix(s, "-") && durationPattern.MatchString(s[1:]):
		return 0, fmt.Errorf("a duration can't be negative: %s", syntax.Clip(s, 20))
	case err != nil && durationPattern.MatchString(s): // more than 292 years
		return 0, tooLong
	case err != nil:
		if n, ok := syntax.ParseFloat(strings.TrimSuffix(s, "d")); ok && strings.HasSuffix(s, "d") && n > 0 {
			if n*24 > MaxDuration.Hours() {
				return 0, tooLong
			}
			return 0, fmt.Errorf("a duration has no days: %s is written %sh", syntax.Clip(s, 20), syntax.Decimal(n*24))
		}
		such := "250ms, 30s or 5m"
		if m := worded.FindStringSubmatch(s); m != nil {
			such = m[1] + unitOf(m[2])
		}
		return 0, fmt.Errorf("want a duration such as %s, not %q", such, syntax.Clip(s, 40))
	case d > MaxDuration:
		return 0, tooLong
	}
	return d, nil
}

var (
	// worded matches a duration with a unit in another spelling: 60S, 1 minute, 10 sec.
	worded = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) ?((?i)s|secs?|seconds?|mins?|minutes?|hours?)$`)
	// rateLike matches a rate in another spelling: 50rps, 50/sec, 1,000/s, 20 req/min.
	rateLike = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?|[0-9]{1,3}(?:,[0-9]{3})+)` +
		` ?(?i:rps|qps|/ ?(s|secs?|seconds?|m|mins?|minutes?|h|hours?)|req(?:uests?)?/(s|m|min))$`)
)

// unitOf returns the unit of time that a word means: its first letter; empty for no word.
func unitOf(word string) string { return strings.ToLower(word[:min(1, len(word))]) }

// D returns the duration as the standard library's type.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String returns the duration without the zero parts that time.Duration prints.
func (d Duration) String() string { return FormatDuration(time.Duration(d)) }

// FormatDuration formats d as an author would: 90s as 1m30s, one hour as 1h.
func FormatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// Brief formats d to the millisecond.
func Brief(d time.Duration) string { return FormatDuration(d.Round(time.Millisecond)) }

// FormatSeconds formats a duration in seconds with three digits in a suitable unit: 84µs, 7.25ms,
// 1.4s, 2m5s. Below a nanosecond it is zero; an unknown value is a dash.
func FormatSeconds(f float64) string {
	switch a := math.Abs(f); {
	case math.IsNaN(f):
		return "–"
	case math.IsInf(f, 0) || a > MaxDuration.Seconds()*100:
		return "∞"
	case a < 1e-9:
		return "0s"
	case a < 0.9995e-3:
		return Figures(f*1e6) + "µs"
	case a < 0.9995:
		return Figures(f*1e3) + "ms"
	case a < 59.95:
		return Figures(f) + "s"
	}
	return FormatDuration(time.Duration(math.Round(f)) * time.Second)
}

// FormatInstant formats an offset from t0 as [FormatSeconds] does, to the millisecond.
func FormatInstant(d time.Duration) string { return FormatSeconds(d.Round(time.Millisecond).Seconds()) }

// Figures writes a number with three significant digits, but with all digits of its whole part. The number must not
// be zero.
func Figures(f float64) string {
	digits := 2 - int(math.Floor(math.Log10(math.Abs(f))))
	p := math.Pow10(max(0, digits))
	return syntax.Decimal(math.Round(f*p) / p)
}

var (
	_ syntax.NodeDecoder = (*Duration)(nil)
	_ syntax.Schemer     = (*Duration)(nil)
)

func (d *Duration) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	syntax.DecodeScalar(n, m, ParseDuration, func(v time.Duration) { *d = Duration(v) })
}

// Rate is a number of events per second: 200/s, 6000/m, 0.5/s.
type Rate float64

const maxRate = 1e7 // per second

// A TimeUnit is the time unit of rates and growths.
type TimeUnit struct {
	Name    string
	Seconds float64
}

// TimeUnits lists the units, the shortest first.
func TimeUnits() []TimeUnit { return []TimeUnit{{"s", 1}, {"m", 60}, {"h", 3600}} }

// ParseRate parses a rate with its unit and returns events per second.
func ParseRate(s string) (float64, error) {
	num, unit, slash := strings.Cut(s, "/")
	f, ok := syntax.ParseFloat(strings.TrimSpace(num))
	if ok && !slash {
		return 0, fmt.Errorf("a rate needs its unit, such as %s/s", syntax.Clip(strings.TrimSpace(s), 20))
	}
	per := 0.0
	for _, u := range TimeUnits() {
		if u.Name == strings.TrimSpace(unit) {
			per = u.Seconds
		}
	}
	switch {
	case !ok || per == 0:
		such := "200/s or 6000/m"
		if m := rateLike.FindStringSubmatch(s); m != nil {
			such = strings.ReplaceAll(m[1], ",", "") + "/" + cmp.Or(unitOf(m[2]+m[3]), "s")
		}
		return 0, fmt.Errorf("want a rate such as %s, not %q", such, syntax.Clip(s, 40))
	case f < 0:
		return 0, fmt.Errorf("a rate can't be negative: %s", syntax.Clip(s, 20))
	case f/per > maxRate:
		return 0, fmt.Errorf("a rate can be at most %s/s, not %s", syntax.Decimal(maxRate), syntax.Clip(s, 40))
	}
	return math.Abs(f) / per, nil
}

// String formats the rate in a unit that gives a whole number, or else per second.
func (r Rate) String() string {
	for _, u := range TimeUnits() {
		if f := float64(r) * u.Seconds; f == math.Trunc(f) && f/u.Seconds == float64(r) {
			return syntax.Decimal(f) + "/" + u.Name
		}
	}
	return syntax.Decimal(float64(r)) + "/s"
}

func (r *Rate) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	syntax.DecodeScalar(n, m, ParseRate, func(v float64) { *r = Rate(v) })
}

// Share is a part of a whole, from 0 to 1, written 1%.
type Share float64

// ParseShare parses a share and returns it from 0 to 1. The percent sign is required, because 0.5
// could mean a half or 0.5 %.
func ParseShare(s string) (float64, error) {
	s = strings.TrimSpace(s)
	num, percent := strings.CutSuffix(s, "%")
	f, ok := syntax.ParseFloat(strings.TrimSpace(num))
	switch {
	case !ok:
		return 0, fmt.Errorf("want a share such as 1%%, not %q", syntax.Clip(s, 40))
	case f == 0:
		return 0, nil
	case !percent && f > 0 && f <= 1:
		return 0, fmt.Errorf("a share needs its sign: %s%% or %s%%", syntax.Clip(s, 20), syntax.Decimal(fromPercent(f)))
	case !percent && f > 0 && f <= 100:
		return 0, fmt.Errorf("a share needs its sign: %s%%", syntax.Clip(s, 20))
	case f < 0 || f > 100:
		return 0, fmt.Errorf("a share lies from 0%% to 100%%, not %s", syntax.Clip(s, 40))
	}
	return Hundredth(num), nil
}

// Hundredth returns a hundredth of a decimal number, rounded once: 99.9 gives .999.
func Hundredth(num string) float64 {
	num = strings.ReplaceAll(strings.TrimSpace(num), "_", "")
	if f, err := strconv.ParseFloat(num+"e-2", 64); err == nil {
		return math.Abs(f)
	}
	f, _ := strconv.ParseFloat(num, 64) // it has an exponent
	return math.Abs(f / 100)
}

// fromPercent removes the rounding error of a division by 100.
func fromPercent(f float64) float64 { return math.Round(f*1e14) / 1e12 }

// String formats the share in percent.
func (s Share) String() string { return FormatShare(float64(s)) }

// FormatShare formats a share in percent with as many digits as it needs, up to six after the point.
func FormatShare(f float64) string {
	return strconv.FormatFloat(math.Round(f*1e8)/1e6, 'f', -1, 64) + "%"
}

// FormatShareBriefly formats a measured share with three significant digits of the share, or of its distance to 100
// %. A share close to 0 % or 100 % is not rounded to them. A share above 100 % is a whole number of percent.
func FormatShareBriefly(f float64) string {
	switch {
	case f <= 0 || f == 1 || math.IsNaN(f):
		return FormatShare(f)
	case f >= 1.005:
		return strconv.FormatFloat(math.Round(f*100), 'f', -1, 64) + "%"
	case f > 1:
		return strconv.FormatFloat(math.Round(f*1e4)/100, 'f', -1, 64) + "%"
	}
	digits := 4 - int(math.Floor(math.Log10(min(f, 1-f)*100)))
	p := math.Pow10(min(15, max(3, digits)))
	return syntax.Decimal(fromPercent(math.Round(f*p)/p)) + "%"
}

func (s *Share) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	syntax.DecodeScalar(n, m, ParseShare, func(v float64) { *s = Share(v) })
}

const maxSize = 1 << 60 // bytes

var sizeUnits = []struct {
	suffix string
	bytes  float64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"TiB", 1 << 40},
	{"Ki", 1 << 10}, // as Kubernetes writes them
	{"Mi", 1 << 20},
	{"Gi", 1 << 30},
	{"Ti", 1 << 40},
	{"kB", 1e3},
	{"KB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"TB", 1e12},
	{"B", 1},
	{"", 1},
}

// parseProcessors parses a number of processors: 2, 0.5, or 500m as Kubernetes writes thousandths.
func parseProcessors(s string) (float64, error) {
	num, thousandths := strings.CutSuffix(strings.TrimSpace(s), "m")
	f, ok := syntax.ParseFloat(num)
	switch {
	case !ok:
		return 0, fmt.Errorf("want a number of processors such as 2, 0.5 or 500m, not %q", syntax.Clip(s, 40))
	case thousandths:
		return f / 1000, nil
	}
	return f, nil
}

// Processors is a number of processors: 2, 0.5, 500m.
type Processors float64

func (p *Processors) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	syntax.DecodeScalar(n, m, parseProcessors, func(v float64) { *p = Processors(v) })
}

// ParseSize parses a number of bytes: 512, 64KiB, 10MB.
func ParseSize(s string) (int64, error) {
	s = strings.TrimSpace(s)
	for _, u := range sizeUnits {
		num, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		f, ok := syntax.ParseFloat(strings.TrimSpace(num))
		switch {
		case !ok:
		case f < 0:
			return 0, fmt.Errorf("a size can't be negative: %s", syntax.Clip(s, 40))
		case f*u.bytes > maxSize:
			return 0, fmt.Errorf("a size is at most 1048576TiB, not %s", syntax.Clip(s, 40))
		case f*u.bytes != math.Trunc(f*u.bytes):
			return 0, fmt.Errorf("%s is not a whole number of bytes", syntax.Clip(s, 40))
		default:
			return int64(f * u.bytes), nil
		}
		break
	}
	return 0, fmt.Errorf("want a size such as 512, 64KiB or 10MB, not %q", syntax.Clip(s, 40))
}

// Size is a number of bytes: 512, 64KiB, 10MB.
type Size int64

// String formats the size in the largest unit in which it is a whole number.
func (s Size) String() string {
	for _, u := range []struct {
		suffix string
		bytes  Size
	}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if s >= u.bytes && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(s), 10) + "B"
}

func (s *Size) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	syntax.DecodeScalar(n, m, ParseSize, func(v int64) { *s = Size(v) })
}

// Bandwidth is a transfer rate in bytes per second: 10Mbit/s, 64KiB/s.
type Bandwidth float64

const maxBandwidth = 1e12 // bytes per second

// bitUnits are the units of bandwidths, from the largest.
var bitUnits = []struct {
	name  string
	bytes float64
}{{"Gbit", 125e6}, {"Mbit", 125e3}, {"kbit", 125}, {"bit", .125}}

// ParseBandwidth parses a transfer rate and returns bytes per second.
func ParseBandwidth(s string) (float64, error) {
	wrong := fmt.Errorf("want a bandwidth such as 10Mbit/s or 64KiB/s, not %q", syntax.Clip(s, 40))
	num, ok := strings.CutSuffix(strings.TrimSpace(s), "/s")
	if _, bare := syntax.ParseFloat(num); !ok || bare {
		return 0, wrong
	}
	bytes := -1.0
	for _, u := range bitUnits {
		if n, ok := strings.CutSuffix(num, u.name); ok {
			f, ok := syntax.ParseFloat(strings.TrimSpace(n))
			if !ok {
				return 0, wrong
			}
			bytes = f * u.bytes
			break
		}
	}
	if bytes == -1 {
		b, err := ParseSize(num)
		if err != nil {
			return 0, wrong
		}
		bytes = float64(b)
	}
	switch {
	case bytes < 0:
		return 0, fmt.Errorf("a bandwidth can't be negative: %s", syntax.Clip(s, 40))
	case bytes > maxBandwidth:
		return 0, fmt.Errorf("a bandwidth is at most 8000Gbit/s, not %s", syntax.Clip(s, 40))
	}
	return math.Abs(bytes), nil
}

func (b *Bandwidth) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	syntax.DecodeScalar(n, m, ParseBandwidth, func(v float64) { *b = Bandwidth(v) })
}

// String formats the bandwidth in bits per second, with at most three digits after the point.
func (b Bandwidth) String() string {
	for _, u := range bitUnits {
		if float64(b) >= u.bytes || u.name == "bit" {
			return syntax.Decimal(math.Round(float64(b)/u.bytes*1000)/1000) + u.name + "/s"
		}
	}
	return ""
}

// Range is a range of durations, written 100ms..400ms. A single duration is a range of one duration.
type Range struct{ Min, Max time.Duration }

// Draw returns a random duration of the range. All are equally likely.
func (r Range) Draw(by *rand.Rand) time.Duration {
	d := r.Min
	if r.Max > r.Min {
		d += time.Duration(by.Int64N(int64(r.Max - r.Min + 1)))
	}
	return d
}

// parseRange parses a range of durations.
func parseRange(s string) (Range, error) {
	from, to, two := strings.Cut(s, "..")
	lo, err := ParseDuration(from)
	if err != nil {
		return Range{}, err
	}
	hi := lo
	if two {
		if hi, err = ParseDuration(to); err != nil {
			return Range{}, err
		}
	}
	if hi < lo {
		return Range{}, fmt.Errorf("%s..%s runs backwards", FormatDuration(lo), FormatDuration(hi))
	}
	return Range{lo, hi}, nil
}

// String formats the range as parseRange parses it.
func (r Range) String() string {
	if r.Min == r.Max {
		return FormatDuration(r.Min)
	}
	return FormatDuration(r.Min) + ".." + FormatDuration(r.Max)
}

func (r *Range) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	syntax.DecodeScalar(n, m, parseRange, func(v Range) { *r = v })
}

const (
	number   = `\+?([0-9]+(_[0-9]+)*(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?`
	duration = `\s*(0\s*|\+?([0-9]*\.?[0-9]+\s*(ns|us|µs|μs|ms|s|m|h)\s*)+)`
)

func (*Duration) Schema() syntax.Schema {
	return syntax.Schema{"anyOf": []any{
		syntax.Schema{"const": 0},
		syntax.Schema{"type": "string", "pattern": "^" + duration + "$", "examples": []any{"250ms", "30s", "5m"}},
		syntax.Placeholder,
	}}
}

func (*Rate) Schema() syntax.Schema {
	return syntax.Pattern(`^\s*`+number+`\s*/\s*[smh]\s*$`, "200/s", "6000/m")
}

func (*Share) Schema() syntax.Schema {
	return syntax.Schema{
		"anyOf": []any{syntax.Schema{"const": 0}, syntax.Pattern(`^\s*`+number+`\s*%\s*$|^\s*0\s*$`, "1%")},
	}
}

func (*Size) Schema() syntax.Schema {
	return syntax.Schema{"anyOf": []any{
		syntax.Schema{"type": "integer", "minimum": 0},
		syntax.Pattern(`^\s*`+number+`\s*([KMGT]iB?|[kKMGT]?B)?\s*$`, "512", "64KiB", "10MB"),
	}}
}

func (*Processors) Schema() syntax.Schema {
	return syntax.Schema{"anyOf": []any{
		syntax.Schema{"type": "number"}, syntax.Pattern(`^\s*`+number+`m?\s*$`, "2", "500m"),
	}}
}

func (*Bandwidth) Schema() syntax.Schema {
	return syntax.Pattern(`^\s*`+number+`\s*([kMG]?bit|[KMGT]iB|[kKMGT]?B)/s\s*$`, "10Mbit/s", "64KiB/s")
}

func (*Range) Schema() syntax.Schema {
	return syntax.Schema{
		"anyOf": []any{syntax.Schema{"const": 0}, syntax.Pattern("^"+duration+`(\.\.`+duration+")?$", "100ms..400ms", "1s")},
	}
}

// WholeSeconds rounds a duration up to whole seconds.
func WholeSeconds(d time.Duration) time.Duration {
	return (d + time.Second - 1).Truncate(time.Second)
}
