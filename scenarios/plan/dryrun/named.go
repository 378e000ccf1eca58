package dryrun

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/syntax"
)

// named lists the files that a scenario names in any value, whatever its key: programs and scripts that a run starts,
// their arguments, and files that it reads only then. A key that is new is covered too. A word counts if it leads to a
// regular file: as a path, from the scenario's folder, from this folder and from each `dir` around it, or as a program
// of the PATH that is not the system's. Of scripts of k6 it follows the texts that lead to files, which are what they
// import and open.
//
// It does not see what a program reads or starts by itself.
func named(sc *scenarios.Scenario) []string {
	n := &naming{sc: sc}
	n.self, _ = os.Executable()
	if sc.Root != nil {
		n.node(sc.Root, []string{filepath.Dir(sc.File), "."})
	}
	slices.Sort(n.found)
	return n.found
}

// A naming collects files.
type naming struct {
	sc    *scenarios.Scenario
	self  string // brunt itself, which its version identifies
	found []string
}

// notDone are the keys at the top of a scenario that do not change what a run does, or that are filled in already.
var notDone = []string{"params", "extends", "meta", "name"}

// node collects the files that the values below a node name, from folders.
func (n *naming) node(of *syntax.Node, dirs []string) {
	switch of.Kind {
	case syntax.Map:
		for _, f := range of.Fields {
			if f.Key == "dir" && f.Value.Value != "" {
				dirs = append(slices.Clone(dirs), fromEach(dirs, f.Value.Value)...)
			}
		}
		for _, f := range of.Fields {
			if of != n.sc.Root || !slices.Contains(notDone, f.Key) {
				n.node(f.Value, dirs)
			}
		}
	case syntax.List:
		for _, item := range of.Items {
			n.node(item, dirs)
		}
	default:
		if of.Pos.File != "" { // of a scenario that this one extends
			dirs = append(slices.Clone(dirs), filepath.Dir(of.Pos.File))
		}
		n.text(of.Value, dirs)
	}
}

// words finds the words of a command for a shell, and the character before each.
var words = regexp.MustCompile("(>\\s*)?[^\\s'\"`;|&()<>=,@]+")

// text collects the files that a value names: as a whole, or in its words. A command makes the file after a > itself.
func (n *naming) text(value string, dirs []string) {
	if len(value) > 64<<10 || strings.ContainsRune(value, 0) {
		return
	}
	n.word(value, dirs)
	for _, word := range words.FindAllString(value, -1) {
		if !strings.HasPrefix(word, ">") {
			n.word(word, dirs)
		}
	}
}

// word collects the file that a word leads to, if any.
func (n *naming) word(word string, dirs []string) {
	word = strings.TrimPrefix(word, "file://")
	if word == "" || len(word) > 4096 {
		return
	}
	for _, path := range fromEach(dirs, word) {
		n.file(path)
	}
	if !strings.ContainsAny(word, `/\`) {
		if path, err := FindProgram(word, ""); err == nil && !ofSystem(path) {
			n.file(path)
		}
	}
}

// fromEach returns a path as it is from each of some folders.
func fromEach(dirs []string, path string) (out []string) {
	if filepath.IsAbs(path) {
		return []string{filepath.Clean(path)}
	}
	for _, dir := range dirs {
		if abs, err := filepath.Abs(filepath.Join(dir, path)); err == nil && !slices.Contains(out, abs) {
			out = append(out, abs)
		}
	}
	return out
}

// ofSystem reports whether a program is in a folder of the system's own programs, whose updates are no change of a
// plan.
func ofSystem(path string) bool {
	if runtime.GOOS == "windows" {
		return strings.HasPrefix(strings.ToLower(path), strings.ToLower(os.Getenv("SystemRoot")))
	}
	return slices.Contains([]string{"/bin", "/sbin", "/usr/bin", "/usr/sbin"}, filepath.Dir(path))
}

// file collects a regular file, and the files that it names if it is a script of k6.
func (n *naming) file(path string) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || path == n.self || slices.Contains(n.found, path) {
		return
	}
	n.found = append(n.found, path)
	if slices.Contains([]string{".js", ".mjs", ".cjs", ".ts", ".mts"}, strings.ToLower(filepath.Ext(path))) {
		n.script(path)
	}
}

// mostScript bounds the bytes of a script.
const mostScript = 16 << 20

// literals finds the texts of a script.
var literals = regexp.MustCompile("\"[^\"\\n]+\"|'[^'\\n]+'|`[^`\\n]+`")

// script collects the files that the texts of a script lead to, from its own folder and from that of the scenario.
func (n *naming) script(path string) {
	text, err := disk.Read(path, mostScript)
	if err != nil {
		return
	}
	dirs := []string{filepath.Dir(path), filepath.Dir(n.sc.File)}
	for _, literal := range literals.FindAllString(string(text), -1) {
		word := strings.TrimPrefix(literal[1:len(literal)-1], "file://")
		if len(word) > 4096 || strings.ContainsRune(word, 0) {
			continue
		}
		for _, of := range fromEach(dirs, word) {
			n.file(of)
		}
	}
}
