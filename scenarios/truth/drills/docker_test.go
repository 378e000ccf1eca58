//go:build linux

package drills

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

// drillID is the label of this process's containers.
func drillID() string { return "drill-" + strconv.Itoa(os.Getpid()) }

// importEtcd makes an image of this machine's etcd.
func importEtcd(name string) error {
	return runBash(`etcd=$(command -v etcd); tar -chP $etcd $(ldd $etcd | grep -o '/[^ ]*') |
  docker import -c "ENTRYPOINT [\"$etcd\"]" -c 'EXPOSE 2379' - "$1"`, name)
}

// runBash runs a script to its end.
func runBash(script string, args ...string) error {
	args = append([]string{"-ec", "set -o pipefail; " + script, "script"}, args...)
	if out, err := exec.Command("bash", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// etcdImage makes an image of this machine's etcd, once.
var etcdImage = sync.OnceValues(func() (string, error) { return drillID(), importEtcd(drillID()) })

// dockerEtcd starts three members of etcd in containers, each with a network namespace and an address of its own, and a
// front for them on this machine. A cut of one is one of the kernel's: its packets are dropped.
func dockerEtcd(t *testing.T, dir, self string) {
	image, err := etcdImage()
	if err != nil {
		t.Fatal(err)
	}
	c := newContainers(t, dir, image)
	var cluster []string
	for i := range 3 {
		cluster = append(cluster, fmt.Sprintf("n%d=http://n%d:2380", i, i))
	}
	for i := range 3 {
		alias := fmt.Sprintf("n%d", i)
		c.start("etcd", i, "2379", []string{"--tmpfs", "/data"},
			"--name", alias, "--data-dir", "/data/etcd", "--pre-vote=true", "--logger", "zap", "--log-level", "error",
			"--listen-client-urls", "http://0.0.0.0:2379", "--advertise-client-urls", "http://"+alias+":2379",
			"--listen-peer-urls", "http://0.0.0.0:2380", "--initial-advertise-peer-urls", "http://"+alias+":2380",
			"--initial-cluster", strings.Join(cluster, ","))
	}
	c.front(self, "etcd")
}

// ownServer is a variable of the environment of servers that the test itself starts and ends.
const ownServer = "DRILL_OWN_SERVER"

// A cluster is three containers of one image, in a network of their own, with the names n0, n1 and n2 there.
type cluster struct {
	t              *testing.T
	dir, id, image string
	members        []string // where clients connect to
}

// newContainers makes the network. The containers, the network and the image are removed when the test ends.
func newContainers(t *testing.T, dir, image string) *cluster {
	c := &cluster{t: t, dir: dir, id: drillID(), image: image}
	remove := func() {
		for i := range 3 {
			_ = exec.Command("docker", "rm", "-f", "-v", fmt.Sprintf("%s-%d", c.id, i)).Run()
		}
		_ = exec.Command("docker", "network", "rm", c.id).Run()
	}
	t.Cleanup(func() {
		remove()
		_ = exec.Command("docker", "rmi", "-f", image).Run()
	})
	remove() // of the run before
	c.engine("network", "create", c.id)
	return c
}

func (c *cluster) engine(args ...string) string {
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		c.t.Fatalf("docker %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// start starts a member of a service with more settings of `docker run`.
func (c *cluster) start(service string, i int, port string, settings []string, args ...string) {
	name := fmt.Sprintf("%s-%d", c.id, i)
	run := slices.Concat([]string{
		"run", "-d", "--name", name, "--network", c.id, "--network-alias", fmt.Sprintf("n%d", i), "--label",
		"brunt.drill=" + c.id, "--memory", "512m", "--tmpfs", "/tmp",
		"--env", drillDir + "=" + c.dir, // by which the memory of its processes is counted
		"--env", ownServer + "=1",
	}, settings)
	c.engine(slices.Concat(run, []string{c.image}, args)...)
	first(c.engine("inspect", "-f", "{{.State.Pid}}", name))
	addr := c.engine("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name) + ":" + port
	c.members = append(c.members, addr)
	for _, known := range []string{name, fmt.Sprintf("%s[%d]", service, i)} {
		if err := writeWhole(filepath.Join(c.dir, "addr."+known), addr); err != nil {
			c.t.Fatal(err)
		}
	}
}

// front starts the front of a store on this machine, and waits until it takes writes.
func (c *cluster) front(self, store string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		c.t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	front := exec.Command(self, append([]string{"unit", "front", store}, c.members...)...)
	front.Env = append(os.Environ(), "BRUNT_ADDR="+addr, "BRUNT_UNIT=front[0]", drillDir+"="+c.dir, ownFront+"=1")
	var said bytes.Buffer
	front.Stdout, front.Stderr = &said, &said
	if err := front.Start(); err != nil {
		c.t.Fatal(err)
	}
	end := func() {
		_ = front.Process.Kill()
		_ = front.Wait()
	}
	c.t.Cleanup(end)
	if !suite.Within(2*time.Minute, func() bool { return serves(addr) }) {
		end() // said is written to until then
		c.t.Fatalf("the cluster is not ready: %s%s", said.String(), c.engine("logs", "--tail", "20", c.id+"-0"))
	}
}

// galeraImage makes an image for this machine's MariaDB with Galera and for what its nodes copy data with, once. The
// programs are those of this machine, in its /usr.
var galeraImage = sync.OnceValues(func() (string, error) {
	name := drillID() + "-galera"
	const script = `tar -C / -c bin sbin lib lib64 etc/passwd etc/group etc/alternatives |
  docker import -c 'ENTRYPOINT ["/usr/sbin/mariadbd"]' -c 'EXPOSE 3306' - "$1"`
	return name, runBash(script, name)
})

// dockerGalera starts three nodes of Galera in containers, one after the other, and a front for them on this machine.
func dockerGalera(t *testing.T, dir, self string) {
	image, err := galeraImage()
	if err != nil {
		t.Fatal(err)
	}
	as, err := user.Lookup("mysql")
	if err != nil {
		t.Fatal(err)
	}
	c := newContainers(t, dir, image)
	for i, others := range []string{"", "n0", "n0,n1"} { // without others it makes the cluster
		alias, data := fmt.Sprintf("n%d", i), filepath.Join(dir, fmt.Sprintf("data-%d", i))
		err := give(data, "mysql")
		if err == nil {
			err = installMariaDB(data, os.TempDir(), "mysql")
		}
		if err != nil {
			t.Fatal(err)
		}
		c.start("node", i, "3306", []string{"-u", as.Uid + ":" + as.Gid, "-v", "/usr:/usr:ro", "-v", data + ":/data"},
			"--no-defaults", "--datadir=/data", "--tmpdir=/tmp", "--bind-address=0.0.0.0", "--port=3306",
			"--socket=/tmp/s", "--pid-file=/tmp/pid", "--skip-name-resolve", "--binlog-format=ROW",
			"--innodb-autoinc-lock-mode=2", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M",
			"--innodb-log-file-size=8M", "--max-connections=500", "--log-warnings=1", "--skip-grant-tables",
			"--wsrep-on=ON",
			"--wsrep-provider=/usr/lib/galera/libgalera_smm.so", "--wsrep-cluster-name=drill",
			"--wsrep-cluster-address=gcomm://"+others, "--wsrep-node-name="+alias, "--wsrep-node-address="+alias,
			"--wsrep-sst-method=rsync", "--wsrep-provider-options=gcache.size=8M;gcache.page_size=8M")
		if !suite.Within(90*time.Second, func() bool { return isSynced(t.Context(), c.members[i]) }) {
			logs := c.engine("logs", "--tail", "20", fmt.Sprintf("%s-%d", c.id, i))
			t.Fatalf("%s is not in the cluster: %s", alias, logs)
		}
	}
	c.front(self, "galera")
}

// first gives the process of a container a priority above that of systems which are processes of this machine, as its
// packets take longer. All containers have one share of the processors, so it leaves that group where the kernel has
// one for processors alone.
func first(process string) {
	_ = os.WriteFile("/sys/fs/cgroup/cpu/cgroup.procs", []byte(process), 0) // of version 1
	_ = goFirst(process, proberAhead-1)                                     // only root may
}
