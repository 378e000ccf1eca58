package accesslog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// lineReader returns lines with their numbers.
type lineReader struct {
	r *bufio.Reader
	n int64
}

// longestLine is the maximum length of a line; a longer one is a bad line.
const longestLine = 64 << 10

var errLong = fmt.Errorf("it is longer than %d KiB", longestLine>>10)

// next returns the next line that is not empty, in a buffer that it reuses.
func (l *lineReader) next() ([]byte, error) {
	for {
		line, err := l.r.ReadSlice('\n')
		if len(line) == 0 && err != nil {
			return nil, err
		}
		l.n++
		if errors.Is(err, bufio.ErrBufferFull) {
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = l.r.ReadSlice('\n')
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, err
			}
			return nil, BadLine{l.n, errLong}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r' || line[len(line)-1] == ' ') {
			line = line[:len(line)-1]
		}
		if len(line) > 0 {
			return line, nil
		}
	}
}
