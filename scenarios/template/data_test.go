package template

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"brunt/scenarios/syntax"
	"brunt/scenarios/syntax/syntaxtest"
)

// tables reads the tables of a scenario; files are in a map.
func tables(t *testing.T, data string, files map[string]string) []*Table {
	t.Helper()
	var m syntax.Mistakes
	s := &Scope{Mistakes: &m, Read: func(_ syntax.Pos, path string, _ int) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	}}
	var all []*Table
	for _, f := range syntaxtest.Parse(t, data).Fields {
		all = append(all, s.Table(f.Key, f.Value))
	}
	if err := m.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func sketchTable(t *Table) string {
	var b strings.Builder
	fmt.Fprint(&b, strings.Join(t.Columns, ","))
	for _, row := range t.Rows {
		b.WriteByte(';')
		for i, c := range row {
			if i > 0 {
				b.WriteByte(',')
			}
			if c.JSON {
				b.WriteByte('=')
			}
			b.WriteString(c.Text)
		}
	}
	return b.String()
}

func TestTables(t *testing.T) {
	files := map[string]string{
		"a.csv":  "\ufeffid, name \r\n1,\"Ann, B\"\r\n2,é\r\n",
		"c.csv":  "\ufeff1;Ann, B\r\n2;é\r\n",
		"d.tsv":  "id\tname\n1\tx\n",
		"b.json": "\ufeff" + `[{"id": 1, "name": "x"}, {"name": null, "tags": ["a"], "id": 12345678901234567890}]`,
	}
	tests := []struct{ name, text, want string }{
		{"csv", "{csv: a.csv}", "id,name;1,Ann, B;2,é"},
		{"csv without names", "{csv: c.csv, columns: [id, name], separator: ;}", "id,name;1,Ann, B;2,é"},
		{"csv of tabs", `{csv: d.tsv, separator: "\t"}`, "id,name;1,x"},
		{"no columns are as good as none", `{csv: d.tsv, columns: [], separator: "\t"}`, "id,name;1,x"},
		{"json", "{json: b.json}", `id,name,tags;=1,x,=null;=12345678901234567890,=null,=["a"]`},
		{"range", "{range: 3..5}", "value;=3;=4;=5"},
		{"range of one", "{range: -1..-1}", "value;=-1"},
		{"values", "{inline: [a, 5, 0x1F, 1_000, True, \"7\"]}", "value;a;=5;=31;=1000;=true;7"},
		{"rows", "{inline: [{id: 1, n: a}, {n: b, id: 2}]}", "id,n;=1,a;=2,b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tables(t, "{t: "+tt.text+"}", files)[0]
			if sketchTable(got) != tt.want || got.Pick != "next" {
				t.Errorf("got %s by %s", sketchTable(got), got.Pick)
			}
		})
	}
}

// taken returns the first n rows that iterations take.
func taken(t *testing.T, table *Table, n int) (rows []string) {
	t.Helper()
	tmpl := &Template{Pieces: []piece{{ref: &syntax.Ref{Kind: syntax.RefData, Text: "data.t.value"}}}}
	it := &Iter{Rand: rand.New(rand.NewPCG(1, 2)), Env: &Env{Tables: []*Table{table}}}
	for range n {
		it.Reset()
		first, err := tmpl.Append(nil, it)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := tmpl.Append(nil, it); string(again) != string(first) {
			t.Errorf("one iteration has the rows %s and %s", first, again)
		}
		rows = append(rows, string(first))
	}
	return rows
}

func TestPicks(t *testing.T) {
	start := func(pick string, seed uint64) *Table {
		table := tables(t, "{t: {range: 1..50, pick: "+pick+"}}", nil)[0]
		table.Start(seed)
		return table
	}
	order := taken(t, start("next", 1), 50)
	t.Run("next", func(t *testing.T) {
		table := start("next", 1)
		if got := taken(t, table, 52); got[0] != "1" || got[49] != "50" || got[50] != "1" {
			t.Errorf("got %v", got)
		}
		if table.Start(1); taken(t, table, 1)[0] != "1" {
			t.Error("a run begins again")
		}
	})
	t.Run("shuffle", func(t *testing.T) {
		got := taken(t, start("shuffle", 1), 100)
		if sorted := slices.Clone(got[:50]); slices.Equal(got[:50], order) || !slices.Equal(got[:50], got[50:]) {
			t.Errorf("got %v", sorted)
		}
		if again := taken(t, start("shuffle", 1), 100); !slices.Equal(again, got) {
			t.Error("a seed gives one order")
		}
		if other := taken(t, start("shuffle", 2), 100); slices.Equal(other, got) {
			t.Error("another seed gives another order")
		}
		slices.Sort(got[:50])
		all := slices.Sorted(slices.Values(order))
		if !slices.Equal(got[:50], all) {
			t.Errorf("rows are missing: %v", got)
		}
	})
	t.Run("zipf", func(t *testing.T) {
		const n = 40_000
		count := map[string]float64{}
		for _, row := range taken(t, start("{zipf: 1.2}", 1), n) {
			count[row]++
		}
		var all float64 // of the law, written out apart
		for k := 1.0; k <= 50; k++ {
			all += math.Exp(-1.2 * math.Log(k))
		}
		for _, k := range []float64{1, 2, 3, 10, 50} {
			want := n * math.Exp(-1.2*math.Log(k)) / all
			if got := count[fmt.Sprint(k)]; math.Abs(got-want) > 5*math.Sqrt(want) {
				t.Errorf("row %v is picked %v times, want about %.0f", k, got, want)
			}
		}
		if again, other := taken(t, start("{zipf: 1.2}", 1), 20),
			taken(t, start("{zipf: 1.2}", 2), 20); !slices.Equal(again, other) {
			t.Errorf("the iteration's own seed decides, not the table's: %v and %v", again, other)
		}
	})
	t.Run("random", func(t *testing.T) {
		got := taken(t, start("random", 1), 1000)
		seen := map[string]int{}
		for _, r := range got {
			seen[r]++
		}
		if len(seen) != 50 || seen["1"] < 5 || seen["50"] < 5 {
			t.Errorf("got %v", seen)
		}
	})
	t.Run("unique", func(t *testing.T) {
		table := start("unique", 1)
		if got := taken(t, table, 50); !slices.Equal(got, order) {
			t.Errorf("got %v", got)
		}
		reported := false
		it := &Iter{Env: &Env{Tables: []*Table{table}, Fill: func() { reported = true }}}
		if _, err := it.row(0); !errors.Is(err, ErrUsedUp) || !reported {
			t.Errorf("used up: %v %v", err, reported)
		}
	})
	t.Run("unique over workers", func(t *testing.T) {
		table := start("unique", 1)
		var mu sync.Mutex
		seen := map[string]bool{}
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				got := taken(t, table, 10)
				mu.Lock()
				defer mu.Unlock()
				for _, r := range got {
					if seen[r] {
						t.Errorf("row %s was taken twice", r)
					}
					seen[r] = true
				}
			})
		}
		wg.Wait()
	})
	t.Run("two tables have orders of their own", func(t *testing.T) {
		both := tables(t, "{a: {range: 1..50, pick: shuffle}, b: {range: 1..50, pick: shuffle}}", nil)
		both[0].Start(1)
		both[1].Start(1)
		if slices.Equal(taken(t, both[0], 50), taken(t, both[1], 50)) {
			t.Error("they have one order")
		}
	})
}

// TestTable_Split: processes that share a table pick together the rows that one process picks, each once.
func TestTable_Split(t *testing.T) {
	for _, pick := range []string{"next", "shuffle", "unique"} {
		start := func() *Table {
			table := tables(t, "{t: {range: 1..50, pick: "+pick+"}}", nil)[0]
			table.Start(3)
			return table
		}
		one := start()
		want := taken(t, one, 50)[4:] // setup picks the first
		for of := int64(1); of <= 7; of++ {
			var got []string
			for k := range of {
				table := start()
				table.Split(4, k, of)
				got = append(got, taken(t, table, int((46-k+of-1)/of))...)
			}
			slices.Sort(got)
			if sorted := slices.Sorted(slices.Values(want)); !slices.Equal(got, sorted) || one.Taken() != 50 {
				t.Errorf("%s: %d processes pick %v, want %v", pick, of, got, sorted)
			}
		}
	}
}
