package scenarios

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a span of time as a file writes it: 250ms, 30s, 5m, 1h30m.
type Duration time.Duration

// ParseDuration reads a span of time. It is never negative.
func ParseDuration(s string) (time.Duration, error) {
	if s == "0" {
		return 0, nil
	}
	d, err := time.ParseDuration(strings.TrimSpace(s))
	if err != nil {
		if _, bare := strconv.ParseFloat(s, 64); bare == nil {
			return 0, fmt.Errorf("a duration needs its unit, such as %ss or %sms", s, s)
		}
		return 0, fmt.Errorf("want a duration such as 250ms, 30s or 5m, not %q", clip(s, 40))
	}
	if d < 0 {
		return 0, fmt.Errorf("a duration can't be negative: %s", s)
	}
	return d, nil
}

// D gives the span as the standard library's type.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String gives the span without the zero parts that time.Duration prints.
func (d Duration) String() string { return FormatDuration(time.Duration(d)) }

// FormatDuration writes d as an author would: 90s as 1m30s, one hour as 1h.
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

// DecodeNode implements [NodeDecoder].
func (d *Duration) DecodeNode(n *Node, m *Mistakes) {
	decodeScalar(n, m, ParseDuration, func(v time.Duration) { *d = Duration(v) })
}

// Rate is a number of events per second: 200/s, 6000/m, 0.5/s.
type Rate float64

// ParseRate reads a rate with its unit and gives events per second.
func ParseRate(s string) (float64, error) {
	num, unit, ok := strings.Cut(strings.TrimSpace(s), "/")
	per := map[string]float64{"s": 1, "m": 60, "h": 3600}[strings.TrimSpace(unit)]
	f, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(num), "_", ""), 64)
	if !ok && err == nil {
		return 0, fmt.Errorf("a rate needs its unit, such as %s/s", s)
	}
	if err != nil || per == 0 || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("want a rate such as 200/s or 6000/m, not %q", clip(s, 40))
	}
	if f < 0 {
		return 0, fmt.Errorf("a rate can't be negative: %s", s)
	}
	if f/per > maxRate {
		return 0, fmt.Errorf("a rate can be at most %g/s, not %s", maxRate, clip(s, 40))
	}
	return f / per, nil
}

const maxRate = 1e7

// String writes the rate per second.
func (r Rate) String() string { return strconv.FormatFloat(float64(r), 'g', 6, 64) + "/s" }

// DecodeNode implements [NodeDecoder].
func (r *Rate) DecodeNode(n *Node, m *Mistakes) {
	decodeScalar(n, m, ParseRate, func(v float64) { *r = Rate(v) })
}

// Share is a part of a whole from 0 to 1, written 1% or 0.01.
type Share float64

// ParseShare reads a share.
func ParseShare(s string) (float64, error) {
	num, percent := strings.CutSuffix(strings.TrimSpace(s), "%")
	f, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
	if err != nil || math.IsNaN(f) {
		return 0, fmt.Errorf("want a share such as 1%%, not %q", clip(s, 40))
	}
	if percent {
		f /= 100
	}
	if f < 0 || f > 1 {
		hint := ""
		if !percent && f <= 100 {
			hint = fmt.Sprintf("; %s%% is written with its sign", s)
		}
		return 0, fmt.Errorf("a share lies from 0%% to 100%%, not %s%s", clip(s, 40), hint)
	}
	return f, nil
}

// String writes the share in percent.
func (s Share) String() string { return FormatShare(float64(s)) }

// FormatShare writes a share in percent with as many digits as it needs, up to
// six after the point.
func FormatShare(f float64) string {
	return strconv.FormatFloat(math.Round(f*1e8)/1e6, 'f', -1, 64) + "%"
}

// DecodeNode implements [NodeDecoder].
func (s *Share) DecodeNode(n *Node, m *Mistakes) {
	decodeScalar(n, m, ParseShare, func(v float64) { *s = Share(v) })
}

// Size is a number of bytes: 512, 64KiB, 10MB.
type Size int64

var sizeUnits = []struct {
	suffix string
	bytes  float64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"TiB", 1 << 40},
	{"kB", 1e3},
	{"KB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"TB", 1e12},
	{"B", 1},
	{"", 1},
}

// ParseSize reads a number of bytes.
func ParseSize(s string) (int64, error) {
	s = strings.TrimSpace(s)
	for _, u := range sizeUnits {
		num, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		f, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(num), "_", ""), 64)
		if err != nil || math.IsNaN(f) || f < 0 || f*u.bytes > 1<<60 {
			break
		}
		return int64(f * u.bytes), nil
	}
	return 0, fmt.Errorf("want a size such as 512, 64KiB or 10MB, not %q", clip(s, 40))
}

// DecodeNode implements [NodeDecoder].
func (z *Size) DecodeNode(n *Node, m *Mistakes) {
	decodeScalar(n, m, ParseSize, func(v int64) { *z = Size(v) })
}

// String writes the size in the largest binary unit that divides it.
func (z Size) String() string {
	for _, u := range []struct {
		name  string
		bytes int64
	}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
		if z != 0 && int64(z)%u.bytes == 0 {
			return strconv.FormatInt(int64(z)/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(z), 10) + "B"
}

// Bandwidth is a transfer rate in bytes per second: 10Mbit/s, 64KiB/s.
type Bandwidth float64

// ParseBandwidth reads a transfer rate and gives bytes per second.
func ParseBandwidth(s string) (float64, error) {
	num, ok := strings.CutSuffix(strings.TrimSpace(s), "/s")
	if !ok {
		return 0, fmt.Errorf("want a bandwidth such as 10Mbit/s or 64KiB/s, not %q", clip(s, 40))
	}
	for _, u := range []struct {
		suffix string
		bytes  float64
	}{{"Gbit", 125e6}, {"Mbit", 125e3}, {"kbit", 125}, {"bit", .125}} {
		if n, ok := strings.CutSuffix(num, u.suffix); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(n), 64)
			if err != nil || !(f >= 0) || f*u.bytes > 1e12 {
				return 0, fmt.Errorf("want a bandwidth such as 10Mbit/s or 64KiB/s, not %q", clip(s, 40))
			}
			return f * u.bytes, nil
		}
	}
	b, err := ParseSize(num)
	if err != nil || float64(b) > 1e12 {
		return 0, fmt.Errorf("want a bandwidth such as 10Mbit/s or 64KiB/s, not %q", clip(s, 40))
	}
	return float64(b), nil
}

// DecodeNode implements [NodeDecoder].
func (b *Bandwidth) DecodeNode(n *Node, m *Mistakes) {
	decodeScalar(n, m, ParseBandwidth, func(v float64) { *b = Bandwidth(v) })
}

// String writes the bandwidth in bits, as networks are named.
func (b Bandwidth) String() string {
	bits := float64(b) * 8
	for _, u := range []struct {
		name string
		bits float64
	}{{"Gbit/s", 1e9}, {"Mbit/s", 1e6}, {"kbit/s", 1e3}} {
		if bits >= u.bits {
			return plain(math.Round(bits/u.bits*1000)/1000) + u.name
		}
	}
	return plain(bits) + "bit/s"
}

// Range is a span between two durations, written 100ms..400ms; a single duration
// is the span from itself to itself.
type Range struct{ Min, Max time.Duration }

// ParseRange reads a span of durations.
func ParseRange(s string) (Range, error) {
	from, to, two := strings.Cut(s, "..")
	lo, err := ParseDuration(strings.TrimSpace(from))
	if err != nil {
		return Range{}, err
	}
	hi := lo
	if two {
		if hi, err = ParseDuration(strings.TrimSpace(to)); err != nil {
			return Range{}, err
		}
	}
	if hi < lo {
		return Range{}, fmt.Errorf("%s..%s runs backwards", from, to)
	}
	return Range{lo, hi}, nil
}

// DecodeNode implements [NodeDecoder].
func (r *Range) DecodeNode(n *Node, m *Mistakes) {
	decodeScalar(n, m, ParseRange, func(v Range) { *r = v })
}

func decodeScalar[T any](n *Node, m *Mistakes, parse func(string) (T, error), set func(T)) {
	s, ok := n.Text(m)
	if !ok {
		return
	}
	v, err := parse(s)
	if err != nil {
		if n.origin != "" {
			m.Add(n.Pos, "%v (from %s)", err, n.origin)
			return
		}
		m.Add(n.Pos, "%v", err)
		return
	}
	set(v)
}
