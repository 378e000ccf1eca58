package quantity

import "testing"

func TestParseCounts(t *testing.T) {
	for _, c := range []struct {
		text string
		want Counts
		says string
	}{
		{"1..100", Counts{1, 100}, ""},
		{" 5 .. 5 ", Counts{5, 5}, ""},
		{"50", Counts{50, 50}, ""},
		{"1_000", Counts{1000, 1000}, ""},
		{"0", Counts{}, "want numbers from 1 to 1000000000, not 0"},
		{"0..5", Counts{}, "want numbers from 1 to 1000000000, not 0..5"},
		{"5..1", Counts{}, "5..1 runs backwards"},
		{"1..", Counts{}, `want a number or a range such as 1..100, not "1.."`},
		{"1...5", Counts{}, `want a number or a range such as 1..100, not "1...5"`},
		{"1.5", Counts{}, `want a number or a range such as 1..100, not "1.5"`},
		{"1..9999999999", Counts{}, "want numbers from 1 to 1000000000, not 1..9999999999"},
	} {
		got, err := parseCounts(c.text)
		says := ""
		if err != nil {
			says = err.Error()
		}
		if got != c.want || says != c.says {
			t.Errorf("%q: %v, %q", c.text, got, says)
		}
		if err == nil {
			if again, err := parseCounts(got.String()); err != nil || again != got {
				t.Errorf("%q is written %q", c.text, got)
			}
		}
	}
}

func FuzzParseCounts(f *testing.F) {
	for _, s := range []string{"1..100", "7", "1_0..2_0", "..", "-1", "0x10"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseCounts(s)
		if err == nil && (c.Min < 1 || c.Max < c.Min || c.Max > maxCount) {
			t.Errorf("%q is %+v", s, c)
		}
	})
}
