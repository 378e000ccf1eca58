package sql

import (
	"fmt"
	"regexp"
	"strings"

	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
)

// copySource is the YAML of a step that copies rows into a table.
type copySource struct {
	syntax.Place
	Into    string   `yaml:"into,required"` // the table
	Columns []string `yaml:"columns"`       // columns of the rows, in order; nil is all columns of the table
	Rows    copyRows `yaml:"rows,required"` // {count: 1000, values: ["${int(1,9)}", tea]} or {csv: FILE}

	file []byte // of rows.csv
}

// copyRows are rows that are copied.
type copyRows struct {
	syntax.Place
	Count  int        `yaml:"count,min=1"` // number of rows; zero is 1
	Values []argument `yaml:"values"`      // values of a row in column order, filled in for each row; null is NULL
	CSV    string     `yaml:"csv"`         // a file of rows beside the scenario
	Header bool       `yaml:"header"`      // the first line of the file has the column names
}

// identifier matches a name of SQL, optionally after the name of a schema.
var identifier = regexp.MustCompile(`^([A-Za-z_][\w$]*|"[^"\x00]+")(\.([A-Za-z_][\w$]*|"[^"\x00]+"))?$`)

func isIdentifier(name string) bool { return identifier.MatchString(name) }

// mostCopied is the maximum size of the rows of a copy, in bytes.
const mostCopied = 64 << 20

// compile checks the rows, and returns the statement that copies them.
func (c *copySource) compile(in targets.Scope, m *syntax.Mistakes) Statement {
	s := Statement{Form: Copying, Text: "copy " + c.Into}
	for _, name := range append([]string{c.Into}, c.Columns...) {
		if !isIdentifier(name) {
			m.AddHint(c.Of("into"), `such as orders, shop.orders or "Orders"`, "%q is not the name of a table or a column",
				syntax.Clip(name, 60))
		}
	}
	if len(c.Columns) > 0 {
		s.Text += " (" + strings.Join(c.Columns, ", ") + ")"
	}
	s.Text += " from stdin"
	switch r := &c.Rows; {
	case (len(r.Values) > 0) == (r.CSV != ""):
		m.AddHint(c.Of("rows"), `such as {count: 100, values: ["${int(1,9)}", tea]} or {csv: rows.csv}`,
			"want either values or csv")
	case r.CSV != "":
		if r.Count != 0 {
			m.Add(r.Of("count"), "count is for values; a file gives all its rows")
		}
		s.Text += " with (format csv)"
		if r.Header {
			s.Text = strings.TrimSuffix(s.Text, ")") + ", header true)"
		}
		if in.File == nil {
			break
		}
		b, err := in.File(r.Of("csv"), r.CSV, mostCopied)
		if err != nil {
			m.Add(r.Of("csv"), "%v", err)
		}
		c.file = b
	case len(c.Columns) > 0 && len(c.Columns) != len(r.Values):
		m.Add(r.Of("values"), "there are %s and %s", syntax.Amount(len(c.Columns), "column"),
			syntax.Amount(len(r.Values), "value"))
	}
	return s
}

// append appends the rows for it, in the format of COPY.
func (c *copySource) append(dst, value []byte, it *template.Iter) (_, mem []byte, err error) {
	if c.Rows.CSV != "" {
		return append(dst, c.file...), value, nil
	}
	for range max(1, c.Rows.Count) {
		if len(dst) > mostCopied {
			return dst, value, fmt.Errorf("the rows of a copy have more than %d MiB", mostCopied>>20)
		}
		for i := range c.Rows.Values {
			if i > 0 {
				dst = append(dst, '\t')
			}
			a := &c.Rows.Values[i]
			if a.null {
				dst = append(dst, `\N`...)
				continue
			}
			if value, err = a.Append(value[:0], it); err != nil {
				return dst, value, err
			}
			for _, b := range value {
				switch b {
				case '\\':
					dst = append(dst, `\\`...)
				case '\t':
					dst = append(dst, `\t`...)
				case '\n':
					dst = append(dst, `\n`...)
				case '\r':
					dst = append(dst, `\r`...)
				default:
					dst = append(dst, b)
				}
			}
		}
		dst = append(dst, '\n')
	}
	return dst, value, nil
}
