//go:build linux

package drills

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

// drillID is the label of this process's containers.
func drillID() string { return "drill-" + strconv.Itoa(os.Getpid()) }

// etcdImage makes an image of this machine's etcd, once.
var etcdImage = sync.OnceValues(func() (string, error) {
	name := drillID()
	script := `etcd=$(command -v etcd); tar -chP $etcd $(ldd $etcd | grep -o '/[^ ]*') | docker import -c "ENTRYPOINT [\"$etcd\"]" -c 'EXPOSE 2379' - ` + name
	out, err := exec.Command("bash", "-ec", "set -o pipefail; "+script).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return name, nil
})

// dockerEtcd starts three members of etcd in containers, each with a network namespace and an address of its own, and a
// front for them on this machine. A cut of one is one of the kernel's: its packets are dropped.
func dockerEtcd(t *testing.T, dir, self string) {
	image, err := etcdImage()
	if err != nil {
		t.Fatal(err)
	}
	id := drillID()
	engine := func(args ...string) string {
		out, err := exec.Command("docker", args...).CombinedOutput()
		if err != nil {
			t.Fatalf("docker %s: %v: %s", strings.Join(args, " "), err, out)
		}
		return strings.TrimSpace(string(out))
	}
	remove := func() {
		for i := range 3 {
			_ = exec.Command("docker", "rm", "-f", "-v", fmt.Sprintf("%s-%d", id, i)).Run()
		}
		_ = exec.Command("docker", "network", "rm", id).Run()
	}
	t.Cleanup(func() {
		remove()
		_ = exec.Command("docker", "rmi", "-f", image).Run()
	})
	remove() // of the run before
	engine("network", "create", id)
	var cluster, members []string
	for i := range 3 {
		cluster = append(cluster, fmt.Sprintf("n%d=http://n%d:2380", i, i))
	}
	for i := range 3 {
		name, alias := fmt.Sprintf("%s-%d", id, i), fmt.Sprintf("n%d", i)
		engine("run", "-d", "--name", name, "--network", id, "--network-alias", alias, "--label", "brunt.drill="+id,
			"--memory", "512m", "--tmpfs", "/data",
			image, "--name", alias, "--data-dir", "/data/etcd", "--pre-vote=true", "--logger", "zap", "--log-level", "error",
			"--listen-client-urls", "http://0.0.0.0:2379", "--advertise-client-urls", "http://"+alias+":2379",
			"--listen-peer-urls", "http://0.0.0.0:2380", "--initial-advertise-peer-urls", "http://"+alias+":2380",
			"--initial-cluster", strings.Join(cluster, ","))
		first(engine("inspect", "-f", "{{.State.Pid}}", name))
		addr := engine("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name) + ":2379"
		members = append(members, addr)
		for _, known := range []string{name, fmt.Sprintf("etcd[%d]", i)} {
			if err := writeWhole(filepath.Join(dir, "addr."+known), addr); err != nil {
				t.Fatal(err)
			}
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	front := exec.Command(self, append([]string{"unit", "front", "etcd"}, members...)...)
	front.Env = append(os.Environ(), "BRUNT_ADDR="+addr, "BRUNT_UNIT=front[0]", drillDir+"="+dir, ownFront+"=1")
	var said bytes.Buffer
	front.Stdout, front.Stderr = &said, &said
	if err := front.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = front.Process.Kill()
		_ = front.Wait()
	})
	if !suite.Within(time.Minute, func() bool { return serves(addr) }) {
		t.Fatalf("the cluster is not ready: %s%s", said.String(), engine("logs", "--tail", "20", id+"-0"))
	}
}

// first gives the process of a container a priority above that of systems which are processes of this machine, as its
// packets take longer. All containers have one share of the processors, so it leaves that group where the kernel has
// one for processors alone.
func first(process string) {
	_ = os.WriteFile("/sys/fs/cgroup/cpu/cgroup.procs", []byte(process), 0) // of version 1
	_ = goFirst(process, proberAhead-1)                                     // only root may
}
