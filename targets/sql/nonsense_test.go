package sql_test

import (
	"strings"
	"testing"
	"time"

	"brunt/targets"
	"brunt/targets/targetstest"
)

// TestNonsense: an answer that is not one of the protocol is a clear error, and never one past the deadline.
func TestNonsense(t *testing.T) {
	for _, c := range []struct{ name, answer, want, message string }{
		{"nothing", "", "error, closed", ""},
		{"another protocol", "HTTP/1.1 400 Bad Request\r\n\r\n", "error, protocol", "not PostgreSQL's"},
		{"an unknown message", "q\x00\x00\x00\x04" + ready, "error, protocol", `a message 'q'`},
		{"a negative length", "C\x00\x00\x00\x00", "error, protocol", "bytes"},
		{"half a message", "C\x00\x00\x00\x20SELECT", "error, closed", ""},
		{
			"a row that was not announced", "D\x00\x00\x00\x0a\x00\x05\x00\x00\x00\x00" + ready, "error, protocol",
			"a row of other columns",
		},
		{
			"a value that is cut", column + "D\x00\x00\x00\x0a\x00\x01\x00\x00\x00\x09" + ready, "error, protocol",
			"a value of 9 bytes",
		},
		{"a column that is cut", "T\x00\x00\x00\x08\x00\x01n\x00" + ready, "error, protocol", "a column that is cut"},
		{"a state of two bytes", "Z\x00\x00\x00\x06II", "error, protocol", "a state"},
		{"an error without fields", "E\x00\x00\x00\x05\x00" + ready, "error, error XX000", ""},
		{"only notices", strings.Repeat("N\x00\x00\x00\x05\x00", 100), "error, closed", ""},
		{"ready at once", ready, "error, check number of rows", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &targetstest.Sampler{}
			s := start(t, func(s *server) { s.raw = []byte(c.answer) })
			f := newFixture(t, targets.Options{Base: s.Base(), Sampler: k}, `{sql: select 1, check: {rows: 1, "$[0].n": 1}}`)
			u := f.User(t, 0)
			out := u.Do(0, 10*time.Second)
			if got := f.Got(out); got != c.want || out.End > u.It.Deadline {
				t.Errorf("got %s, want %s: %+v", got, c.want, k.Kept)
			}
			if len(k.Kept) != 1 || !strings.Contains(k.Kept[0].Message, c.message) {
				t.Errorf("%+v", k.Kept)
			}
		})
	}
}
