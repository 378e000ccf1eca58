//go:build linux

package drills

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// islandReads is the kind of a front that reads from each member of etcd in turn, so that a member which is cut off
// from the others is asked all the time. With "-serializable" each member answers from its own copy.
const islandReads = "etcd-turns"

// An asked is a question of the front to a member: when it asked, which one, and whether it was served.
type asked struct {
	At     time.Time
	Member string
	Served bool
}

// askedSocket is the name of the socket on which the front says what it asked. Folders are read-only in a container.
const askedSocket = "asked"

// tell writes a question to the socket, in one write: those of several requests do not mix.
func (a asked) tell(c net.Conn) {
	if line, err := json.Marshal(a); err == nil {
		_, _ = c.Write(append(line, '\n'))
	}
}

// An askedLog is what the front said.
type askedLog struct {
	mu  sync.Mutex
	all []asked
}

// listenAsked listens in a folder until the test ends.
func listenAsked(t *testing.T, dir string) *askedLog {
	l, err := net.Listen("unix", filepath.Join(dir, askedSocket))
	if err != nil {
		t.Fatal(err)
	}
	log := &askedLog{}
	var readers sync.WaitGroup
	readers.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			readers.Go(func() { // until the front ends
				defer c.Close()
				for d := json.NewDecoder(c); ; {
					var one asked
					if d.Decode(&one) != nil {
						return
					}
					log.mu.Lock()
					log.all = append(log.all, one)
					log.mu.Unlock()
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		readers.Wait()
	})
	return log
}

// count counts the questions that a member served and refused between two times.
func (l *askedLog) count(member string, from, to time.Time) (served, refused int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.all {
		switch {
		case one.Member != member || one.At.Before(from) || one.At.After(to):
		case one.Served:
			served++
		default:
			refused++
		}
	}
	return served, refused
}

// etcdIsland are three members of etcd and a front, each in a container with an address of its own: brunt cuts members
// off from each other, and not from the front. Dir is the folder of the run, and socket the one that the front gets.
func etcdIsland(t *testing.T, kind, dir, socket string) (containers string) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	etcd, front := drillID()+"-etcd", drillID()+"-front"
	t.Cleanup(func() { _ = exec.Command("docker", "rmi", "-f", etcd, front).Run() })
	err = importEtcd(etcd)
	if err == nil {
		err = runBash(`tar -C "$(dirname "$1")" --transform 's,.*,drills,' -c "$(basename "$1")" |
  docker import -c 'ENTRYPOINT ["/drills"]' - "$2"`, self, front)
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("ETCD", etcd, "FRONT", front, "KIND", kind, "SOCKET", socket, "RUN", drillDir,
		"DIR", dir).Replace(`
    front:
      image: FRONT
      command: [unit, front, KIND, "member-0:2379", "member-1:2379", "member-2:2379"]
      env: {BRUNT_ADDR: "0.0.0.0:8080", BRUNT_UNIT: "front[0]", RUN: DIR}
      mounts: {"SOCKET": /socket}
      tmpfs: [DIR]
      ports: [8080]
      links: [member]
      ready: {get: /healthz, within: 60s}
    member:
      image: ETCD
      replicas: 3
      ports: [2379, 2380]
      command:
        - --name=member-${self.index}
        - --data-dir=/data/etcd
        - --logger=zap
        - --log-level=error
        - --pre-vote
        - --listen-client-urls=http://0.0.0.0:2379
        - --advertise-client-urls=http://member-${self.index}:2379
        - --listen-peer-urls=http://0.0.0.0:2380
        - --initial-advertise-peer-urls=http://member-${self.index}:2380
        - --initial-cluster=member-0=http://member-0:2380,member-1=http://member-1:2380,member-2=http://member-2:2380
      tmpfs: [/data]
      env: {RUN: DIR}
      memory: 512MiB
      ready: {get: /health, within: 60s}`)
}

// raiseIsland gives the processes of a run's containers the priority of other systems, until stop is called: brunt
// starts them, and the engine gives them none.
func raiseIsland(dir string) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		raised := map[string]bool{}
		for tick := time.NewTicker(100 * time.Millisecond); ctx.Err() == nil; <-tick.C {
			for _, folder := range processesOf(dir) {
				program, err := os.Readlink(filepath.Join(folder, "exe"))
				if process := filepath.Base(folder); err == nil && program != brunt && !raised[process] {
					first(process)
					raised[process] = true
				}
			}
		}
	})
	return func() {
		cancel()
		done.Wait()
	}
}

// islandLeader is brunt's question to the members.
const islandLeader = `{member: {scrape: /metrics, metric: etcd_server_is_leader, above: 0.5, within: 5s}}`

// compareIsland compares what the front asked with what the island must do: a member without a majority steps down
// within two elections, and then refuses each read, unless it answers from its own copy.
func (d consistencyDrill) compareIsland(t *testing.T, log *askedLog, unit string, cut time.Time) {
	t.Helper()
	member := strings.NewReplacer("[", "-", "]", "").Replace(unit) + ":2379"
	served, refused := log.count(member, cut.Add(3*time.Second), cut.Add(8*time.Second))
	t.Logf("%s, cut off for 3 to 8 s: %d reads served, %d refused", member, served, refused)
	own := d.island != islandReads
	if own && served < 50 || !own && (served > 0 || refused < 50) {
		t.Errorf("%s served %d reads and refused %d while it was cut off", member, served, refused)
	}
}
