package journal

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	"brunt/chaos"
	"brunt/scenarios/syntax"
)

// brunt replays a journal with the rights of its user, and undos include commands of the scenario. So it replays only
// what no other user can have written:
//
//	the file    a regular file of this user, that others can't write, opened without following a link
//	its folder  of this user, and others can't write there
//	above it    folders and links of this user or of the system, in which others can't replace anything
//
// Every other journal is read, to name what it would do, and is never replayed.

// A NotOwnError says why a journal is not proven to be of this user's own brunt.
type NotOwnError struct {
	Path  string // of the file, of its folder, or of a folder or link on the way there
	Why   string // follows the path in a sentence
	Owner string // the other user that it belongs to; empty: it belongs to this user or to the system
}

func (e *NotOwnError) Error() string { return e.Path + " " + e.Why }

// belongsTo returns the error for a path of another user.
func belongsTo(path string, uid int) *NotOwnError {
	owner, self := userName(uid), userName(os.Geteuid())
	return &NotOwnError{
		Path: path, Owner: owner, Why: fmt.Sprintf("belongs to %s, and this brunt runs as %s", owner, self),
	}
}

// writableByOthers returns the error for a path that others can write.
func writableByOthers(path string, mode os.FileMode) *NotOwnError {
	return &NotOwnError{Path: path, Why: fmt.Sprintf("can be written by others (its mode is %s)", mode)}
}

// userName names a user of this machine.
func userName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return fmt.Sprintf("the user %d", uid)
}

// CheckDir returns an error if others can change what is in a state directory: a [NotOwnError], or that it can't be
// read.
func CheckDir(dir string) error {
	_, err := ownDir(dir)
	return err
}

// openOwn opens a journal of this user's own brunt. Any other is a [NotOwnError].
func openOwn(path string, flag int) (*os.File, error) {
	dir, err := ownDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	f, err := openShared(filepath.Join(dir, filepath.Base(path)), flag)
	if err != nil {
		return nil, err
	}
	if err := checkFile(f, path); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// ownFile returns an error if an open journal may be of others.
func ownFile(f *os.File, path string) error {
	if err := checkFile(f, path); err != nil {
		return err
	}
	return CheckDir(filepath.Dir(path))
}

func checkFile(f *os.File, path string) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return checkOwner(path, info)
}

// checkRegular refuses what is not a regular file, which could block brunt.
func checkRegular(f *os.File) (*os.File, error) {
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = irregular(f.Name())
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// irregular returns the error for a link, a pipe or the like with the name of a journal.
func irregular(path string) error {
	return fmt.Errorf("%s is not a journal: it is not a regular file; remove it", path)
}

// Would lists what the undos of the open entries would do, from the undos alone: the descriptions in a journal say what
// its writer wants.
func (s *State) Would(ops chaos.Operations) []string {
	var out []string
	for _, e := range s.Open {
		for _, u := range ops.Innermost(e.Undo) {
			out = append(out, ops.Text(u))
		}
	}
	return out
}

// ByOwner is the command with which the owner of an unproven journal takes it back; empty if it is of no other user.
func (s *State) ByOwner() string {
	no, ok := errors.AsType[*NotOwnError](s.Unproven)
	if !ok || no.Owner == "" {
		return ""
	}
	return fmt.Sprintf("sudo -u %s BRUNT_STATE=%s brunt revert %s", shellWord(no.Owner), shellWord(filepath.Dir(s.Path)),
		shellWord(s.Run))
}

// shellWord quotes a word for a shell.
func shellWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// unproven returns the error that a journal is not replayed.
func (s *State) unproven(ops chaos.Operations) error {
	text := fmt.Sprintf("%s is not replayed", s.Path)
	if would := s.Would(ops); len(would) > 0 {
		text += fmt.Sprintf("; its %s would do: %s", syntax.Amount(len(would), "undo"), strings.Join(firstFew(would), "; "))
	}
	advice := "if you know it to be yours, mend that, and run `brunt revert` again"
	if by := s.ByOwner(); by != "" {
		advice = "its owner takes it back: `" + by + "`"
	}
	return fmt.Errorf("%w: %s; %s", s.Unproven, text, advice)
}

// firstFew bounds a list that others wrote.
func firstFew(list []string) []string {
	const most = 5
	if len(list) <= most {
		return list
	}
	return append(list[:most:most], fmt.Sprintf("and %d more", len(list)-most))
}
