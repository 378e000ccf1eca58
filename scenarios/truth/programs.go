package truth

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
)

// Programs builds programs of this module, by their packages, as a user has them: without the race detector. It returns
// their files, and what removes them. Where BRUNT_BIN names a folder, they are in it, and only what is missing is
// built.
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

// build builds a program, unless it is there already. go run keeps what it has linked in the build cache, where go
// build links a program again for each package of tests; cp copies it from there.
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
