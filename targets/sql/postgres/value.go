package postgres

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"

	"brunt/scenarios/check"
	"brunt/targets/sql"
)

// describe reads the columns of rows.
func (in *reader) describe(n int) error {
	in.to.Returns = true
	if !in.of.Keep {
		return in.skip(n)
	}
	b, err := in.body(n)
	if err != nil {
		return err
	}
	if len(b) < 2 {
		return bad("columns of %d bytes", len(b))
	}
	count := int(binary.BigEndian.Uint16(b))
	in.columns, b = nil, b[2:]
	const rest = 18 // table, number, type, size, modifier, format
	for range count {
		name, after, ok := cString(b)
		if !ok || len(after) < rest {
			return bad("a column that is cut")
		}
		in.columns = append(in.columns, column{name: string(name), kind: binary.BigEndian.Uint32(after[6:])})
		b = after[rest:]
	}
	return nil
}

// row keeps a row as a map of its columns.
func (in *reader) row(n int) error {
	b, err := in.body(n)
	if err != nil {
		return err
	}
	if len(b) < 2 || int(binary.BigEndian.Uint16(b)) != len(in.columns) {
		return bad("a row of other columns than announced")
	}
	b = b[2:]
	for rest := b; len(rest) > 0; { // all lengths are checked before anything is kept
		if len(rest) < 4 {
			return bad("a row that is cut")
		}
		size := max(be32(rest), 0)
		if rest = rest[4:]; size > len(rest) {
			return bad("a value of %d bytes in a row of %d", size, n)
		}
		rest = rest[size:]
	}
	return in.to.Keep(n, len(in.columns), func() any {
		row := make(map[string]any, len(in.columns))
		for _, c := range in.columns {
			if len(b) < 4 {
				break
			}
			size := be32(b)
			if b = b[4:]; size < 0 {
				row[c.name] = nil
				continue
			}
			row[c.name] = value(c.kind, string(b[:size]))
			b = b[size:]
		}
		return row
	})
}

// The numbers of the types whose values are not texts in JSON.
const (
	typeBool    = 16
	typeInt8    = 20
	typeInt2    = 21
	typeInt4    = 23
	typeOID     = 26
	typeJSON    = 114
	typeFloat4  = 700
	typeFloat8  = 701
	typeNumeric = 1700
	typeJSONB   = 3802
)

// value converts a value to a type of JSON. A number that JSON does not have, such as NaN, becomes a text.
func value(kind uint32, text string) any {
	switch kind {
	case typeBool:
		return text == "t"
	case typeInt2, typeInt4, typeInt8, typeOID:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
	case typeFloat4, typeFloat8:
		if f, err := strconv.ParseFloat(text, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return f
		}
	case typeNumeric:
		if json.Valid([]byte(text)) {
			return json.Number(text)
		}
	case typeJSON, typeJSONB:
		if v, err := check.ParseValue(text); err == nil {
			return v
		}
	}
	return text
}

// temporary are the numbers of errors after which another try may succeed: no connection, too many connections, a
// lost race with another transaction, a server that starts, stops or accepts no writes.
var temporary = func() map[int32]bool {
	m := map[int32]bool{}
	for _, state := range []string{
		"08000", "08001", "08003", "08004", "08006", "08007", readOnly, "40001", "40P01", "53000", "53100", "53200", "53300",
		"55P03", "57014",
		"57P01", "57P02", "57P03", "57P05", "58030",
	} {
		m[sql.State(state)] = true
	}
	return m
}()
