package casefile

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"brunt/scenarios/disk"
)

// variable is the environment variable that names the folder for case files. If it is empty, runs keep no case files.
const variable = "BRUNT_CASES"

// Wanted reports whether runs keep case files.
func Wanted() bool { return os.Getenv(variable) != "" }

// Keep writes a case file into the folder that BRUNT_CASES names. The name of the file begins with a name, with "_" for
// characters that file names can't have.
func (c *Case) Keep(name string) error {
	dir := os.Getenv(variable)
	err := c.keep(dir, strings.NewReplacer("/", "_", " ", "_").Replace(name))
	if err != nil {
		return fmt.Errorf("keeping the case of the run in %s: %w", dir, err)
	}
	return nil
}

func (c *Case) keep(dir, name string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	out, err := os.CreateTemp(dir, name+"-*.case")
	if err != nil {
		return err
	}
	return errors.Join(c.Write(out), out.Close())
}

// AddLog adds to the case file of a run the requests as the scripted server of the run saw them.
func AddLog(run string, log []Request) error {
	paths, err := filepath.Glob(filepath.Join(os.Getenv(variable), run+"-*.case"))
	if err != nil || len(paths) != 1 {
		return errors.Join(fmt.Errorf("the run %s has %d case files, want one", run, len(paths)), err)
	}
	c, err := open(paths[0])
	if err != nil {
		return err
	}
	c.Log = log
	var out bytes.Buffer
	if err := c.Write(&out); err != nil {
		return err
	}
	return os.WriteFile(paths[0], out.Bytes(), 0o666)
}

// entries are the files of the archive.
func (c *Case) entries() []entry {
	return []entry{
		{"case.json", nil, c},
		{"cells.bin", &c.Cells, nil},
		{"events.json", nil, &c.Events},
		{"result.json", &c.Result, nil},
		{"log.json", nil, &c.Log},
	}
}

// An entry is a file of the archive: bytes as they are, or a value as JSON.
type entry struct {
	name string
	raw  *[]byte
	json any
}

// Write writes the case file.
func (c *Case) Write(w io.Writer) error {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	for _, e := range c.entries() {
		var raw []byte
		if e.raw != nil {
			raw = *e.raw
		} else {
			var err error
			if raw, err = json.Marshal(e.json); err != nil {
				return err
			}
		}
		if len(raw) == 0 || string(raw) == "null" {
			continue
		}
		f, err := z.Create(e.name)
		if err == nil {
			_, err = f.Write(raw)
		}
		if err != nil {
			return err
		}
	}
	return z.Close()
}

// most is the maximum size of a case file, and of a file in it, in bytes.
const most = 256 << 20

// open reads a case file.
func open(path string) (*Case, error) {
	raw, err := disk.Read(path, most)
	if err != nil {
		return nil, fmt.Errorf("reading the case file %s: %w", path, err)
	}
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return nil, fmt.Errorf("reading the case file %s: %w", path, err)
	}
	c := &Case{}
	for _, e := range c.entries() {
		if err := e.read(z); err != nil {
			return nil, fmt.Errorf("reading %s of the case file %s: %w", e.name, path, err)
		}
	}
	if c.Version != version {
		return nil, fmt.Errorf("the case file %s has version %d, and this brunt reads version %d: use the brunt that wrote it",
			filepath.Base(path), c.Version, version)
	}
	return c, nil
}

// read reads an entry. All but case.json may be missing.
func (e entry) read(z *zip.Reader) error {
	f, err := z.Open(e.name)
	if errors.Is(err, os.ErrNotExist) && e.name != "case.json" {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, most))
	switch {
	case err != nil:
		return err
	case e.raw != nil:
		*e.raw = raw
		return nil
	}
	return json.Unmarshal(raw, e.json)
}
