package targetstest

import "io"

// Pieces returns a reader of b that returns at most n bytes per read.
func Pieces(b []byte, n int) io.Reader { return &pieces{b, n} }

type pieces struct {
	b []byte
	n int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), p.n)], p.b)
	p.b = p.b[n:]
	return n, nil
}
