package run_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"

	"brunt/scenarios/run"

	"golang.org/x/sys/unix"
)

// ownNetwork starts a command in a network namespace of its own, which ends with it.
func ownNetwork(cmd *exec.Cmd) bool {
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return true
}

// fewPorts runs a scenario against a server of its own, in a network with ten ephemeral ports, each
// of which is unavailable for a minute after its use.
func fewPorts(args []string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("bringing lo up: %w", err)
	}
	for name, value := range map[string]string{"ip_local_port_range": "40000 40009", "tcp_tw_reuse": "0"} {
		if err := os.WriteFile("/proc/sys/net/ipv4/"+name, []byte(value), 0o644); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp4", "0.0.0.0:7777")
	if err != nil {
		return err
	}
	go func() { _ = http.Serve(l, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})) }()
	plan, err := compileFile(args[0])
	if err != nil {
		return err
	}
	res, err := run.Run(context.Background(), plan, run.Options{State: args[1]})
	if err != nil {
		return err
	}
	fmt.Printf("verdict %s %s\n", res.Verdict, res.Reason)
	for _, e := range res.Errors {
		fmt.Printf("kinds %s: %d\n", e.Kind, e.Count)
		if e.Sample != nil {
			fmt.Println(e.Sample.Said())
		}
	}
	for _, n := range res.Notes {
		fmt.Println("note", n)
	}
	return nil
}
