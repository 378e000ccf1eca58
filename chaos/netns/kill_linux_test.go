package netns_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/netns/netnstest"
	"brunt/chaos/netns/nft"
	"brunt/scenarios/suite"

	"github.com/google/nftables"
)

// holdEnv makes the test binary an owner: it applies a Spec to the namespace that it inherited, and
// holds it.
const holdEnv = "BRUNT_TEST_HOLD"

// insideEnv makes an owner use the namespace in which it was started.
const insideEnv = "BRUNT_TEST_INSIDE"

// rootEnv makes the test binary wait for the end of its input, with another root directory.
const rootEnv = "BRUNT_TEST_ROOT"

func TestMain(m *testing.M) {
	if root := os.Getenv(rootEnv); root != "" {
		fmt.Println("root", syscall.Chroot(root))
		_, _ = os.Stdin.Read(make([]byte, 1))
		os.Exit(0)
	}
	if spec := os.Getenv(holdEnv); spec != "" {
		if err := Start(spec); err != nil {
			fmt.Println(err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func Start(spec string) error {
	var s netns.Spec
	if err := json.Unmarshal([]byte(spec), &s); err != nil {
		return err
	}
	path := "/proc/self/fd/3"
	if os.Getenv(insideEnv) != "" {
		path = "/proc/self/ns/net"
	}
	n, err := netns.Open(path)
	if err != nil {
		return err
	}
	fmt.Println("begins")
	h, err := n.Set(s)
	if err != nil {
		return err
	}
	fmt.Println("holds")
	os.Stdin.Read(make([]byte, 1)) // until the parent process ends
	return h.Close()
}

// startOwner starts an owner of a fault, and returns its output. inside starts it in the namespace, with only
// CAP_NET_ADMIN, like brunt's agent.
func startOwner(t *testing.T, n *netnstest.Node, s netns.Spec, inside bool) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self)
	c.Env = append(os.Environ(), holdEnv+"="+string(b))
	if inside {
		c = exec.Command("setpriv", "--bounding-set=-all,+net_admin", "--inh-caps=-all,+net_admin", self)
		c.Env = append(os.Environ(), holdEnv+"="+string(b), insideEnv+"=1")
	}
	c.ExtraFiles = []*os.File{n.File()}
	if _, err := c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start := c.Start
	if inside {
		start = func() error { return n.Do(c.Start) }
	}
	if err := start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return c, bufio.NewScanner(out)
}

// marks counts brunt's tables in n.
func marks(t *testing.T, n *netnstest.Node) int {
	t.Helper()
	count := 0
	err := n.Do(func() error {
		c, err := nftables.New()
		if err != nil {
			return err
		}
		all, err := c.ListTables()
		for _, k := range all {
			if strings.HasPrefix(k.Name, nft.Mark) {
				count++
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return count
}

// TestKill_Rules kills the owner of a fault before, during or after the injection. The namespace
// must be restored, and its connections must work. BRUNT_KILLS sets the number of repetitions; then
// the test prints the times, and none may exceed a second.
func TestKill_Rules(t *testing.T) {
	suite.Needs(t, suite.In("kill"))
	times, measure := 2, false
	if v := os.Getenv("BRUNT_KILLS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatal(err)
		}
		times, measure = n, true
	}
	for _, tt := range []struct {
		name string
		spec netns.Spec
	}{
		{"partition", netns.Spec{Do: netns.Partition, Direction: netns.In, Match: netns.Match{Ports: []uint16{echoA}}}},
		{"stall", netns.Spec{Do: netns.Stall}},
		{"loss", netns.Spec{Do: netns.Loss, Via: "nft", Share: 0.9}},
		{"dns", netns.Spec{Do: netns.DNSFail}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(t, true)
			resolver(t, s.Peers[0], netip.AddrPortFrom(s.Peers[0].V4, 53))
			before := netnstest.State(t, s.Victim.Namespace)
			var took []time.Duration
			for i := range times {
				c, says := startOwner(t, s.Victim, tt.spec, false)
				for says.Scan() && says.Text() != "begins" {
					t.Fatalf("the owner says %s", says.Text())
				}
				if i%2 == 0 {
					for says.Scan() && says.Text() != "holds" {
						t.Fatalf("the owner says %s", says.Text())
					}
					if marks(t, s.Victim) != 1 {
						t.Fatal("the fault is held, and nothing shows it")
					}
				} else {
					time.Sleep(rand.N(20 * time.Millisecond)) // simulates a kill at a random stage
				}
				killed := time.Now()
				if err := c.Process.Signal(syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
				waitFor(t, "the end of its rules", func() bool { return marks(t, s.Victim) == 0 })
				took = append(took, time.Since(killed))
				c.Wait()
				if marks(t, s.Victim) != 0 {
					t.Fatal("rules came after the owner's end")
				}
			}
			if after := netnstest.State(t, s.Victim.Namespace); after != before {
				t.Errorf("afterwards the namespace is\n%s\nand was\n%s", after, before)
			}
			s.expect(t, "afterwards", func(k exchange) string {
				if k.before {
					return ""
				}
				return passes
			})
			ask := &asking{network: "udp", to: netip.AddrPortFrom(s.Peers[0].V4, 53), fresh: true}
			if got := ask.ask(t, s.Victim, "example.com.", 1, longEnough); got != truth.String() {
				t.Errorf("afterwards the resolver says %s", got)
			}
			slices.Sort(took)
			worst := took[len(took)-1]
			t.Logf("%d kills: gone after %s in the median, %s at worst", len(took), took[len(took)/2], worst)
			if measure && worst > time.Second {
				t.Errorf("once it took %s", worst)
			}
		})
	}
}

// TestSet_Inside sets faults like brunt's agent: from inside the namespace, with only
// CAP_NET_ADMIN.
func TestSet_Inside(t *testing.T) {
	for _, spec := range []netns.Spec{
		{Do: netns.Partition, Direction: netns.Out},
		{Do: netns.Partition, Mode: "reset"},
		{Do: netns.Stall},
		{Do: netns.Reset},
		{Do: netns.HalfOpen},
		{Do: netns.Loss, Via: "nft", Share: 0.5},
		{Do: netns.Latency, Delay: time.Hour},
		{Do: netns.Bandwidth, Rate: 1},
		{Do: netns.DNSFail},
		{Do: netns.DNSMute},
		{Do: netns.DNSSpoof, Answers: []netip.Addr{lie}},
	} {
		t.Run(string(spec.Do)+spec.Mode, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, false)
			s.connect(t)
			resolver(t, s.Peers[0], netip.AddrPortFrom(s.Peers[0].V4, 53))
			c, says := startOwner(t, s.Victim, spec, true)
			for says.Scan() && says.Text() != "holds" {
				if says.Text() != "begins" {
					t.Fatalf("the owner says %s", says.Text())
				}
			}
			k := exchange{from: "victim", to: "peer", net: "tcp", port: echoA}
			old := k
			old.before = true
			ask := &asking{network: "tcp", to: netip.AddrPortFrom(s.Peers[0].V4, 53), fresh: true}
			switch spec.Do {
			case netns.Partition, netns.Latency, netns.Bandwidth:
				want := silent
				if spec.Mode == "reset" {
					want = refused
				}
				if got := s.try(k, want); got != want {
					t.Errorf("%s; want %s", got, want)
				}
			case netns.Stall:
				if got := s.try(k, held); got != held {
					t.Errorf("%s; want %s", got, held)
				}
			case netns.Reset, netns.HalfOpen:
				if got := s.try(old, reset); got != reset {
					t.Errorf("%s; want %s", got, reset)
				}
			case netns.DNSFail:
				if got := ask.ask(t, s.Victim, "example.com.", 1, longEnough); got != "SERVFAIL" {
					t.Error(got)
				}
			case netns.DNSMute:
				if got := ask.ask(t, s.Victim, "example.com.", 1, shortly); got != silent {
					t.Error(got)
				}
			case netns.DNSSpoof:
				if got := ask.ask(t, s.Victim, "example.com.", 1, longEnough); got != lie.String() {
					t.Error(got)
				}
			}
			if err := c.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "the end of its rules", func() bool { return marks(t, s.Victim) == 0 })
			if got := s.try(k, passes); got != passes {
				t.Errorf("afterwards %s", got)
			}
		})
	}
}
