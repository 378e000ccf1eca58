package target

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"brunt/scenarios/syntax"

	"brunt/scenarios/result"
)

// KeptLogs lists the files with the output of units and scripts. It leaves out empty files.
func KeptLogs(dir string) []result.UnitLog {
	files, err := os.ReadDir(dir)
	if dir == "" || err != nil { // no file was written
		return nil
	}
	var out []result.UnitLog
	for _, f := range files {
		name, isLog := strings.CutSuffix(f.Name(), ".log")
		info, err := f.Info()
		if !isLog || err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
			continue
		}
		if i := strings.LastIndexByte(name, '-'); i > 0 && !strings.HasPrefix(name, "k6-") {
			if index, err := strconv.Atoi(name[i+1:]); err == nil {
				name = syntax.UnitName(name[:i], index)
			}
		}
		out = append(out, result.UnitLog{
			Unit: name, File: filepath.ToSlash(filepath.Join(filepath.Base(dir), f.Name())), Bytes: info.Size(),
		})
	}
	return out
}
