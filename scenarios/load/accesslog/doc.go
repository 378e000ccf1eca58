// Package accesslog parses access logs: the combined format of nginx and Apache, JSON lines, and CSV.
//
//	log --line by line--> Parser --> Entry, or a BadLine
//
// To add a format, write a [Parser] in formats.go, and a case to [New].
package accesslog

import "fmt"

// An Entry is a request of a log.
type Entry struct {
	At     int64 // nanoseconds since 1970
	N      int64 // line number
	Method string
	Target string // path and query
}

// A Parser parses a log line by line.
type Parser interface {
	// Next returns the next entry. A BadLine error concerns its line only; io.EOF is the end.
	Next() (Entry, error)
	// Resolution is the resolution of the timestamps so far, in nanoseconds.
	Resolution() int64
}

// Fields names the keys of a JSON log, or the columns of a CSV log. An empty name stands for the names that servers
// commonly use.
type Fields struct{ Time, Method, Path string }

// BadLine is a line that can't be parsed.
type BadLine struct {
	N   int64
	Err error
}

// Error implements error.
func (b BadLine) Error() string { return fmt.Sprintf("line %d: %v", b.N, b.Err) }
