package redis

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"brunt/scenarios"
	"brunt/targets"
)

// over reads replies from r.
func over(r io.Reader) *reader { return &reader{br: bufio.NewReaderSize(r, 16<<10), room: mostDecoded} }

// TestReader reads a reply of each type, with its values and without, in one piece and byte by byte.
func TestReader(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       any
		failed     string
		none       bool
	}{
		{name: "simple", text: "+OK\r\n", want: "OK"},
		{name: "number", text: ":-42\r\n", want: int64(-42)},
		{name: "largest number", text: ":9223372036854775807\r\n", want: int64(9223372036854775807)},
		{name: "bulk", text: "$5\r\nhe\r\nl\r\n", want: "he\r\nl"},
		{name: "empty bulk", text: "$0\r\n\r\n", want: ""},
		{name: "nil of RESP2", text: "$-1\r\n", none: true},
		{name: "nil list of RESP2", text: "*-1\r\n", none: true},
		{name: "nil", text: "_\r\n", none: true},
		{name: "error", text: "-READONLY You can't write\r\n", want: "READONLY You can't write", failed: "READONLY"},
		{name: "unknown error", text: "-MINE own\r\n", want: "MINE own", failed: "other"},
		{name: "blob error", text: "!10\r\nLOADING no\r\n", want: "LOADING no", failed: "LOADING"},
		{name: "double", text: ",1.5\r\n", want: 1.5},
		{name: "infinity", text: ",-inf\r\n", want: "-inf"},
		{name: "true", text: "#t\r\n", want: true},
		{name: "big number", text: "(12345678901234567890123\r\n", want: json.Number("12345678901234567890123")},
		{name: "verbatim", text: "=8\r\ntxt:some\r\n", want: "some"},
		{name: "list", text: "*3\r\n:1\r\n$1\r\na\r\n*1\r\n+b\r\n", want: []any{int64(1), "a", []any{"b"}}},
		{name: "set", text: "~1\r\n+a\r\n", want: []any{"a"}},
		{name: "map", text: "%2\r\n+a\r\n:1\r\n:2\r\n_\r\n", want: map[string]any{"a": int64(1), "2": nil}},
		{name: "empty list", text: "*0\r\n", want: []any{}},
		{
			name: "error in a list", text: "*2\r\n+a\r\n-WRONGTYPE no\r\n", want: []any{"a", "WRONGTYPE no"},
			failed: "WRONGTYPE",
		},
		{name: "push before", text: ">2\r\n+invalidate\r\n*1\r\n+k\r\n+OK\r\n", want: "OK"},
		{name: "attribute before", text: "|1\r\n+ttl\r\n:3\r\n:7\r\n", want: int64(7)},
		{name: "attribute within", text: "*1\r\n|1\r\n+ttl\r\n-ERR x\r\n:7\r\n", want: []any{int64(7)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(c.text), iotest.OneByteReader(strings.NewReader(c.text))} {
				r, p := over(in), reply{}
				v, err := r.decode(&p)
				if err != nil || !reflect.DeepEqual(v, c.want) || p.none != c.none || r.size != int64(len(c.text)) {
					t.Errorf("%#v of %d bytes, %v, %+v", v, r.size, err, p)
				}
				if p.failed != (c.failed != "") || p.failed && p.number != numbers[c.failed] {
					t.Errorf("the error is %d %q", p.number, p.text)
				}
			}
			r, p := over(iotest.OneByteReader(strings.NewReader(c.text))), reply{}
			if err := r.read(&p); err != nil || p.none != c.none || r.size != int64(len(c.text)) {
				t.Errorf("skipped: %v, %+v, %d bytes", err, p, r.size)
			}
			for n := range len(c.text) { // cut anywhere
				if err := over(strings.NewReader(c.text[:n])).read(new(reply)); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("after %d bytes: %v", n, err)
				}
			}
		})
	}
}

// TestReader_Nonsense: what is not of Redis is an error of the protocol, and takes no memory by what it announces.
func TestReader_Nonsense(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", `begins with "HTTP/1.1 400 Bad Request`},
		{"no line end", "+OK\n", "which is not of Redis"},
		{"long line", "+" + strings.Repeat("a", 20<<10), "a line of more than"},
		{"no number", ":seven\r\n", `the number "seven"`},
		{"too large a number", ":9223372036854775808\r\n", "the number"},
		{"no length", "$x\r\n", `the length "x"`},
		{"negative length", "$-2\r\n", `the length "-2"`},
		{"huge text", "$99999999999\r\n", "announces 99999999999 bytes"},
		{"huge list", "*99999999999\r\n", "announces 99999999999 bytes or values"},
		{"text without its end", "$2\r\nabcd\r\n", "where a text of it ends"},
		{"lists without end", strings.Repeat("*2147483648\r\n", 3), "announces"},
		{"nothing", "\r\n", "which is not of Redis"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := over(strings.NewReader(c.text)).read(new(reply))
			if err == nil || !strings.Contains(err.Error(), c.want) || targets.CauseOf(err) != scenarios.Protocol {
				t.Errorf("got %v, want %s", err, c.want)
			}
			_, err = over(strings.NewReader(c.text)).decode(new(reply))
			if err == nil || targets.CauseOf(err) != scenarios.Protocol && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("decoded: %v", err)
			}
		})
	}
	for _, c := range []struct{ text, want string }{
		{strings.Repeat("*1\r\n", 100), "lists within lists"},
		{"#x\r\n", "the truth value"},
		{",one\r\n", "the number"},
		{"(1e5x\r\n", "the number"},
		{"$67108864\r\n", "more than 64 MiB"},
	} {
		if _, err := over(strings.NewReader(c.text)).decode(new(reply)); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%.20q: %v", c.text, err)
		}
	}
}

// TestReader_Memory: a reply takes memory by what has come, and not by what it announces; and no more than the bound.
func TestReader_Memory(t *testing.T) {
	took := func(text io.Reader) (uint64, error) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := over(text).decode(new(reply))
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc, err
	}
	for _, text := range []string{
		"$60000000\r\nabc", "*2000000000\r\n+a\r\n", "%2000000000\r\n+a\r\n", "!500000000\r\nabc",
	} {
		if n, err := took(strings.NewReader(text)); err == nil || n > 1<<20 {
			t.Errorf("%q took %d bytes, %v", text, n, err)
		}
	}
	endless := io.MultiReader(strings.NewReader("*2000000000\r\n"), strings.NewReader(strings.Repeat("*0\r\n", 3<<20)))
	if n, err := took(endless); err == nil || !strings.Contains(err.Error(), "64 MiB") || n > 4*mostDecoded {
		t.Errorf("a list of empty lists took %d bytes, %v", n, err)
	}
}

// FuzzReader: a reply that can be read with its values is the same without them, and nothing panics.
func FuzzReader(f *testing.F) {
	for _, s := range []string{
		"+OK\r\n", "$5\r\nhello\r\n", "*2\r\n:1\r\n-ERR x\r\n", "%1\r\n+a\r\n~1\r\n#t\r\n", "|1\r\n+a\r\n_\r\n,inf\r\n",
		">1\r\n+a\r\n=5\r\ntxt:a\r\n",
		"!3\r\nE x\r\n", "(123\r\n", "*-1\r\n", "$-1\r\n", "*1\r\n*1\r\n*1\r\n$0\r\n\r\n", "$1048577\r\nx",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		whole, bare := reply{}, reply{}
		r, s := over(strings.NewReader(string(b))), over(iotest.HalfReader(strings.NewReader(string(b))))
		_, err := r.decode(&whole)
		serr := s.read(&bare)
		if err != nil {
			return
		}
		if serr != nil || r.size != s.size || whole.none != bare.none || whole.failed != bare.failed ||
			whole.number != bare.number {
			t.Errorf("%q: with values %+v of %d bytes, without %+v of %d bytes, %v", b, whole, r.size, bare, s.size, serr)
		}
	})
}
