package k6

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"brunt/scenarios"
)

// A FileError is the error for a file that a policy does not let a script read. To k6 it is a file that does not exist.
type FileError struct{ Path, Why string }

func (e *FileError) Error() string { return fmt.Sprintf("%s %s", e.Path, e.Why) }

// Is makes a file that may not be read one that does not exist.
func (e *FileError) Is(target error) bool { return errors.Is(target, fs.ErrNotExist) }

// CheckFile returns a [FileError] if a policy does not let the script read the file at path, after symbolic links are
// resolved.
func (c *Config) CheckFile(path string) error {
	for _, folders := range c.Files {
		if !scenarios.InFolders(path, folders) {
			return &FileError{path, fmt.Sprintf("lies outside the folders that a policy allows (files): [%s]",
				strings.Join(folders, ", "))}
		}
	}
	return nil
}
