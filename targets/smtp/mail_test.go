package smtp

import (
	"bufio"
	"bytes"
	"io"
	"net/textproto"
	"testing"
)

// FuzzAppendDotted: a server reads the lines of the mail, whatever it holds, and the mail does not end before its end.
func FuzzAppendDotted(f *testing.F) {
	for _, mail := range []string{"a", "a\n", ".\n", "a\n.\nb", "a\r\n..\r\n.c", "\n\n.", "a\rb\r"} {
		f.Add([]byte(mail))
	}
	f.Fuzz(func(t *testing.T, mail []byte) {
		if len(mail) == 0 { // a mail has headers
			return
		}
		said := append(appendDotted([]byte("x"), mail), "QUIT\r\n"...)
		in := bufio.NewReader(bytes.NewReader(said))
		if b, _ := in.ReadByte(); b != 'x' {
			t.Fatal("what was there is lost")
		}
		got, err := io.ReadAll(textproto.NewReader(in).DotReader()) // it reads CRLF as LF
		if err != nil {
			t.Fatalf("%q: %v", mail, err)
		}
		want := bytes.ReplaceAll(mail, []byte("\r\n"), []byte("\n"))
		if want, _ = bytes.CutSuffix(want, []byte("\n")); string(want) != string(bytes.TrimSuffix(got, []byte("\n"))) {
			t.Errorf("%q was read as %q", mail, got)
		}
		if rest, _ := io.ReadAll(in); string(rest) != "QUIT\r\n" {
			t.Errorf("%q follows the mail", rest)
		}
	})
}
