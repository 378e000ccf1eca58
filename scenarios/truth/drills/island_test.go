//go:build linux

package drills

import (
	"fmt"
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

// A memberLog is the front's log of the members that it asked: a line for each question, with when it was asked, the
// member, and whether it was served.
type memberLog struct {
	mu   sync.Mutex
	file *os.File
}

func newMemberLog(dir string) (*memberLog, error) {
	f, err := os.OpenFile(filepath.Join(dir, "asked"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	return &memberLog{file: f}, err
}

func (l *memberLog) add(began time.Time, member string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(l.file, began.UTC().Format(time.RFC3339Nano), member, err == nil)
}

// islandAsked counts the reads that a member served and refused between two times, by the front's log.
func islandAsked(dir, member string, from, to time.Time) (served, refused int) {
	raw, _ := os.ReadFile(filepath.Join(dir, "asked"))
	for line := range strings.Lines(string(raw)) {
		words := strings.Fields(line)
		if len(words) != 3 || !strings.HasPrefix(words[1], member+":") {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, words[0])
		switch {
		case err != nil || at.Before(from) || at.After(to):
		case words[2] == "true":
			served++
		default:
			refused++
		}
	}
	return served, refused
}

// islandImages makes an image of this machine's etcd and one of this program, and returns their names.
var islandImages = sync.OnceValues(func() ([2]string, error) {
	etcd, err := etcdImage()
	if err != nil {
		return [2]string{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return [2]string{}, err
	}
	front := drillID() + "-front"
	const script = `tar -C "$(dirname "$1")" --transform 's,.*,drills,' -c "$(basename "$1")" |
  docker import -c 'ENTRYPOINT ["/drills"]' - "$2"`
	out, err := exec.Command("bash", "-ec", "set -o pipefail; "+script, "image", self, front).CombinedOutput()
	if err != nil {
		return [2]string{}, fmt.Errorf("%w: %s", err, out)
	}
	return [2]string{etcd, front}, nil
})

// etcdIsland are three members of etcd and a front, each in a container with an address of its own: brunt cuts members
// off from each other, and not from the front. The front logs in a folder of its own.
func etcdIsland(t *testing.T, kind, dir, logs string) (containers string) {
	images, err := islandImages()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, image := range images {
			_ = exec.Command("docker", "rmi", "-f", image).Run()
		}
	})
	return strings.NewReplacer("ETCD", images[0], "FRONT", images[1], "KIND", kind, "LOGS", logs,
		"RUN: DIR", drillDir+": "+dir, "RUN", drillDir).Replace(`
    front:
      image: FRONT
      command: [unit, front, KIND, "member-0:2379", "member-1:2379", "member-2:2379"]
      env: {BRUNT_ADDR: "0.0.0.0:8080", BRUNT_UNIT: "front[0]", RUN: /logs}
      mounts: {"LOGS": /logs}
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

// islandLeader is brunt's question to the members.
const islandLeader = `{member: {scrape: /metrics, metric: etcd_server_is_leader, above: 0.5, within: 5s}}`

// compareIsland compares the front's log with what the island must do: a member without a majority steps down within
// two elections, and then refuses each read, unless it answers from its own copy.
func (d consistencyDrill) compareIsland(t *testing.T, logs, unit string, cut time.Time) {
	t.Helper()
	member := strings.NewReplacer("[", "-", "]", "").Replace(unit)
	served, refused := islandAsked(logs, member, cut.Add(3*time.Second), cut.Add(8*time.Second))
	t.Logf("%s, cut off for 3 to 8 s: %d reads served, %d refused", member, served, refused)
	own := d.island != islandReads
	if own && served < 50 || !own && (served > 0 || refused < 50) {
		t.Errorf("%s served %d reads and refused %d while it was cut off", member, served, refused)
	}
}
