//go:build unix

package process

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// runAs makes a command run as a user, optionally with a group after a colon. Both are names or numbers. Without a
// group, the command has the groups of the user. HOME, USER and LOGNAME are set for the user, if the user has a name.
func runAs(cmd *exec.Cmd, account string) error {
	name, group, grouped := strings.Cut(account, ":")
	u, err := user.Lookup(name)
	if id, numeric := strconv.ParseUint(name, 10, 32); err != nil && numeric == nil {
		if u, err = user.LookupId(name); err != nil { // a number does not need an entry
			u, err = &user.User{Uid: strconv.FormatUint(id, 10), Gid: strconv.FormatUint(id, 10)}, nil
		}
	}
	if err != nil {
		return fmt.Errorf("there is no user %q on this machine", name)
	}
	gid := u.Gid
	var more []uint32
	if grouped {
		g, err := user.LookupGroup(group)
		if _, numeric := strconv.ParseUint(group, 10, 32); err != nil && numeric == nil {
			g, err = &user.Group{Gid: group}, nil
		}
		if err != nil {
			return fmt.Errorf("there is no group %q on this machine", group)
		}
		gid = g.Gid
	} else if u.Username != "" {
		ids, _ := u.GroupIds() // without them the user only has its own group
		for _, id := range ids {
			more = append(more, number(id))
		}
	}
	if uid := number(u.Uid); uid != uint32(os.Geteuid()) && os.Geteuid() != 0 {
		return fmt.Errorf("it is to run as %s, and only root may start processes of another user: run brunt as root, or "+
			"leave `user` out", name)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: number(u.Uid), Gid: number(gid), Groups: more}
	}
	if u.Username != "" {
		cmd.Env = append(cmd.Env, "HOME="+u.HomeDir, "USER="+u.Username, "LOGNAME="+u.Username)
	}
	return nil
}

// number converts an id from the system.
func number(id string) uint32 {
	n, _ := strconv.ParseUint(id, 10, 32)
	return uint32(n)
}
