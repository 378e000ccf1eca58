//go:build linux

package drills

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios/suite"
	"brunt/scenarios/truth"
)

// An exampleSystem is the real system of an example, and a prober for it that has the connection policy of its load.
type exampleSystem struct {
	name    string // its folder, or a file in it
	drill   string // of the library, which is laid over it; empty: the example has faults of its own
	fault   string // the one that the prober meets as the load does; empty: it meets all
	lacks   string // the param that takes a defence away; empty: it has all
	needs   []string
	images  bool // its servers run in containers, whose images images.sh makes
	builds  bool // a program of its own is built, and named by the param bin
	outage  expect
	rate    int           // requests that the load sends each second
	timeout time.Duration // of a request of the load
	every   time.Duration // between two probes
	hold    time.Duration // as the scenario or the drill has it
	group   bool          // its fault has steps: its recovery counts from the first bad request
	units   []string      // whose addresses the prober needs: units of processes, or services of containers and their port
	send    func(addrs []string) sends
}

// sends sends one request, which has a number.
type sends func(ctx context.Context, n int) error

// The examples of real systems. Their probers send less often where a probe costs the system much.
var exampleSystems = []exampleSystem{
	{
		name: "42-nats/cluster.yaml", needs: []string{"nats-server"}, outage: always, rate: 200, timeout: 5 * time.Second,
		every: 10 * time.Millisecond, hold: 3 * time.Second, units: []string{"bus-b[0]"}, send: publishesNATS,
	},
	{
		name: "47-mqtt", fault: "lose-broker", needs: []string{"mosquitto"}, builds: true, outage: always, rate: 100,
		timeout: 2 * time.Second, every: 10 * time.Millisecond, hold: 3 * time.Second, units: []string{"broker[0]"},
		send: publishesMQTT,
	},
	{
		name: "50-etcd", drill: "leader-lost", needs: []string{"etcd"}, outage: always, rate: 150, timeout: timeout,
		hold: 4 * time.Second, units: []string{"member[0]", "member[1]", "member[2]"}, send: putsEtcd,
	},
	{
		name: "50-etcd", drill: "leader-hung", needs: []string{"etcd"}, outage: always, rate: 150, timeout: timeout,
		hold: 4 * time.Second, units: []string{"member[0]", "member[1]", "member[2]"}, send: putsEtcd,
	},
	{
		name: "51-etcd-in-containers", drill: "leader-cut", needs: []string{"etcd", "haproxy", "docker"}, images: true,
		outage: always, rate: 150, timeout: timeout, every: 10 * time.Millisecond, hold: 4 * time.Second,
		units: []string{"front:8080"}, send: putsEtcd,
	},
	{
		name: "52-haproxy-nginx", drill: "balancer-lost", lacks: "entries=first", needs: []string{"haproxy", "nginx"},
		outage: always, rate: 100, timeout: 2 * time.Second, hold: 3 * time.Second, units: []string{"balancer[0]"},
		send: getsItems(true),
	},
	{
		name: "52-haproxy-nginx", drill: "balancer-lost", needs: []string{"haproxy", "nginx"}, outage: never, rate: 100,
		timeout: 2 * time.Second, hold: 3 * time.Second, units: []string{"balancer[0]", "balancer[1]"}, send: getsItems(true),
	},
	{
		name: "53-rabbitmq", needs: []string{"rabbitmq-server"}, builds: true, outage: always, rate: 50,
		timeout: 3 * time.Second, every: 10 * time.Millisecond, hold: 3 * time.Second, group: true,
		units: []string{"broker[0]"}, send: sendsSTOMP,
	},
	{
		name: "54-pgbouncer", needs: []string{"pgbouncer", pgBin("postgres")}, outage: always, rate: 100,
		timeout: 8 * time.Second, every: 10 * time.Millisecond, hold: 3 * time.Second, units: []string{"pooler[0]"},
		send: insertsPG,
	},
	{
		name: "55-redis-in-containers", drill: "leader-cut", needs: []string{"redis-server", "redis-sentinel", "docker"},
		images: true, outage: always, rate: 100, timeout: timeout, hold: 4 * time.Second,
		units: []string{"sentinel:26379"}, send: setsRedis,
	},
	{
		name: "56-alertmanager", drill: "alert-storm", outage: always, rate: 100, timeout: 2 * time.Second,
		needs: []string{"haproxy", "nginx", "prometheus", "prometheus-alertmanager"}, hold: 4 * time.Second,
		units: []string{"balancer[0]"}, send: getsItems(true),
	},
	{
		name: "57-streams", drill: "thundering-herd", needs: []string{"haproxy", "nginx", "nats-server"}, outage: never,
		rate: 120, timeout: 500 * time.Millisecond, every: 20 * time.Millisecond, hold: 3 * time.Second,
		units: []string{"balancer[0]"}, send: getsItems(false),
	},
	{
		name: "58-galera", drill: "leader-lost", needs: needGalera, outage: always, rate: 100, timeout: timeout,
		every: 10 * time.Millisecond, hold: 4 * time.Second, units: []string{"front[0]"}, send: insertsMySQL,
	},
}

// TestDrillExamples: brunt's recovery times of the examples of real systems are those of a prober, within the distance
// between two requests and slack.
func TestDrillExamples(t *testing.T) {
	suite.Needs(t, suite.In("drills"))
	if !suite.Full() {
		t.Skip("drills on real systems take minutes: set BRUNT_FULL=1")
	}
	for _, s := range exampleSystems {
		t.Run(strings.TrimSpace(s.name+" "+s.drill+" "+s.lacks), func(t *testing.T) {
			suite.Needs(t, suite.Programs(s.needs...))
			if s.images {
				suite.Needs(t, suite.Root)
			}
			for n := 1; ; n++ {
				rows := s.play(t, n)
				again := n <= againMost && slices.ContainsFunc(rows, func(r row) bool {
					return len(r.unsteady) > 0 && (r.ill != "" || r.blind != "")
				})
				t.Logf("\n%s", table(rows))
				for _, r := range rows {
					if !again {
						r.wrong = append(r.wrong, r.unsteady...)
					}
					for _, c := range r.wrong {
						t.Errorf("%s: %s", r.name, c)
					}
					if len(r.wrong)+len(r.unsteady) > 0 {
						t.Logf("%s %s %s\n%s", r.ill, r.blind, strings.Join(r.unsteady, "\n"), r.details)
					}
				}
				if !again {
					return
				}
			}
		})
	}
}

// exampleCommand is brunt's on an example, in a run whose folder is dir.
func exampleCommand(t *testing.T, dir, name, drill string, set ...string) *exec.Cmd {
	t.Helper()
	top, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(top, "examples", name)
	if filepath.Ext(file) != ".yaml" {
		file = filepath.Join(file, "scenario.yaml")
	}
	args := []string{"run", file, "-o", filepath.Join(dir, "out")}
	if drill != "" {
		args = append([]string{"drill", "run", drill}, args[1:]...)
	}
	for _, one := range set {
		args = append(args, "--set", one)
	}
	cmd := bruntIn(dir, args...)
	cmd.Dir = top // paths of examples begin there
	return cmd
}

// settings are those of the example that a run in folder dir needs.
func (s exampleSystem) settings(t *testing.T, dir string) (set []string) {
	t.Helper()
	if s.lacks != "" {
		set = append(set, s.lacks)
	}
	if s.builds {
		files, remove, err := truth.Programs("brunt/examples/" + s.name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(remove)
		set = append(set, "bin="+files[0])
	}
	if s.name == "47-mqtt" {
		set = append(set, "log="+filepath.Join(dir, "stored.log"))
	}
	if !s.images {
		return append(set, "data="+filepath.Join(dir, "data"))
	}
	make := filepath.Join("..", "..", "..", "examples", s.name, "images.sh")
	if out, err := exec.Command(make, drillID(), "brunt.drill="+drillID()).CombinedOutput(); err != nil {
		t.Fatalf("making the images: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		made, _ := exec.Command("docker", "images", "-q", "--filter", "label=brunt.drill="+drillID()).Output()
		for id := range strings.FieldsSeq(string(made)) {
			_ = exec.Command("docker", "rmi", "-f", id).Run()
		}
	})
	return append(set, "images="+drillID())
}

// addrs are where the units listen that the prober asks; nil while one of them has not started.
func (s exampleSystem) addrs(dir string) (all []string) {
	if s.images {
		for _, unit := range s.units {
			service, port, _ := strings.Cut(unit, ":")
			ids, _ := exec.Command("docker", "ps", "-q", "--filter", "label=brunt.service="+service, "--filter",
				"label=brunt.drill="+drillID()).Output()
			for id := range strings.FieldsSeq(string(ids)) {
				ip, _ := exec.Command("docker", "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}",
					id).Output()
				if at := strings.Fields(string(ip)); len(at) > 0 {
					all = append(all, net.JoinHostPort(at[0], port))
				}
			}
		}
		return all
	}
	at := map[string]string{}
	for _, folder := range processesOf(dir) {
		raw, _ := os.ReadFile(filepath.Join(folder, "environ"))
		env := map[string]string{}
		for entry := range strings.SplitSeq(string(raw), "\x00") {
			name, value, _ := strings.Cut(entry, "=")
			env[name] = value
		}
		at[env["BRUNT_UNIT"]] = env["BRUNT_ADDR"]
	}
	for _, unit := range s.units {
		if at[unit] == "" {
			return nil
		}
		all = append(all, at[unit])
	}
	return all
}

// An exampleReport is what is read of result.json besides.
type exampleReport struct {
	report
	Duration float64
}

// play runs the example once beside the prober. It returns a row for each fault.
func (s exampleSystem) play(t *testing.T, n int) (rows []row) {
	t.Helper()
	dir := runDir(t)
	d := drill{rate: s.rate, every: s.every, hold: s.hold, outage: s.outage, group: s.group, quiet: true}
	if d.every == 0 {
		d.every = 5 * time.Millisecond
	}
	cmd := exampleCommand(t, dir, s.name, s.drill, s.settings(t, dir)...)
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	memory := watchMemory(dir)
	var p *prober
	var send sends
	serving := func() bool {
		if send == nil {
			addrs := s.addrs(dir)
			if len(addrs) == 0 {
				return false
			}
			send = s.send(addrs)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		return send(ctx, -1) == nil
	}
	if until(t, exited, serving) {
		p = startProber(&prober{send: send, every: d.every, timeout: s.timeout, slow: slow})
	}
	<-exited
	shared := row{name: s.name, run: n, load: loadAverage(), memory: memory(), details: printed.String()}
	var probes []probe
	if p != nil {
		probes = p.stop()
	}
	r := &exampleReport{}
	raw, err := os.ReadFile(filepath.Join(dir, "out", "result.json"))
	if err == nil {
		err = json.Unmarshal(raw, r)
	}
	if left := endRun(dir); left != "" {
		shared.errorf("left behind: %s", left)
	}
	if shared.memory > memoryMost {
		shared.errorf("its processes took %d MiB of memory, at most %d are for them", shared.memory>>20, memoryMost>>20)
	}
	shared.verdict, shared.ill = r.Verdict, illBefore(probes, &r.report)
	if err != nil || len(r.Faults) == 0 || len(probes) == 0 {
		shared.errorf("no result, no fault or no probe: %v, %s", err, r.Reason)
		return []row{shared}
	}
	if s.lacks == "" && r.Verdict != "pass" {
		shared.unsteadyf("the verdict is %s: %s", r.Verdict, r.Reason)
	}
	d.seconds = int(r.Duration)
	for i := range r.Faults {
		if s.fault == "" || s.fault == r.Faults[i].Name {
			rows = append(rows, s.compare(d, shared, r, i, probes))
		}
	}
	if slices.ContainsFunc(rows, func(r row) bool { return len(r.wrong)+len(r.unsteady) > 0 }) {
		keepResult(t, dir)
	}
	return rows
}

// recoverLimit finds the limit of an objective such as "recover < 4s after lose-pooler".
var recoverLimit = regexp.MustCompile(`^recover < (\S+) after (\S+)$`)

// compare holds one fault of the report against the probes from then on, up to the next fault.
func (s exampleSystem) compare(d drill, out row, r *exampleReport, i int, probes []probe) row {
	f := r.Faults[i]
	out.wrong, out.unsteady = slices.Clone(out.wrong), slices.Clone(out.unsteady)
	out.name += " " + f.Name
	if f.Injected == nil {
		out.unsteadyf("%s was not injected: %s", f.Name, r.Reason)
		return out
	}
	one := r.report
	one.Faults, one.Objectives, one.Incidents = one.Faults[i:i+1:i+1], nil, nil
	for _, o := range r.Objectives {
		if at := recoverLimit.FindStringSubmatch(o.Text); at != nil && at[2] == f.Name {
			d.recover, _ = time.ParseDuration(at[1])
			one.Objectives = append(one.Objectives, o)
		}
	}
	until := r.T0.Add(seconds(float64(d.seconds)))
	if i+1 < len(r.Faults) && r.Faults[i+1].Injected != nil {
		until = r.T0.Add(seconds(*r.Faults[i+1].Injected))
		d.seconds = int(*r.Faults[i+1].Injected)
	}
	for _, in := range r.Incidents {
		if in.Begin != nil && *in.Begin < until.Sub(r.T0).Seconds() && (in.End == nil || *in.End > *f.Injected) {
			one.Incidents = append(one.Incidents, in)
		}
	}
	seen := slices.DeleteFunc(slices.Clone(probes), func(p probe) bool {
		return p.sent.After(until) || p.bad && p.took < s.timeout && p.sent.Add(p.took).After(until)
	})
	d.compare(&out, &one, seen, nil, nil)
	return out
}

// kept are connections that are kept open between requests, as many as needed. One that fails is closed, and one that
// the server has closed is not used again: after a burst there are hundreds, and each of them would fail a request.
type kept[C interface{ socket() net.Conn }] struct {
	dial func(ctx context.Context) (C, error)
	mu   sync.Mutex
	idle []C
}

func (k *kept[C]) do(ctx context.Context, f func(C) error) error {
	c, ok := k.take()
	for ok && hasEnded(c.socket()) {
		_ = c.socket().Close()
		c, ok = k.take()
	}
	if !ok {
		var err error
		if c, err = k.dial(ctx); err != nil {
			return err
		}
	}
	if err := f(c); err != nil {
		_ = c.socket().Close()
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.idle = append(k.idle, c)
	return nil
}

func (k *kept[C]) take() (c C, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := len(k.idle); n > 0 {
		c, k.idle = k.idle[n-1], k.idle[:n-1]
		return c, true
	}
	return c, false
}

func (c *natsConn) socket() net.Conn  { return c.Conn }
func (c *pgConn) socket() net.Conn    { return c.Conn }
func (c *mysqlConn) socket() net.Conn { return c.Conn }
func (c *redisConn) socket() net.Conn { return c.Conn }

// hasEnded reports whether the other end has closed an idle connection, or it has failed.
func hasEnded(c net.Conn) (ended bool) {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		return true
	}
	err = raw.Read(func(fd uintptr) bool {
		var one [1]byte
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		ended = n == 0 && err == nil || err != nil && err != syscall.EAGAIN
		return true
	})
	return ended || err != nil
}

// clientOf is a client whose connections go to each address in turn, and to the next one if one does not accept it.
func clientOf(addrs []string, keep bool) *http.Client {
	var turn atomic.Int64
	return &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 10000, DisableCompression: true, DisableKeepAlives: !keep,
		DialContext: func(ctx context.Context, _, _ string) (c net.Conn, err error) {
			first := int(turn.Add(1))
			for i := range addrs {
				if c, err = new(net.Dialer).DialContext(ctx, "tcp", addrs[(first+i)%len(addrs)]); err == nil {
					return c, nil
				}
			}
			return nil, err
		},
	}}
}

func putsEtcd(addrs []string) sends {
	client := clientOf(addrs, true)
	return func(ctx context.Context, n int) error {
		return callJSON(ctx, client, "http://member/v3/kv/put",
			map[string]string{"key": etcdKey("probe" + strconv.Itoa(n)), "value": "MQ=="}, &struct{}{})
	}
}

// getsItems asks for a page. The connections are kept, or each request has one of its own.
func getsItems(keep bool) func(addrs []string) sends {
	return func(addrs []string) sends {
		client := clientOf(addrs, keep)
		return func(ctx context.Context, _ int) error {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://shop/items", http.NoBody)
			if err != nil {
				return err
			}
			resp, err := client.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				return err
			}
			if resp.StatusCode != http.StatusOK {
				return fmt.Errorf("status %d", resp.StatusCode)
			}
			return nil
		}
	}
}

// sendsSTOMP sends a message to a queue that no worker reads, each on a connection of its own.
func sendsSTOMP(addrs []string) sends {
	return func(ctx context.Context, n int) error {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", addrs[0])
		if err != nil {
			return err
		}
		defer c.Close()
		deadline, _ := ctx.Deadline()
		if err := c.SetDeadline(deadline); err != nil {
			return err
		}
		r := bufio.NewReader(c)
		for _, step := range [][2]string{
			{"CONNECT\naccept-version:1.2\nhost:/\nlogin:guest\npasscode:guest\n\n\x00", "CONNECTED"},
			{fmt.Sprintf("SEND\ndestination:/queue/probes\npersistent:true\nreceipt:1\n\n%d\x00", n), "RECEIPT"},
		} {
			if _, err := io.WriteString(c, step[0]); err != nil {
				return err
			}
			answer, err := r.ReadString(0)
			if err != nil {
				return err
			}
			if !strings.HasPrefix(strings.TrimLeft(answer, "\n"), step[1]) {
				return fmt.Errorf("the answer is %q", answer)
			}
		}
		return nil
	}
}

// publishesNATS publishes to a stream, until it has stored the message. No other client knows the id.
func publishesNATS(addrs []string) sends {
	k := &kept[*natsConn]{dial: func(ctx context.Context) (*natsConn, error) { return dialNATS(ctx, addrs[0]) }}
	return func(ctx context.Context, n int) error {
		return k.do(ctx, func(c *natsConn) error {
			return c.call(ctx, "orders.probe", fmt.Sprintf(`{"id":%q}`, uniqueProbe(n)), &struct{}{})
		})
	}
}

// publishesMQTT publishes with QoS 1 to a topic without a subscriber, each on a connection of its own.
func publishesMQTT(addrs []string) sends {
	const hello, message = "\x00\x04MQTT\x04\x02\x00\x3c\x00", "\x00\x06probes\x00\x01"
	return func(ctx context.Context, n int) error {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", addrs[0])
		if err != nil {
			return err
		}
		defer c.Close()
		deadline, _ := ctx.Deadline()
		if err := c.SetDeadline(deadline); err != nil {
			return err
		}
		id := uniqueProbe(n)
		begin := hello + string([]byte{byte(len(id))}) + id
		for _, step := range [][2]string{
			{string([]byte{0x10, byte(len(begin))}) + begin, "\x20\x02\x00\x00"},
			{string([]byte{0x32, byte(len(message))}) + message, "\x40\x02\x00\x01"},
		} {
			if _, err := io.WriteString(c, step[0]); err != nil {
				return err
			}
			answer := make([]byte, len(step[1]))
			if _, err := io.ReadFull(c, answer); err != nil {
				return err
			}
			if string(answer) != step[1] {
				return fmt.Errorf("the answer is %q", answer)
			}
		}
		return nil
	}
}

func insertsPG(addrs []string) sends {
	k := &kept[*pgConn]{dial: func(ctx context.Context) (*pgConn, error) { return dialDatabase(ctx, addrs[0], "shop") }}
	return func(ctx context.Context, n int) error {
		return k.do(ctx, func(c *pgConn) error {
			_, err := c.query(ctx, "insert into orders values ('"+uniqueProbe(n)+"')")
			return err
		})
	}
}

func insertsMySQL(addrs []string) sends {
	k := &kept[*mysqlConn]{dial: func(ctx context.Context) (*mysqlConn, error) { return dialMySQL(ctx, addrs[0]) }}
	return func(ctx context.Context, n int) error {
		return k.do(ctx, func(c *mysqlConn) error {
			_, err := c.query(ctx, "insert into shop.orders values ('"+uniqueProbe(n)+"')")
			return err
		})
	}
}

// uniqueProbe is the id of a probe. Those that ask whether the system serves have one number, and the time besides.
func uniqueProbe(n int) string { return fmt.Sprintf("probe%d-%d", n, time.Now().UnixNano()) }

// setsRedis sets a key of the server that a sentinel calls the primary when a connection is opened.
func setsRedis(sentinels []string) sends {
	k := &kept[*redisConn]{dial: func(ctx context.Context) (c *redisConn, err error) {
		for _, addr := range sentinels {
			var at []string
			if at, err = askRedis(ctx, addr, "SENTINEL", "get-master-addr-by-name", "shop"); err != nil || len(at) != 2 {
				continue
			}
			if c, err = dialRedis(ctx, net.JoinHostPort(at[0], at[1])); err == nil {
				return c, nil
			}
		}
		if err == nil {
			err = errNoPrimary
		}
		return nil, err
	}}
	return func(ctx context.Context, n int) error {
		return k.do(ctx, func(c *redisConn) error {
			_, err := c.call(ctx, "SET", "probe:"+strconv.Itoa(n), "1")
			return err
		})
	}
}
