package main

import (
	"io/fs"
	"os"

	"brunt/scenarios/k6"

	"github.com/spf13/afero"
	"github.com/spf13/cobra"
	"go.k6.io/k6/cmd/state"
	"go.k6.io/k6/lib/fsext"
	"go.k6.io/k6/subcommand"
)

// files is the file system of a script: what it imports, opens and loads goes through it.
type files struct {
	fsext.Fs
	config *k6.Config
}

func (f files) Open(name string) (afero.File, error) {
	if err := f.config.CheckFile(name); err != nil {
		return nil, err
	}
	return f.Fs.Open(name)
}

func (f files) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	if err := f.config.CheckFile(name); err != nil {
		return nil, err
	}
	return f.Fs.OpenFile(name, flag, perm)
}

func (f files) Stat(name string) (fs.FileInfo, error) {
	if err := f.config.CheckFile(name); err != nil {
		return nil, err
	}
	return f.Fs.Stat(name)
}

// bind makes k6 open files by files. k6 has no other way than a subcommand to get at the file system before a script is
// read; the subcommand itself does nothing. The module refuses a script where it was not called.
func (l *link) bind() {
	const name = "brunt"
	subcommand.RegisterExtension(name, func(gs *state.GlobalState) *cobra.Command {
		gs.FS, l.bound = files{gs.FS, &l.config}, true
		return &cobra.Command{Use: name, Hidden: true}
	})
}
