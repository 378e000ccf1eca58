package proc

import (
	"os"
	"slices"
	"strings"
)

// kept are the variables that brunt's own processes may need, and prefixes of their names.
var kept = []string{
	"PATH", "HOME", "TMPDIR", "TMP", "TEMP", "TZ", "LANG", "LOCALDOMAIN", "RES_OPTIONS", "SYSTEMROOT", "WINDIR", "GODEBUG",
	"GOMAXPROCS", "GOGC",
	"GOMEMLIMIT", "GOTRACEBACK", "GOCOVERDIR",
}

// Environment returns the environment of a process that brunt starts for itself: the kept variables of brunt's own
// environment, and the entries in more. It holds none of the secrets that scenarios take from the environment.
func Environment(more ...string) []string {
	return append(slices.DeleteFunc(os.Environ(), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return !slices.Contains(kept, strings.ToUpper(name))
	}), more...)
}
