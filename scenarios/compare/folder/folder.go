// Package folder keeps a history as a folder of small files, one for each record, so that it fits the cache of a CI
// system or a git branch, and so that concurrent jobs do not conflict. The files are authoritative; an index beside them
// is rebuilt whenever it does not match.
package folder

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"brunt/scenarios/disk"

	_ "modernc.org/sqlite" // the driver
)

// A Folder is a folder of records.
type Folder struct {
	dir  string
	db   *sql.DB
	read func([]byte) (started time.Time, err error)
	// Problems are the files that are not valid records, each with its reason. They are not changed.
	Problems []error
}

const (
	Suffix = ".run.json"     // of a record's file
	Index  = ".index.sqlite" // the file of the index
)

// Open opens a folder of records, and creates it if needed. Read tells when the run of a record began, or says why a file is none.
func Open(ctx context.Context, dir string, read func([]byte) (started time.Time, err error)) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("open history: %w", err)
	}
	h := &Folder{dir: dir, read: read}
	// The index is rebuilt from the files, and git can't merge it. If this file can't be written,
	// the folder is read-only.
	_ = writeNew(filepath.Join(dir, ".gitignore"), Index+"*\n.new-*\n")
	file := filepath.Join(dir, Index)
	dsn := "file:" + file + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)"
	for _, try := range []func() error{
		func() error { return h.index(ctx, dsn) },
		func() error { // foreign or torn: it holds nothing that the files lack
			for _, suffix := range []string{"", "-wal", "-shm"} {
				if err := os.Remove(file + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return err
				}
			}
			return h.index(ctx, dsn)
		},
		func() error { return h.index(ctx, "file::memory:") }, // a read-only folder
	} {
		err := try()
		if err == nil {
			return h, nil
		}
		h.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if _, stat := os.ReadDir(dir); stat != nil {
			return nil, fmt.Errorf("open history: %w", stat)
		}
	}
	return nil, fmt.Errorf("history: cannot create an index in %s", dir)
}

func writeNew(file, text string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, disk.Shared)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// Writable checks that records can be added, before a run whose record could not be kept.
func (h *Folder) Writable() error {
	f, err := os.CreateTemp(h.dir, ".new-*")
	if err != nil {
		return fmt.Errorf("cannot add to the history: %w", err)
	}
	_, err = f.Write(make([]byte, 4096)) // a full disk accepts the name, but not the content
	if err = errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name())); err != nil {
		return fmt.Errorf("cannot add to the history: %w", err)
	}
	return nil
}

// Close closes the index.
func (h *Folder) Close() error {
	if h.db == nil {
		return nil
	}
	err := h.db.Close()
	h.db = nil
	return err
}

const schema = `CREATE TABLE IF NOT EXISTS records (
	file TEXT PRIMARY KEY, size INTEGER, changed INTEGER,
	started TEXT, problem TEXT, record BLOB
) STRICT;`

// index opens the index and updates it from the files.
func (h *Folder) index(ctx context.Context, dsn string) error {
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	h.db, h.Problems = db, nil
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return err
	}
	known, err := h.known(ctx)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(h.dir)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), Suffix) {
			continue
		}
		info, err := e.Info()
		if err != nil { // another job has just removed it
			continue
		}
		state := [2]int64{info.Size(), info.ModTime().UnixNano()}
		if known[e.Name()] != state {
			if err := h.put(ctx, tx, e.Name(), state); err != nil {
				return err
			}
		}
		delete(known, e.Name())
	}
	for file := range known {
		if _, err := tx.ExecContext(ctx, "DELETE FROM records WHERE file = ?", file); err != nil {
			return err
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	return h.problems(ctx)
}

func (h *Folder) known(ctx context.Context) (map[string][2]int64, error) {
	rows, err := h.db.QueryContext(ctx, "SELECT file, size, changed FROM records")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string][2]int64{}
	for rows.Next() {
		var file string
		var state [2]int64
		if err := rows.Scan(&file, &state[0], &state[1]); err != nil {
			return nil, err
		}
		out[file] = state
	}
	return out, rows.Err()
}

// mostRecord is the largest file that is read, in bytes: no record comes close to it.
const mostRecord = 64 << 20 // bytes

// put adds a file to the index, with the reason if it is not a record.
func (h *Folder) put(ctx context.Context, tx *sql.Tx, file string, state [2]int64) error {
	var started, problem string
	var b []byte
	began, err := func() (time.Time, error) {
		if state[0] > mostRecord {
			return time.Time{}, fmt.Errorf("it has %d bytes", state[0])
		}
		var err error
		if b, err = disk.Read(filepath.Join(h.dir, file), mostRecord); err != nil {
			return time.Time{}, err
		}
		return h.read(b)
	}()
	if err != nil {
		problem, b = err.Error(), nil
	} else {
		started = began.UTC().Format("2006-01-02T15:04:05.000000000")
	}
	_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?)", file, state[0], state[1], started, problem, b)
	return err
}

func (h *Folder) problems(ctx context.Context) error {
	rows, err := h.db.QueryContext(ctx, "SELECT file, problem FROM records WHERE problem != '' ORDER BY file")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var file, problem string
		if err := rows.Scan(&file, &problem); err != nil {
			return err
		}
		h.Problems = append(h.Problems, fmt.Errorf("%s is not the record of a run: %s; it is ignored", filepath.Join(h.dir, file), problem))
	}
	return rows.Err()
}

// All returns the records, the oldest first.
func (h *Folder) All(ctx context.Context) ([][]byte, error) {
	rows, err := h.db.QueryContext(ctx, "SELECT record FROM records WHERE problem = '' ORDER BY started, file")
	if err != nil {
		return nil, fmt.Errorf("open history: %w", err)
	}
	defer rows.Close()
	var out [][]byte
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			return nil, fmt.Errorf("open history: %w", err)
		}
		out = append(out, b)
	}
	return out, rows.Err()
}

// IndexFile names the file of the index, for messages.
func (h *Folder) IndexFile() string { return filepath.Join(h.dir, Index) }

// Add writes the record of a run atomically. The name of its file has the time at which the run began, and the run's name.
func (h *Folder) Add(run string, started time.Time, b []byte) error {
	name := started.UTC().Format("20060102T150405") + "-" + safe(run) + Suffix
	f, err := disk.Beside(filepath.Join(h.dir, "new"), disk.Shared)
	if err != nil {
		return fmt.Errorf("write to the history: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(b, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), h.free(name))
	}
	if err != nil {
		return fmt.Errorf("write to the history: %w", err)
	}
	return nil
}

// free returns an unused path for a new file.
func (h *Folder) free(name string) string {
	path := filepath.Join(h.dir, name)
	for i := 2; ; i++ {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) || i > 1000 {
			return path
		}
		path = filepath.Join(h.dir, fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, Suffix), i, Suffix))
	}
}

// safe makes a name that is valid on any file system.
func safe(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, s)
	return s[:min(len(s), 100)]
}
