package k6

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"brunt/scenarios"
)

// A fileError is the error for a file that a policy does not let a script read. To k6 it is a file that does not exist.
type fileError struct{ path, why string }

func (e *fileError) Error() string { return fmt.Sprintf("%s %s", e.path, e.why) }

// Is makes a file that may not be read one that does not exist.
func (e *fileError) Is(target error) bool { return errors.Is(target, fs.ErrNotExist) }

// CheckFile returns an error if a policy does not let the script read the file at path, after symbolic links are
// resolved.
func (c *Config) CheckFile(path string) error {
	for _, folders := range c.Files {
		if !scenarios.InFolders(path, folders) {
			return &fileError{path, fmt.Sprintf("lies outside the folders that a policy allows (files): [%s]",
				strings.Join(folders, ", "))}
		}
	}
	return nil
}
