package scenarios

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync/atomic"
)

// A Table is a set of rows that iterations take their data from.
type Table struct {
	Name    string
	Columns []string
	Rows    [][]Datum
	Pick    string // next, shuffle, random or unique
	Pos     Pos

	order []int32 // of a shuffled table
	taken atomic.Int64
}

// A Datum is one value of a row.
type Datum struct {
	Text string
	JSON bool // a JSON literal other than a string
}

// Column finds the number of a column, -1 when there is none.
func (t *Table) Column(name string) int { return slices.Index(t.Columns, name) }

// Start readies the table for a run: a shuffled table gets the order that seed
// gives, and the count of taken rows begins anew.
func (t *Table) Start(seed uint64) {
	t.taken.Store(0)
	t.order = nil
	if t.Pick != "shuffle" {
		return
	}
	h := seed
	for _, c := range []byte(t.Name) {
		h = h*1099511628211 ^ uint64(c)
	}
	t.order = make([]int32, len(t.Rows))
	for i := range t.order {
		t.order[i] = int32(i)
	}
	r := rand.New(rand.NewPCG(seed, h))
	r.Shuffle(len(t.order), func(i, j int) { t.order[i], t.order[j] = t.order[j], t.order[i] })
}

// pick chooses the next row; false when a unique table is used up.
func (t *Table) pick(r *rand.Rand) (int, bool) {
	n := int64(len(t.Rows))
	if n == 0 {
		return 0, false
	}
	if t.Pick == "random" {
		return int(r.Int64N(n)), true
	}
	i := t.taken.Add(1) - 1
	if t.Pick == "unique" && i >= n {
		return 0, false
	}
	if t.order != nil {
		return int(t.order[i%n]), true
	}
	return int(i % n), true
}

// maxRows bounds a table, so that a typing error in a range is a mistake and not
// a machine out of memory.
const maxRows = 5_000_000

// tableSource is how a file writes a table: exactly one source, and a pick.
type tableSource struct {
	Place
	CSV    string    `yaml:"csv"`
	JSON   string    `yaml:"json"`
	Inline *rawNode  `yaml:"inline"`
	Range  *intRange `yaml:"range"`
	Pick   string    `yaml:"pick,oneof=next|shuffle|random|unique"`
}

// rawNode keeps a node undecoded.
type rawNode struct{ *Node }

// DecodeNode implements [NodeDecoder].
func (r *rawNode) DecodeNode(n *Node, _ *Mistakes) { r.Node = n }

// intRange is a span of whole numbers, both ends included: 1..500.
type intRange struct{ from, to int64 }

// DecodeNode implements [NodeDecoder].
func (r *intRange) DecodeNode(n *Node, m *Mistakes) {
	decodeScalar(n, m, func(s string) (intRange, error) {
		var v intRange
		if k, err := fmt.Sscanf(s, "%d..%d", &v.from, &v.to); err != nil || k != 2 || v.to < v.from {
			return v, fmt.Errorf("want a range such as 1..500, not %q", clip(s, 40))
		}
		if v.to-v.from < 0 || v.to-v.from >= maxRows {
			return v, fmt.Errorf("a range has at most %d values", maxRows)
		}
		return v, nil
	}, func(v intRange) { *r = v })
}

// table reads one entry of `data`.
func (s *scope) table(name string, n *Node) *Table {
	var src tableSource
	before := s.m.Len()
	Decode(n, &src, s.m)
	t := &Table{Name: name, Pick: src.Pick, Pos: n.Pos}
	if t.Pick == "" {
		t.Pick = "next"
	}
	if s.m.Len() > before {
		return t
	}
	sources := 0
	for _, has := range []bool{src.Has("csv"), src.Has("json"), src.Has("inline"), src.Has("range")} {
		if has {
			sources++
		}
	}
	if sources != 1 {
		s.m.Add(n.Pos, "data %q wants exactly one of csv, json, inline, range", name)
		return t
	}
	var err error
	key := ""
	switch {
	case src.CSV != "":
		key = "csv"
		err = t.file(s.read, src.CSV, t.readCSV)
	case src.JSON != "":
		key = "json"
		err = t.file(s.read, src.JSON, t.readJSON)
	case src.Range != nil:
		t.Columns = []string{"value"}
		for i := src.Range.from; i <= src.Range.to; i++ {
			t.Rows = append(t.Rows, []Datum{{Text: strconv.FormatInt(i, 10), JSON: true}})
		}
	case src.Inline != nil:
		t.inline(src.Inline.Node, s.m)
	}
	if err != nil {
		s.m.Add(src.Of(key), "data %q: %v", name, err)
		return t
	}
	if len(t.Rows) == 0 && s.m.Len() == before {
		s.m.Add(n.Pos, "data %q has no rows", name)
	}
	return t
}

func (t *Table) file(read func(string) ([]byte, error), path string, parse func([]byte) error) error {
	b, err := read(path)
	if err != nil {
		return err
	}
	if err := parse(bytes.TrimPrefix(b, []byte("\ufeff"))); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func (t *Table) readCSV(b []byte) error {
	r := csv.NewReader(bytes.NewReader(b))
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return errors.New("the file is empty; its first line names the columns")
		}
		return err
	}
	t.Columns = slices.Clone(head)
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(t.Rows) == maxRows {
			return fmt.Errorf("more than %d rows", maxRows)
		}
		row := make([]Datum, len(rec))
		for i, v := range rec {
			row[i].Text = v
		}
		t.Rows = append(t.Rows, row)
	}
}

func (t *Table) readJSON(b []byte) error {
	var rows []map[string]json.RawMessage
	if err := json.Unmarshal(b, &rows); err != nil {
		return fmt.Errorf("want a list of objects: %w", err)
	}
	for _, row := range rows {
		for k := range row {
			if !slices.Contains(t.Columns, k) {
				t.Columns = append(t.Columns, k)
			}
		}
	}
	slices.Sort(t.Columns)
	for _, row := range rows {
		cells := make([]Datum, len(t.Columns))
		for i, col := range t.Columns {
			cells[i] = jsonCell(row[col])
		}
		t.Rows = append(t.Rows, cells)
	}
	return nil
}

func jsonCell(raw json.RawMessage) Datum {
	var s string
	if len(raw) == 0 {
		return Datum{Text: "null", JSON: true}
	}
	if json.Unmarshal(raw, &s) == nil && raw[0] == '"' {
		return Datum{Text: s}
	}
	return Datum{Text: string(raw), JSON: true}
}

// inline reads rows written in the scenario: maps of columns, or plain values
// that stand in one column named value.
func (t *Table) inline(n *Node, m *Mistakes) {
	if n.Kind != List {
		m.Add(n.Pos, "want a list of rows, not %s", n.describe())
		return
	}
	for _, item := range n.Items {
		if item.Kind != Map {
			item = &Node{Kind: Map, Pos: item.Pos, Fields: []Field{{"value", item.Pos, item}}}
		}
		for _, f := range item.Fields {
			if t.Column(f.Key) < 0 {
				t.Columns = append(t.Columns, f.Key)
			}
		}
	}
	for _, item := range n.Items {
		row := make([]Datum, len(t.Columns))
		for i, col := range t.Columns {
			v := item
			if item.Kind == Map {
				v = item.Get(col)
			}
			if v == nil {
				m.Add(item.Pos, "this row has no %q", col)
				continue
			}
			text, ok := v.Text(m)
			if ok {
				row[i] = Datum{Text: text, JSON: v.Kind == Number || v.Kind == Bool}
			}
		}
		t.Rows = append(t.Rows, row)
	}
}
