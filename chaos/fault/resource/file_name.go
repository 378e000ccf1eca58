package resource

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/chaos/rootfs"
)

// opName is the name of the undo that removes a file's name. On filesystems that cannot create a file without a name,
// the file has one for a moment.
const opName = "file.unname"

// fileName is the name of a file in a unit's filesystem. It is empty if the file needs no name.
type fileName struct {
	Dir  string `json:"dir"`
	Name string `json:"name"`
}

const (
	namePrefix = ".brunt-"
	nameLength = 12 // random characters after the prefix
)

// nameFor returns a name for a file in a directory of the unit, for the moment until it is unlinked.
func nameFor(dir *os.File, path string) fileName {
	if !rootfs.Names(dir) {
		return fileName{}
	}
	return fileName{path, namePrefix + rand.Text()[:nameLength]}
}

// undo returns the undo that removes the name.
func (f fileName) undo(id proc.Identity) []chaos.Undo {
	if f.Name == "" {
		return nil
	}
	args, _ := json.Marshal(f)
	raw, _ := json.Marshal(struct { // a process may have several
		proc.Identity
		Name string `json:"name"`
	}{id, f.Name})
	return []chaos.Undo{{Op: opName, Args: args, Identity: raw}}
}

// doName removes the name of a file.
func doName(_ context.Context, u chaos.Undo) (chaos.Outcome, error) {
	var id proc.Identity
	var f fileName
	if err := errors.Join(json.Unmarshal(u.Identity, &id), json.Unmarshal(u.Args, &f)); err != nil ||
		!strings.HasPrefix(f.Name, namePrefix) {
		return chaos.Failed, fmt.Errorf("%w: no file of brunt's in %q", chaos.ErrDamaged, u.Args)
	}
	if !id.Alive() {
		return chaos.Gone, nil
	}
	dir, err := rootfs.Open(id.PID, f.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return chaos.Gone, nil
	}
	if err != nil {
		return chaos.Failed, err
	}
	defer dir.Close()
	if err := rootfs.Unlink(dir, f.Name); err != nil {
		return chaos.Failed, err
	}
	return chaos.Reverted, nil
}
