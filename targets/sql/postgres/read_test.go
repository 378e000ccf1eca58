package postgres

import (
	"bufio"
	"bytes"
	"testing"

	"brunt/targets/sql"
)

// FuzzRead: no answer makes the reader panic or take more memory than it may, and what it keeps are rows.
func FuzzRead(f *testing.F) {
	f.Add([]byte("1\x00\x00\x00\x042\x00\x00\x00\x04T\x00\x00\x00\x1a\x00\x01n\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x17\x00\x04\xff\xff\xff\xff\x00\x00" +
		"D\x00\x00\x00\x0b\x00\x01\x00\x00\x00\x017C\x00\x00\x00\x0dSELECT 1\x00Z\x00\x00\x00\x05I"))
	f.Add([]byte("E\x00\x00\x00\x18SFATAL\x00C57P01\x00Mbye\x00\x00"))
	f.Add([]byte("A\x00\x00\x00\x0e\x00\x00\x00\x01news\x00a\x00Z\x00\x00\x00\x05I"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		for _, form := range []sql.Form{sql.Prepared, sql.Listening, sql.Copying} {
			c := &connection{prepared: map[*sql.Statement]*prepared{}}
			s := &sql.Statement{Form: form, Keep: true}
			r := &sql.Result{}
			in := reader{conn: c, br: bufio.NewReader(bytes.NewReader(answer)), of: s, to: r, plan: &prepared{}}
			err := in.read()
			if err == nil && !in.done && !in.fatal {
				t.Error("the answer has no end")
			}
			if int64(len(r.Doc)) > r.Rows || in.size < 0 || r.Affected < 0 && len(answer) < 20 {
				t.Errorf("%+v", r)
			}
		}
	})
}

// TestAffected reads the tags of statements.
func TestAffected(t *testing.T) {
	for tag, want := range map[string]int64{
		"INSERT 0 5\x00": 5, "UPDATE 3\x00": 3, "SELECT 9\x00": 0, "COPY 12\x00": 12, "CREATE TABLE\x00": 0, "MERGE x": 0,
		"": 0,
	} {
		if got := affected([]byte(tag)); got != want {
			t.Errorf("%q: %d", tag, got)
		}
	}
}
