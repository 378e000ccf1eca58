package disk

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Newest returns the paths of the regular files of a name in the folders beside dir, of at most most files: those that
// were written last, the newest first.
func Newest(dir, name string, most int) []string {
	around := filepath.Dir(filepath.Clean(dir))
	folders, err := os.ReadDir(around)
	if err != nil {
		return nil
	}
	type file struct {
		path string
		info fs.FileInfo
	}
	var files []file
	for _, d := range folders {
		path := filepath.Join(around, d.Name(), name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && d.Name() != filepath.Base(dir) {
			files = append(files, file{path, info})
		}
	}
	slices.SortStableFunc(files, func(a, b file) int { return b.info.ModTime().Compare(a.info.ModTime()) })
	var out []string
	for _, f := range files[:min(len(files), most)] {
		out = append(out, f.path)
	}
	return out
}
