package template

import (
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brunt/scenarios/syntax"
)

func appendRef(t *testing.T, text string, it *Iter, esc escape) string {
	t.Helper()
	r, err := syntax.ParseRef(text)
	if err != nil {
		t.Fatal(err)
	}
	out, err := it.append(nil, r, esc)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func newIter(seed uint64, salt [2]uint64) *Iter {
	return &Iter{Rand: rand.New(rand.NewPCG(seed, 1)), Env: &Env{Salt: salt}}
}

var uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// TestUUID checks the form of RFC 9562 version 4; that uuid(seeded) repeats for the same seed and
// uuid() never repeats; and that neither repeats within a run.
func TestUUID(t *testing.T) {
	salted := newIter(1, [2]uint64{5, 6})
	seen := map[string]bool{}
	for range 1000 {
		for _, text := range []string{"uuid()", "uuid(seeded)"} {
			u := appendRef(t, text, salted, escNone)
			if !uuidPattern.MatchString(u) || seen[u] {
				t.Fatalf("%s gives %s", text, u)
			}
			seen[u] = true
		}
	}
	one, two := newIter(1, [2]uint64{5, 6}), newIter(1, [2]uint64{7, 8})
	if a, b := appendRef(t, "uuid(seeded)", one, escNone), appendRef(t, "uuid(seeded)", two, escNone); a != b {
		t.Errorf("seeded: %s and %s", a, b)
	}
	if a, b := appendRef(t, "uuid()", one, escNone), appendRef(t, "uuid()", two, escNone); a == b {
		t.Errorf("salted: twice %s", a)
	}
	if got := appendRef(t, "uuid()", one, escJSON); len(got) != 38 || got[0] != '"' || got[37] != '"' {
		t.Errorf("as a JSON value it is %s", got)
	}
	if got := string(appendUUID(nil, 0x0123456789abcdef,
		0xfedcba9876543210)); got != "01234567-89ab-4def-bedc-ba9876543210" {
		t.Errorf("got %s", got)
	}
	if got := string(appendUUID(nil, math.MaxUint64, 0)); got != "ffffffff-ffff-4fff-8000-000000000000" {
		t.Errorf("got %s", got)
	}
}

// TestInt draws the ends of every kind of range.
func TestInt(t *testing.T) {
	it := newIter(3, [2]uint64{})
	for _, text := range []string{
		"int(1,3)", "int(-1,1)", "int(5,5)", "int(0,9223372036854775807)", "int(-9223372036854775808,0)",
		"int(-5,9223372036854775802)",
		"int(-9223372036854775808,9223372036854775807)", "int(9223372036854775806,9223372036854775807)",
		"int(-9223372036854775808,-9223372036854775807)",
	} {
		t.Run(text, func(t *testing.T) {
			r, err := syntax.ParseRef(text)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[int64]int{}
			negative := 0
			for range 300 {
				n, err := strconv.ParseInt(appendRef(t, text, it, escJSON), 10, 64)
				if err != nil || n < r.Min || n > r.Max {
					t.Fatalf("got %d: %v", n, err)
				}
				seen[n]++
				if n < 0 {
					negative++
				}
			}
			if span := uint64(r.Max) - uint64(r.Min); span < 10 {
				if seen[r.Min] == 0 || seen[r.Max] == 0 || len(seen) != int(span)+1 {
					t.Errorf("drew %v", seen)
				}
			} else if len(seen) < 290 {
				t.Errorf("drew %d numbers", len(seen))
			}
			if strings.HasPrefix(text, "int(-9223372036854775808,9223372036854775807)") && (negative < 75 || negative > 225) {
				t.Errorf("%d of 300 were negative", negative)
			}
		})
	}
}

func TestNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		it := newIter(1, [2]uint64{})
		time.Sleep(1234567 * time.Microsecond)
		for _, c := range []struct {
			text string
			esc  escape
			want string
		}{
			{"now()", escNone, "2000-01-01T00:00:01.234567Z"},
			{"now()", escJSON, `"2000-01-01T00:00:01.234567Z"`},
			{"now()", escQuery, "2000-01-01T00%3A00%3A01.234567Z"},
			{"now(unix)", escJSON, "946684801"},
			{"now(ms)", escJSON, "946684801234"},
		} {
			if got := appendRef(t, c.text, it, c.esc); got != c.want {
				t.Errorf("%s is %s, want %s", c.text, got, c.want)
			}
		}
	})
}

func TestVars(t *testing.T) {
	src := make([]Value, 3)
	src[0].SetText("a")
	src[2].SetJSON(`{"b":1}`)
	dst := make([]Value, 4)
	for i := range dst {
		dst[i].SetBytes([]byte("old"))
	}
	CopyVars(dst, src)
	if string(dst[0].Text) != "a" || dst[0].JSON || !dst[0].Set || dst[1].Set || string(dst[2].Text) != `{"b":1}` ||
		!dst[2].JSON || dst[3].Set {
		t.Errorf("%+v", dst)
	}
	src[0].SetText("b")
	if string(dst[0].Text) != "a" {
		t.Error("a copy has memory of its own")
	}
	if n := testing.AllocsPerRun(100, func() { CopyVars(dst, src); src[0].SetText("c") }); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

func TestReset(t *testing.T) {
	table := &Table{Name: "t", Columns: []string{"x"}, Rows: [][]Datum{{{Text: "1"}}, {{Text: "2"}}}, Pick: "next"}
	it := &Iter{Env: &Env{Tables: []*Table{table}}}
	for _, want := range []string{"1", "2", "1"} {
		row, err := it.row(0)
		if err != nil || row[0].Text != want {
			t.Errorf("got %v, want %s: %v", row, want, err)
		}
		if same, _ := it.row(0); same[0].Text != want {
			t.Errorf("the row changed within the iteration")
		}
		it.Reset()
	}
	(&Iter{}).Reset() // no run, no rows
}
