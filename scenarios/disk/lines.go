package disk

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
)

// Lines writes values to a file as JSON, one a line. A nil Lines drops them.
type Lines struct {
	file *os.File
	to   *bufio.Writer
	json *json.Encoder
}

// FreshLines creates the file, see [Fresh], for its owner alone. It returns nil if path is empty.
func FreshLines(path string) (*Lines, error) {
	if path == "" {
		return nil, nil
	}
	f, err := Fresh(path, Private)
	if err != nil {
		return nil, err
	}
	w := bufio.NewWriterSize(f, 1<<16)
	return &Lines{f, w, json.NewEncoder(w)}, nil
}

// Add adds a value.
func (l *Lines) Add(v any) error {
	if l == nil {
		return nil
	}
	return l.json.Encode(v)
}

// Clear removes all lines.
func (l *Lines) Clear() error {
	if l == nil {
		return nil
	}
	l.to.Reset(l.file)
	if _, err := l.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return l.file.Truncate(0)
}

// Close completes the file.
func (l *Lines) Close() error {
	if l == nil {
		return nil
	}
	return errors.Join(l.to.Flush(), l.file.Close())
}
