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

// opName is the undo of a file that should have no name: where a filesystem has none
// such, it has one for a moment.
const opName = "file.unname"

// fileName is a file of a unit's. It is empty where the file needs no name.
type fileName struct {
	Dir  string `json:"dir"`
	Name string `json:"name"`
}

// nameFor gives the name that a file in a directory of the unit's has for a moment.
func nameFor(dir *os.File, path string) fileName {
	if !rootfs.Names(dir) {
		return fileName{}
	}
	return fileName{path, ".brunt-" + rand.Text()[:12]}
}

// undo is what takes the name away.
func (f fileName) undo(id proc.Identity) []chaos.Undo {
	if f.Name == "" {
		return nil
	}
	args, _ := json.Marshal(f)
	raw, _ := json.Marshal(struct { // several may be in the same process
		proc.Identity
		Name string `json:"name"`
	}{id, f.Name})
	return []chaos.Undo{{Op: opName, Args: args, Identity: raw}}
}

// doName takes a file's name away.
func doName(_ context.Context, u chaos.Undo) (chaos.Outcome, error) {
	var id proc.Identity
	var f fileName
	if err := errors.Join(json.Unmarshal(u.Identity, &id), json.Unmarshal(u.Args, &f)); err != nil || !strings.HasPrefix(f.Name, ".brunt-") {
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
