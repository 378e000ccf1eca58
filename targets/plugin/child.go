package plugin

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"brunt/targets"
	"brunt/targets/platform/procgroup"
)

// inherited are the variables of brunt's environment that a plug-in gets: those that programs need to run, and none
// that may hold a secret.
var inherited = []string{
	"PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "WINDIR",
}

// environment returns the environment of a plug-in, with further variables as NAME=value.
func environment(more []string) (env []string) {
	for _, one := range os.Environ() {
		if name, _, _ := strings.Cut(one, "="); slices.Contains(inherited, strings.ToUpper(name)) {
			env = append(env, one)
		}
	}
	return append(env, more...)
}

// graceTime is how long a plug-in may take to end after the end of its standard input.
const graceTime = 2 * time.Second

// child is a running program, with its standard input and output.
type child struct {
	cmd    *exec.Cmd
	in     *os.File // its standard input
	out    *os.File // its standard output
	last   procgroup.Tail
	exited chan struct{} // closed when it has ended, after state is set
	state  error         // how it ended; nil: with exit code 0
}

// startChild starts a program. On Linux the kernel ends it with brunt, however brunt ends; elsewhere the end of its
// standard input tells it to.
func startChild(argv, env []string) (*child, error) {
	if len(argv) == 0 {
		return nil, errors.New("it has no command")
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	c := &child{cmd: cmd, exited: make(chan struct{})}
	c.last.Most = 1 << 10
	theirIn, ourIn, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	ourOut, theirOut, err := os.Pipe()
	if err != nil {
		_, _ = theirIn.Close(), ourIn.Close()
		return nil, err
	}
	c.in, c.out = ourIn, ourOut
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = theirIn, theirOut, &c.last, environment(env)
	cmd.WaitDelay = 200 * time.Millisecond // limit for descendants that keep its standard error open
	err = procgroup.Start(cmd, func() {
		c.state = cmd.Wait()
		procgroup.Kill(cmd.Process.Pid) // its descendants
		close(c.exited)
	})
	_, _ = theirIn.Close(), theirOut.Close()
	if err != nil {
		_, _ = ourIn.Close(), ourOut.Close()
		return nil, err
	}
	return c, nil
}

// end closes the standard input, and kills the program if it has not ended after a grace. It reports whether it ended
// by itself. Another goroutine may still write or read.
func (c *child) end(grace time.Duration) (itself bool) {
	_ = c.in.Close()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	itself = true
	select {
	case <-c.exited:
	case <-timer.C:
		itself = false
		procgroup.Kill(c.cmd.Process.Pid)
		<-c.exited
	}
	_ = c.out.SetReadDeadline(time.Now().Add(200 * time.Millisecond)) // a descendant may keep it open
	return itself
}

// how says how the program ended, with the end of its standard error.
func (c *child) how() string {
	text := "exit status 0"
	if c.state != nil {
		text = c.state.Error()
	}
	if said := strings.TrimSpace(strings.ToValidUTF8(c.last.String(), "\ufffd")); said != "" {
		lines := strings.Split(said, "\n")
		text = fmt.Sprintf("%s, and its last words are %s", text, targets.Quote(lines[len(lines)-1]))
	}
	return text
}
