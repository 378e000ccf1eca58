package plugin

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
	"testing/iotest"
	"time"
)

// FuzzRead: whatever a plug-in writes, and however it comes, a line that is taken is one that it wrote, whole, and an
// answer that is read is the one that the line has.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		`{"hello":1,"calls":["get"]}`, "{\"id\":1}\n{\"id\":2,\"body\":{\"a\":[1]}}\r\n\n", `{"id":1,"status":404,"absent":true}`,
		`{"id":1,"failed":"refused"}`, `{"id":-1}`, `{"id":1,"status":99999}`, "Traceback", `{"id":18446744073709551615}`, "\n\n",
	} {
		f.Add([]byte(text+"\n"), false)
		f.Add([]byte(text), true)
	}
	f.Fuzz(func(t *testing.T, said []byte, slow bool) {
		from := io.Reader(bytes.NewReader(said))
		if slow {
			from = iotest.OneByteReader(from)
		}
		var want [][]byte
		whole := said[:bytes.LastIndexByte(said, '\n')+1]
		for one := range bytes.Lines(whole) {
			if one = bytes.TrimSpace(one); len(one) > 0 {
				want = append(want, one)
			}
		}
		n := 0
		err := readLines(from, func() time.Duration { return 0 }, func(text []byte, _ time.Duration) error {
			if n >= len(want) || !bytes.Equal(text, want[n]) {
				t.Fatalf("line %d is %q", n, text)
			}
			n++
			l, err := parse(text)
			if err != nil {
				return nil
			}
			var other map[string]any
			if json.Unmarshal(text, &other) != nil || l.ID == 0 && l.Hello == 0 || l.Status < 0 || l.Status > mostStatus ||
				len(l.Body) > 0 && !json.Valid(l.Body) {
				t.Fatalf("%q is read as %+v", text, l)
			}
			return nil
		})
		if err == nil || n != len(want) {
			t.Fatalf("%d of %d lines: %v", n, len(want), err)
		}
	})
}
