package quantity

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
)

// unitCase is a text with its expected value or error.
type unitCase[T any] struct {
	text string
	want T
	err  string // part of the message; "" if no error is expected
}

func testUnit[T comparable](t *testing.T, parse func(string) (T, error), cases []unitCase[T]) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.text, func(t *testing.T) {
			got, err := parse(c.text)
			switch {
			case c.err == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.err == "" && got != c.want:
				t.Errorf("got %v, want %v", got, c.want)
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Errorf("got %v and error %v, want one with %q", got, err, c.err)
			}
		})
	}
}

func TestParseDuration(t *testing.T) {
	testUnit(t, ParseDuration, []unitCase[time.Duration]{
		{text: "0"},
		{text: "0s"},
		{text: "250ms", want: 250 * time.Millisecond},
		{text: " 30s ", want: 30 * time.Second},
		{text: "1h30m", want: 90 * time.Minute},
		{text: "1.5s", want: 1500 * time.Millisecond},
		{text: "10us", want: 10 * time.Microsecond},
		{text: "8784h", want: MaxDuration},
		{text: "8785h", err: "at most a year"},
		{text: "200", err: "such as 200s or 200ms"},
		{text: "1_000", err: "needs its unit"},
		{text: "-5", err: "can't be negative"},
		{text: "-5s", err: "can't be negative"},
		{text: "2d", err: "2d is written 48h"},
		{text: "0.5d", err: "0.5d is written 12h"},
		{text: "", err: `want a duration such as 250ms, 30s or 5m, not ""`},
		{text: "s", err: "want a duration"},
		{text: "1 s", want: time.Second},
		{text: " 1 h 30 m ", want: 90 * time.Minute},
		{text: "1 5s", err: "want a duration"},
		{text: "5sec", err: `want a duration such as 5s, not "5sec"`},
		{text: "60S", err: "such as 60s, not"},
		{text: "1 minute", err: "such as 1m, not"},
		{text: "0x5s", err: "want a duration"},
		{text: "infs", err: "want a duration"},
		{text: "999999999999999h", err: "at most a year, 8784h"},
		{text: "${wait}", err: "want a duration"},
	})
}

func TestParseRate(t *testing.T) {
	testUnit(t, ParseRate, []unitCase[float64]{
		{text: "200/s", want: 200},
		{text: "6000/m", want: 100},
		{text: "7200/h", want: 2},
		{text: "0.5/s", want: .5},
		{text: "1_000/s", want: 1000},
		{text: "1e3/s", want: 1000},
		{text: " 5 / s ", want: 5},
		{text: "0/s"},
		{text: "10000000/s", want: 1e7},
		{text: "10000001/s", err: "at most 10000000/s"},
		{text: "200", err: "such as 200/s"},
		{text: "-5/s", err: "can't be negative"},
		{text: "5/d", err: "want a rate"},
		{text: "5/sec", err: `want a rate such as 5/s, not "5/sec"`},
		{text: "50rps", err: "such as 50/s, not"},
		{text: "20 req/min", err: "such as 20/m, not"},
		{text: "1,000/s", err: "such as 1000/s, not"},
		{text: "1,5/s", err: "such as 200/s or 6000/m, not"},
		{text: "/s", err: "want a rate"},
		{text: "5/", err: "want a rate"},
		{text: "5/s/s", err: "want a rate"},
		{text: "nan/s", err: "want a rate"},
		{text: "inf/s", err: "want a rate"},
		{text: "0x10/s", err: "want a rate"},
		{text: "1e999/s", err: "want a rate"},
		{text: "", err: "want a rate"},
	})
}

func TestParseShare(t *testing.T) {
	testUnit(t, ParseShare, []unitCase[float64]{
		{text: "1%", want: .01},
		{text: "99.9%", want: .999},
		{text: "0%"},
		{text: "0"},
		{text: "100%", want: 1},
		{text: " 5 % ", want: .05},
		{text: "0.5", err: "needs its sign: 0.5% or 50%"},
		{text: "0.07", err: "0.07% or 7%"},
		{text: "1", err: "1% or 100%"},
		{text: "20", err: "needs its sign: 20%"},
		{text: "101%", err: "from 0% to 100%"},
		{text: "101", err: "from 0% to 100%"},
		{text: "-1%", err: "from 0% to 100%"},
		{text: "x%", err: "want a share"},
		{text: "%", err: "want a share"},
		{text: "nan", err: "want a share"},
		{text: "inf%", err: "want a share"},
		{text: "0x1p-2", err: "want a share"},
		{text: "", err: "want a share"},
	})
}

func TestParseProcessors(t *testing.T) {
	testUnit(t, parseProcessors, []unitCase[float64]{
		{text: "2", want: 2},
		{text: "0.5", want: .5},
		{text: "50m", want: .05},
		{text: " 1500m ", want: 1.5},
		{text: "m", err: "want a number of processors"},
		{text: "2 cores", err: "want a number of processors"},
		{text: "500M", err: "want a number of processors"},
		{text: "", err: "want a number of processors"},
	})
}

func TestParseSize(t *testing.T) {
	testUnit(t, ParseSize, []unitCase[int64]{
		{text: "0"},
		{text: "512", want: 512},
		{text: "512B", want: 512},
		{text: "64KiB", want: 65536},
		{text: "1.5MiB", want: 3 << 19},
		{text: "10MB", want: 10_000_000},
		{text: "2kB", want: 2000},
		{text: "2KB", want: 2000},
		{text: "1 GiB", want: 1 << 30},
		{text: "1Gi", want: 1 << 30},
		{text: "512Mi", want: 512 << 20},
		{text: "1048576TiB", want: 1 << 60},
		{text: "1048577TiB", err: "at most 1048576TiB"},
		{text: "0.5", err: "not a whole number of bytes"},
		{text: "-1", err: "can't be negative"},
		{text: "64K", err: "want a size"},
		{text: "64kib", err: "want a size"},
		{text: "KiB", err: "want a size"},
		{text: "infB", err: "want a size"},
		{text: "", err: "want a size"},
	})
}

func TestParseBandwidth(t *testing.T) {
	testUnit(t, ParseBandwidth, []unitCase[float64]{
		{text: "10Mbit/s", want: 1.25e6},
		{text: "1Gbit/s", want: 125e6},
		{text: "8kbit/s", want: 1000},
		{text: "8bit/s", want: 1},
		{text: "64KiB/s", want: 65536},
		{text: "5MB/s", want: 5e6},
		{text: "0bit/s"},
		{text: "8000Gbit/s", want: 1e12},
		{text: "8001Gbit/s", err: "at most 8000Gbit/s"},
		{text: "2TB/s", err: "at most 8000Gbit/s"},
		{text: "10Mbit", err: "want a bandwidth"},
		{text: "10Mbps", err: "want a bandwidth"},
		{text: "10/s", err: "want a bandwidth"},
		{text: "-1Mbit/s", err: "can't be negative"},
		{text: "xMbit/s", err: "want a bandwidth"},
		{text: "/s", err: "want a bandwidth"},
	})
}

func TestParseRange(t *testing.T) {
	testUnit(t, parseRange, []unitCase[Range]{
		{text: "100ms..400ms", want: Range{100 * time.Millisecond, 400 * time.Millisecond}},
		{text: "1s .. 2s", want: Range{time.Second, 2 * time.Second}},
		{text: "1s", want: Range{time.Second, time.Second}},
		{text: "0..1s", want: Range{0, time.Second}},
		{text: "2s..1s", err: "2s..1s runs backwards"},
		{text: "100..400ms", err: "such as 100s or 100ms"},
		{text: "..1s", err: "want a duration"},
		{text: "1s..", err: "want a duration"},
		{text: "1s..2s..3s", err: "want a duration"},
	})
}

func TestFormatUnits(t *testing.T) {
	tests := []struct{ name, got, want string }{
		{"no zero seconds", FormatDuration(5 * time.Minute), "5m"},
		{"no zero minutes", FormatDuration(2 * time.Hour), "2h"},
		{"ten minutes", FormatDuration(10 * time.Minute), "10m"},
		{"hour and minutes", FormatDuration(70 * time.Minute), "1h10m"},
		{"hour and seconds", FormatDuration(time.Hour + time.Second), "1h0m1s"},
		{"zero", FormatDuration(0), "0s"},
		{"whole rate", Rate(200).String(), "200/s"},
		{"large rate", Rate(1e6).String(), "1000000/s"},
		{"rate of minutes", Rate(20.0 / 60).String(), "20/m"},
		{"rate of hours", Rate(7.0 / 3600).String(), "7/h"},
		{"part of a rate", Rate(0.001).String(), "0.001/s"},
		{"percent", Share(.01).String(), "1%"},
		{"nines", Share(.9999).String(), "99.99%"},
		{"all", Share(1).String(), "100%"},
		{"Mbit", Bandwidth(1.25e6).String(), "10Mbit/s"},
		{"half a Mbit", Bandwidth(62500).String(), "500kbit/s"},
		{"bits", Bandwidth(.125).String(), "1bit/s"},
		{"nothing", Bandwidth(0).String(), "0bit/s"},
		{"range", Range{time.Second, 2 * time.Minute}.String(), "1s..2m"},
		{"range of one", Range{time.Second, time.Second}.String(), "1s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.got != tt.want {
				t.Errorf("got %s, want %s", tt.got, tt.want)
			}
		})
	}
}

func TestFormatSeconds(t *testing.T) {
	tests := []struct {
		seconds float64
		want    string
	}{
		{0, "0s"},
		{84e-6, "84µs"},
		{.5e-6, "0.5µs"},
		{1e-9, "0.001µs"},
		{.4e-9, "0s"},
		{-1e-16, "0s"},
		{999.4e-6, "999µs"},
		{999.6e-6, "1ms"},
		{7.25e-3, "7.25ms"},
		{.0123456, "12.3ms"},
		{.9994, "999ms"},
		{.9996, "1s"},
		{1.4, "1.4s"},
		{12.345, "12.3s"},
		{59.94, "59.9s"},
		{59.96, "1m"},
		{125, "2m5s"},
		{3600, "1h"},
		{-1.4, "-1.4s"},
		{math.Inf(1), "∞"},
		{math.Inf(-1), "∞"},
		{1e300, "∞"},
		{math.NaN(), "–"},
	}
	for _, tt := range tests {
		if got := FormatSeconds(tt.seconds); got != tt.want {
			t.Errorf("%g is %s, want %s", tt.seconds, got, tt.want)
		}
	}
}

// FuzzUnits checks that no text breaks the parsers, that values stay within their bounds, and
// that formatted values parse to the same value.
func FuzzUnits(f *testing.F) {
	for _, s := range []string{
		"250ms", "1h30m", "200/s", "20/m", "7/h", "1e-3/s", "99.999%", "1%", "64KiB", "1.5MB", "10Mbit/s", "64KiB/s",
		"100ms..400ms", "0", "1_0.5_0", "-1", "9e999", "0x1p3", "..", "1d",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := ParseDuration(s); err == nil {
			if d < 0 || d > MaxDuration {
				t.Errorf("duration %q is %d", s, d)
			}
			again(t, ParseDuration, FormatDuration(d), d)
		}
		if r, err := ParseRate(s); err == nil {
			if !(r >= 0 && r <= maxRate) || math.Signbit(r) {
				t.Errorf("rate %q is %g", s, r)
			}
			again(t, ParseRate, Rate(r).String(), r)
		}
		if p, err := ParseShare(s); err == nil {
			if !(p >= 0 && p <= 1) {
				t.Errorf("share %q is %g", s, p)
			}
			if q, err := ParseShare(Share(p).String()); err != nil || math.Abs(q-p) > 1e-8 {
				t.Errorf("share %q is written %s and read as %g: %v", s, Share(p), q, err)
			}
		}
		if z, err := ParseSize(s); err == nil {
			if z < 0 || z > maxSize {
				t.Errorf("size %q is %d", s, z)
			}
			again(t, ParseSize, strconv.FormatInt(z, 10)+"B", z)
		}
		if b, err := ParseBandwidth(s); err == nil {
			if !(b >= 0 && b <= maxBandwidth) {
				t.Errorf("bandwidth %q is %g", s, b)
			}
			text := Bandwidth(b).String()
			if c, err := ParseBandwidth(text); err != nil || Bandwidth(c).String() != text || math.Abs(c-b) > 1e-3*b+1e-3 {
				t.Errorf("bandwidth %q is written %s and read as %g: %v", s, text, c, err)
			}
		}
		if r, err := parseRange(s); err == nil {
			if r.Min > r.Max {
				t.Errorf("range %q is %v", s, r)
			}
			again(t, parseRange, r.String(), r)
		}
		_, _ = parseIntRange(s)
	})
}

func again[T comparable](t *testing.T, parse func(string) (T, error), text string, want T) {
	t.Helper()
	if got, err := parse(text); err != nil || got != want {
		t.Errorf("%s reads as %v, not %v: %v", text, got, want, err)
	}
}
