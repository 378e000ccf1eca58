package template

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"brunt/scenarios/quantity"
	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
)

// A Table is a set of rows. Iterations take their data from it.
type Table struct {
	Name    string
	Columns []string
	Rows    [][]Datum
	Pick    string // next, shuffle, random, unique or zipf
	Pos     syntax.Pos

	exponent float64   // of zipf
	weights  []float64 // of zipf: cumulative weights of the rows

	bad   bool    // its mistakes are already reported
	order []int32 // of a shuffled table
	taken atomic.Int64

	first, index, of int64 // rows that are picked in turn have the numbers first + taken·of + index; of == 0 means 1
}

// A Datum is one value of a row.
type Datum struct {
	Text string
	JSON bool // Text is a JSON literal other than a string
}

// Column returns the number of a column, or -1.
func (t *Table) Column(name string) int { return slices.Index(t.Columns, name) }

// Start prepares the table for a run: it shuffles a shuffled table by seed, and resets the count
// of taken rows.
func (t *Table) Start(seed uint64) {
	t.taken.Store(0)
	t.first, t.index, t.of = 0, 0, 1
	t.order = nil
	if t.Pick == skewed && len(t.weights) != len(t.Rows) {
		t.weights = zipfWeights(len(t.Rows), t.exponent)
	}
	if t.Pick != shuffled {
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

// Taken returns how many rows were picked in turn.
func (t *Table) Taken() int64 { return t.taken.Load() }

// Split divides the rows that are picked in turn among processes. After the row with the number first, this process
// picks every of-th row, beginning at its index. So processes with the indexes 0 to of-1 together pick the same rows
// as one process, each once. It must be called after Start.
func (t *Table) Split(first, index, of int64) { t.first, t.index, t.of = first, index, of }

// learnRow makes those cells of a row secret whose columns have a secret name.
func (t *Table) learnRow(s *Secrets, n int) {
	for i, column := range t.Columns {
		if secret.IsName(column) {
			s.Learn(t.Rows[n][i].Text)
		}
	}
}

// Learn makes the first values in columns with a secret name secret. Values in further rows are learned when a
// request that contains them is kept.
func (t *Table) Learn(s *Secrets) {
	for n := range min(len(t.Rows), offeredAtFirst) {
		t.learnRow(s, n)
	}
}

// pick chooses the next row. It returns false if a unique table is used up.
func (t *Table) pick(r *rand.Rand) (int, bool) {
	n := int64(len(t.Rows))
	if n == 0 {
		return 0, false
	}
	switch t.Pick {
	case drawn:
		return int(r.Int64N(n)), true
	case skewed:
		return weighed(t.weights, r.Float64()), true
	}
	i := t.first + (t.taken.Add(1)-1)*max(1, t.of) + t.index
	if t.Pick == once && i >= n {
		return 0, false
	}
	if t.order != nil {
		return int(t.order[i%n]), true
	}
	return int(i % n), true
}

// Limits on a table, so that a typo in a range is a mistake and does not exhaust memory.
const (
	maxRows  = 5_000_000
	maxCells = 20_000_000
	maxInput = 256 << 20 // bytes of a file
)

// tableSource describes a table in a file: exactly one source, and a pick.
type tableSource struct {
	syntax.Place
	// a file whose first line names the columns, unless `columns` does
	CSV  string `yaml:"csv"`
	JSON string `yaml:"json"` // a file with a list of objects
	// rows written here, as maps or as single values
	Inline *rawNode           `yaml:"inline"`
	Range  *quantity.IntRange `yaml:"range"` // whole numbers, both ends included
	// of csv: column names, for a file whose first line is already a row
	Columns []string `yaml:"columns"`
	// of csv: the character between two columns; zero is a comma
	Separator string `yaml:"separator"`
	// which row an iteration takes; unique takes each once; zero is next
	Pick picking `yaml:"pick"`
}

// tableKeys are the sources; a table has exactly one.
var tableKeys = []string{"csv", "json", "inline", "range"}

// rawNode keeps a node undecoded.
type rawNode struct{ *syntax.Node }

func (r *rawNode) DecodeNode(n *syntax.Node, _ *syntax.Mistakes) { r.Node = n }

// Table reads one entry of `data`.
func (s *Scope) Table(name string, n *syntax.Node) *Table {
	var src tableSource
	before := s.Mistakes.Len()
	syntax.Decode(n, &src, s.Mistakes)
	t := &Table{Name: name, Pick: cmp.Or(src.Pick.By, inTurn), exponent: src.Pick.Zipf, Pos: n.Pos, bad: true}
	if s.Mistakes.Len() > before || n.Bad {
		return t
	}
	var given []string
	for _, key := range tableKeys {
		if src.Has(key) {
			given = append(given, key)
		}
	}
	if len(given) != 1 {
		s.Mistakes.AddHint(n.Pos, "such as {csv: users.csv}", "data %q wants exactly one of %s", name,
			strings.Join(tableKeys, ", "))
		return t
	}
	for _, key := range []string{"columns", "separator"} {
		if src.Has(key) && given[0] != "csv" {
			s.Mistakes.Add(src.Of(key), "`%s` belongs to csv", key)
			return t
		}
	}
	var err error
	switch key := given[0]; {
	case key == "csv":
		err = s.tableFile(n.Get(key), src.CSV, func(b []byte) error { return t.readCSV(b, src.Columns, src.Separator) })
	case key == "json":
		err = s.tableFile(n.Get(key), src.JSON, t.readJSON)
	case src.Range != nil:
		t.count(*src.Range)
	case src.Inline != nil:
		t.inline(src.Inline.Node, s.Mistakes)
	}
	if err != nil {
		s.Mistakes.Add(n.Get(given[0]).Pos, "data %q: %v", name, err)
		return t
	}
	if s.Mistakes.Len() > before {
		return t
	}
	t.bad = false
	if len(t.Rows) == 0 {
		s.Mistakes.Add(n.Pos, "data %q has no rows", name)
	}
	return t
}

func (s *Scope) tableFile(n *syntax.Node, path string, parse func([]byte) error) error {
	b, err := s.Read(n.Pos, path, maxInput)
	if err != nil {
		return err
	}
	if err := parse(syntax.TrimBOM(b)); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// count makes the rows of a range of numbers.
func (t *Table) count(r quantity.IntRange) {
	t.Columns = []string{"value"}
	cells := make([]Datum, r.To-r.From+1)
	t.Rows = make([][]Datum, len(cells))
	for i := range cells {
		cells[i] = Datum{Text: strconv.FormatInt(r.From+int64(i), 10), JSON: true}
		t.Rows[i] = cells[i : i+1 : i+1]
	}
}

// readCSV reads the rows of a file. Without head, the first line has the column names.
func (t *Table) readCSV(b []byte, head []string, separator string) error {
	r := csv.NewReader(bytes.NewReader(b))
	r.ReuseRecord = true
	if separator != "" {
		comma, size := utf8.DecodeRuneInString(separator)
		if size != len(separator) || strings.ContainsRune("\"\r\n\ufffd", comma) || comma == 0 {
			return fmt.Errorf("a separator is one character such as ; and no quote, not %q", syntax.Clip(separator, 20))
		}
		r.Comma = comma
	}
	if len(head) == 0 {
		var err error
		if head, err = r.Read(); errors.Is(err, io.EOF) {
			return errors.New("the file is empty; its first line names the columns")
		} else if err != nil {
			return err
		}
	} else {
		r.FieldsPerRecord = len(head)
	}
	for _, name := range head {
		if name = strings.TrimSpace(name); slices.Contains(t.Columns, name) {
			return fmt.Errorf("two columns are named %q", syntax.Clip(name, 40))
		}
		t.Columns = append(t.Columns, strings.Clone(name))
	}
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(t.Rows) == maxRows || (len(t.Rows)+1)*len(head) > maxCells {
			return fmt.Errorf("more than %d rows or %d cells", maxRows, maxCells)
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
	if len(rows) > maxRows {
		return fmt.Errorf("more than %d rows", maxRows)
	}
	columns := map[string]bool{}
	for _, row := range rows {
		for k := range row {
			columns[k] = true
		}
	}
	if len(columns)*len(rows) > maxCells {
		return fmt.Errorf("more than %d cells", maxCells)
	}
	t.Columns = slices.Sorted(maps.Keys(columns))
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

// inline reads rows written in the scenario: maps of columns, or single values in one column named value.
func (t *Table) inline(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind != syntax.List {
		m.AddHint(n.Pos, "such as [{id: 1}, {id: 2}]", "want a list of rows, not %s", n.Describe())
		return
	}
	columns := map[string]bool{}
	rows := make([]*syntax.Node, len(n.Items))
	for i, item := range n.Items {
		if item.Kind != syntax.Map {
			item = &syntax.Node{
				Kind: syntax.Map, Pos: item.Pos, Fields: []syntax.Field{{Key: "value", Pos: item.Pos, Value: item}},
			}
		}
		rows[i] = item
		for _, f := range item.Fields {
			if !columns[f.Key] {
				columns[f.Key] = true
				t.Columns = append(t.Columns, f.Key)
			}
		}
	}
	if len(t.Columns)*len(rows) > syntax.MaxNodes {
		m.Add(n.Pos, "the rows have more than %d cells", syntax.MaxNodes)
		return
	}
	for _, row := range rows {
		cells := make([]Datum, len(t.Columns))
		for i, col := range t.Columns {
			if v := row.Get(col); v == nil {
				m.Add(row.Pos, "this row has no %q", syntax.Clip(col, 40))
			} else {
				cells[i] = datum(v, m)
			}
		}
		t.Rows = append(t.Rows, cells)
	}
}

// datum reads one cell written in the scenario. Numbers and booleans are kept as in JSON.
func datum(n *syntax.Node, m *syntax.Mistakes) Datum {
	text, ok := n.Text(m)
	switch {
	case ok && n.Kind == syntax.Number:
		if text, ok = syntax.JSONNumber(text); !ok {
			m.AddHint(n.Pos, "quote it to keep it as a text", "%s is not a number that JSON can hold", n.Describe())
		}
		return Datum{Text: text, JSON: true}
	case n.Kind == syntax.Bool:
		return Datum{Text: strings.ToLower(text), JSON: true}
	}
	return Datum{Text: text}
}

func (*rawNode) Schema() syntax.Schema { return syntax.Schema{} }

// TableSchema is the schema of one entry of `data`. Doc may be nil.
func TableSchema(doc syntax.Describer) syntax.Schema {
	s := syntax.SchemaOf(reflect.TypeFor[tableSource](), doc)
	var sources []any
	for _, key := range tableKeys {
		sources = append(sources, syntax.Schema{"required": []any{key}})
	}
	s["oneOf"] = sources
	s["dependentRequired"] = syntax.Schema{"columns": []any{"csv"}, "separator": []any{"csv"}}
	return s
}
