package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Dirs lists the directories where journals may be, first the one to which this run writes. Runs of root and of a user
// have different ones, and `brunt status` reads both.
func Dirs(getenv func(string) string) []string {
	if d := getenv("BRUNT_STATE"); d != "" {
		return []string{d}
	}
	var user string
	switch runtime.GOOS {
	case "windows":
		user = getenv("LocalAppData")
	case "darwin":
		if home := getenv("HOME"); home != "" {
			user = filepath.Join(home, "Library", "Application Support")
		}
	default:
		user = getenv("XDG_STATE_HOME")
		if home := getenv("HOME"); user == "" && home != "" {
			user = filepath.Join(home, ".local", "state")
		}
	}
	var dirs []string
	if user != "" {
		dirs = append(dirs, filepath.Join(user, "brunt"))
	}
	const system = "/var/lib/brunt"
	switch {
	case runtime.GOOS == "windows":
	case os.Geteuid() == 0:
		dirs = append([]string{system}, dirs...)
	default:
		dirs = append(dirs, system)
	}
	if len(dirs) == 0 {
		dirs = append(dirs, filepath.Join(os.TempDir(), "brunt-state"))
	}
	return dirs
}

// makeDir makes the state directory, accessible only to its owner. It refuses one that others can change: a journal
// there is never replayed.
func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("the state directory: %w; set BRUNT_STATE to one that can be written", err)
	}
	if err := CheckDir(dir); err != nil {
		return fmt.Errorf("the state directory: %w, so what a dead run leaves would not be taken back; set BRUNT_STATE to "+
			"a folder that only you can change", err)
	}
	return nil
}
