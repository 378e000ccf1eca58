package k6

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// Binary is the program that contains k6.
const Binary = "brunt-k6"

// Build is the command that builds Binary in brunt's source tree. Binary is a module of its own; the result is in the
// top folder.
const Build = "CGO_ENABLED=0 go build -C cmd/" + Binary + " -o ../../"

// errNotFound reports that brunt-k6 was not found. Its text says how to build it.
var errNotFound = fmt.Errorf("%s is neither beside brunt nor in PATH; in brunt's tree, `%s` builds it", Binary, Build)

// Find finds brunt-k6: in $BRUNT_K6, in the folder of the program self, or in PATH.
func Find(self string, env func(string) (string, bool)) (string, error) {
	if path, ok := env("BRUNT_K6"); ok && path != "" {
		found, err := exec.LookPath(path)
		if err != nil && !errors.Is(err, exec.ErrDot) {
			return "", fmt.Errorf("BRUNT_K6: %w", err)
		}
		return filepath.Abs(found)
	}
	name := Binary
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if real, err := filepath.EvalSymlinks(self); err == nil {
		self = real
	}
	if self != "" {
		beside := filepath.Join(filepath.Dir(self), name)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() {
			return beside, nil
		}
	}
	found, err := exec.LookPath(name)
	if err != nil {
		return "", errNotFound
	}
	return filepath.Abs(found)
}
