package sql

import "testing"

// TestScan: what a statement is, whatever its comments and quotes hold.
func TestScan(t *testing.T) {
	postgres, mysql := Syntax{Dollar: true}, Syntax{Backslash: true}
	for _, c := range []struct {
		x    Syntax
		text string
		want scanned
	}{
		{postgres, "select $2, '$3', $$ $4 $$ -- $5", scanned{params: 2, verb: "select"}},
		{postgres, "/* a /* b */ */ (SELECT 1)", scanned{verb: "select"}},
		{postgres, "begin; select 1", scanned{several: true, verb: "begin"}},
		{mysql, "select 5--?", scanned{params: 1, verb: "select"}},
		{mysql, "select 5 -- ?\n, ?", scanned{params: 1, verb: "select"}},
		{mysql, "# ?\nshow tables", scanned{verb: "show"}},
		{mysql, "insert into a values ('returning')", scanned{verb: "insert"}},
		{mysql, "insert into a values (?) Returning id", scanned{params: 1, verb: "insert", returning: true}},
		{mysql, "with b as (select 1) update a set c = 1", scanned{verb: "update"}},
		{mysql, "with b as (delete) select 1", scanned{verb: "select"}},
	} {
		if got := c.x.scan(c.text); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.text, got, c.want)
		}
	}
}
