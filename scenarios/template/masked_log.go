package template

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"brunt/scenarios/disk"
)

// A MaskedLog forwards its input line by line with every secret masked, and every value whose name makes it secret.
// Only one goroutine may write to it at a time.
type MaskedLog struct {
	secrets *Secrets
	to      io.WriteCloser
	part    []byte // a line that has not ended
}

// longestLine is the maximum number of bytes that are buffered for a line; a longer line is
// masked in parts.
const longestLine = 64 << 10

// Log returns a writer that masks a log and forwards it to w. Closing it closes w.
func (s *Secrets) Log(w io.WriteCloser) *MaskedLog { return &MaskedLog{secrets: s, to: w} }

// OpenLog opens a file behind a [MaskedLog], and creates its folder with the permissions that the umask allows. Only
// the owner may read the file, because the output of a program may contain secrets that brunt does not know. Flag
// says what happens to an existing file: [os.O_APPEND] or [os.O_TRUNC].
func (s *Secrets) OpenLog(file string, flag int) (io.WriteCloser, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return nil, err
	}
	if info, err := os.Lstat(file); err == nil && !info.Mode().IsRegular() { // such as a pipe without a reader
		return nil, fmt.Errorf("%s is not a file, and brunt writes a log there: remove it", file)
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|flag, disk.Private)
	if err != nil {
		return nil, err
	}
	return s.Log(f), nil
}

// Write implements [io.Writer]. An incomplete line is forwarded when it is completed, or by Close.
func (l *MaskedLog) Write(b []byte) (int, error) {
	if l.secrets == nil {
		return l.to.Write(b)
	}
	l.part = append(l.part, b...)
	whole := bytes.LastIndexByte(l.part, '\n') + 1
	if len(l.part)-whole > longestLine {
		whole = len(l.part) - l.secrets.holdBack(string(l.part))
	}
	if whole == 0 {
		return len(b), nil
	}
	_, err := io.WriteString(l.to, l.secrets.MaskFields(string(l.part[:whole])))
	l.part = append(l.part[:0], l.part[whole:]...)
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

func (l *MaskedLog) Close() error {
	var err error
	if len(l.part) > 0 {
		_, err = io.WriteString(l.to, l.secrets.MaskFields(string(l.part)))
		l.part = nil
	}
	return errors.Join(err, l.to.Close())
}
