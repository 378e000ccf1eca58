package h1

import (
	"bufio"
	"strings"
	"testing"
)

// BenchmarkAnswer_Read reads an answer of nginx with a body of 64 bytes.
func BenchmarkAnswer_Read(b *testing.B) {
	const text = "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Fri, 27 Nov 2026 09:30:00 GMT\r\n" +
		"Content-Type: text/plain\r\nContent-Length: 64\r\nConnection: keep-alive\r\n\r\n"
	answer := text + strings.Repeat("0", 64)
	in := strings.NewReader(answer)
	br := bufio.NewReader(in)
	a := Answers.Get().(*Answer)
	b.ReportAllocs()
	for b.Loop() {
		in.Reset(answer)
		br.Reset(in)
		a.Reset()
		if clean, err := a.Read(br, "GET", 0); err != nil || !clean {
			b.Fatal(clean, err)
		}
	}
}
