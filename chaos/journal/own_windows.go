package journal

import (
	"os"
	"path/filepath"
)

// ownDir returns the path of a directory. It checks nothing: the directory of a user's data is closed to others, and no
// program of this user runs with the rights of another.
func ownDir(dir string) (string, error) { return filepath.Abs(dir) }

func checkOwner(string, os.FileInfo) error { return nil }
