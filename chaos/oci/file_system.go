package oci

import (
	"archive/tar"
	"io"
	"maps"
	"slices"
	"strings"

	"brunt/scenarios/disk"
)

// A FileSystem is the content of an image of brunt's own: an empty folder to write to, the program, and files.
type FileSystem struct {
	Program   string            // file of this machine, at [Entry] in the image
	Libraries []string          // files of this machine, at the same path in the image; none for a static program
	Files     map[string][]byte // by path
}

// Write writes the file system as a tar archive. The same files give the same bytes.
func (s FileSystem) Write(w io.Writer) error {
	t := tar.NewWriter(w)
	if err := t.WriteHeader(&tar.Header{
		Typeflag: tar.TypeDir, Name: strings.TrimPrefix(Folder, "/") + "/", Mode: 0o1777, Format: tar.FormatUSTAR,
	}); err != nil {
		return err
	}
	if err := copyFile(t, s.Program, Entry); err != nil {
		return err
	}
	for _, file := range s.Libraries {
		if err := copyFile(t, file, file); err != nil {
			return err
		}
	}
	for _, path := range slices.Sorted(maps.Keys(s.Files)) {
		if err := header(t, path, 0o644, int64(len(s.Files[path]))); err != nil {
			return err
		}
		if _, err := t.Write(s.Files[path]); err != nil {
			return err
		}
	}
	return t.Close()
}

// copyFile writes a file of this machine, which may be executed.
func copyFile(t *tar.Writer, file, as string) error {
	f, err := disk.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := header(t, as, 0o755, info.Size()); err != nil {
		return err
	}
	_, err = io.CopyN(t, f, info.Size())
	return err
}

func header(t *tar.Writer, path string, mode, size int64) error {
	return t.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: strings.TrimPrefix(path, "/"), Mode: mode, Size: size, Format: tar.FormatUSTAR,
	})
}
