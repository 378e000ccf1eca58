package truth

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
)

// Programs builds programs of this module, given by their packages, as users have them: without the race detector. It
// returns their files, and a function that removes them. If BRUNT_BIN names a folder, the files are in that folder,
// and only missing ones are built.
func Programs(packages ...string) (files []string, remove func(), err error) {
	dir, remove := os.Getenv("BRUNT_BIN"), func() {}
	if dir == "" {
		if dir, err = os.MkdirTemp("", "truth"); err != nil {
			return nil, nil, err
		}
		remove = func() { _ = os.RemoveAll(dir) }
	}
	for _, pkg := range packages {
		file := filepath.Join(dir, path.Base(pkg))
		if runtime.GOOS == "windows" {
			file += ".exe"
		}
		if err := build(file, pkg); err != nil {
			remove()
			return nil, nil, err
		}
		files = append(files, file)
	}
	return files, remove, nil
}

// build builds a program, unless its file exists. It uses go run, because go run keeps the linked program in the
// build cache, while go build links it again for each package of tests. cp copies it from the cache.
func build(file, pkg string) error {
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	cmd := exec.Command("go", "run", "-exec", "cp", pkg, file)
	if runtime.GOOS == "windows" {
		cmd = exec.Command("go", "build", "-o", file, pkg)
	}
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", pkg, err, out)
	}
	return nil
}
