package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/result"
)

// errVersion reports a result.json with a version that this brunt can't read.
var errVersion = errors.New("unknown version of result.json")

// mostResult bounds a result.json, in bytes: the result of a one-day run with 2000 faults has about 20 MiB.
const mostResult = 1 << 30

// Read reads the result of a run from its folder. The histograms stay on disk, so the files must remain while the
// result is in use. If latency.hlog or events.jsonl is missing, Read returns the rest with a note about the missing
// file. The file of single requests stores causes as numbers: families, those of the run's protocols, give them
// names.
func Read(dir string, families ...scenarios.CauseFamily) (*result.Result, error) {
	b, err := disk.Read(filepath.Join(dir, resultFile), mostResult)
	if err != nil {
		return nil, fmt.Errorf("no report of a run: %w", err)
	}
	var head struct {
		Version *int `json:"version"`
	}
	err = json.Unmarshal(b, &head)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", resultFile, err)
	case head.Version == nil:
		return nil, fmt.Errorf("reading %s: %w: it names none, so brunt did not write it", resultFile, errVersion)
	case *head.Version != result.ResultVersion:
		return nil, fmt.Errorf("reading %s: %w: it is version %d, and this brunt reads version %d; use the brunt that wrote "+
			"it, or run the scenario again", resultFile, errVersion, *head.Version, result.ResultVersion)
	}
	r := &result.Result{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("reading %s: %w", resultFile, err)
	}
	LookBeside(dir, r.Earlier)
	h, err := openHlog(filepath.Join(dir, hlogFile), r.T0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.Notes = append(r.Notes, hlogFile+" is missing, so there are no percentile curves and no heatmap")
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", hlogFile, err)
	default:
		r.Histograms = h
		if lacking, all := h.lacking(r); lacking > 0 {
			r.Notes = append(r.Notes, fmt.Sprintf("%s is cut: %d of its %d histograms are not in it, so percentile curves and "+
				"the heatmap are not whole", hlogFile, lacking, all))
		}
	}
	if path := filepath.Join(dir, RequestsFile); exists(path) {
		r.Requests = requestFile{path, families}
	}
	if err := addEvents(dir, r); err != nil {
		return nil, fmt.Errorf("reading %s: %w", eventsFile, err)
	}
	return r, nil
}

// PageFile is the name of a run's page in its folder.
const PageFile = "report.html"

// LookBeside notes which earlier runs have their page beside dir, the folder of a run. A folder that was copied
// alone has no such pages beside it.
func LookBeside(dir string, earlier []result.Earlier) {
	for i := range earlier {
		e := &earlier[i]
		e.Beside = exists(filepath.Join(dir, filepath.FromSlash(e.Folder), PageFile))
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func addEvents(dir string, r *result.Result) error {
	f, err := disk.Open(filepath.Join(dir, eventsFile))
	if errors.Is(err, fs.ErrNotExist) {
		r.Notes = append(r.Notes, eventsFile+" is missing")
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	r.Events, err = readEvents(f)
	return err
}
