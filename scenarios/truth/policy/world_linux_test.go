package policy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

// A world is a network namespace, seen from outside of brunt.
type world struct {
	near string // host:port of a server that answers all

	mu    sync.Mutex
	sent  map[string]bool // what left: the addresses of packets, and the names of questions
	first chan struct{}   // closed when sent grows; another one follows
}

// The addresses that the tests reach for: written, that the system's name server gives, and that another gives.
const (
	written, ofSystem, ofOther = "10.77", "10.78", "10.79"

	otherDNS = "127.0.0.1:5353"
)

// enter makes the process, which has a namespace of its own, a world.
func enter(t *testing.T) *world {
	t.Helper()
	run := func(line string) {
		if out, err := exec.Command("sh", "-c", line).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	for _, line := range []string{
		"ip link set lo up", "ip link add out type veth peer name seen", "ip link set seen up", "ip link set out up",
		"echo 1 >/proc/sys/net/ipv6/conf/out/disable_ipv6", "echo 1 >/proc/sys/net/ipv6/conf/seen/disable_ipv6",
		"ip addr add 198.51.100.1/24 dev out", "ip neigh add 198.51.100.2 lladdr 02:00:00:00:00:02 dev out",
		"ip route add default via 198.51.100.2",
		"echo 1 >/proc/sys/net/ipv4/tcp_syn_retries", // connections fail after 3 s
	} {
		run(line)
	}
	conf := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(conf, []byte("nameserver 127.0.0.53\nsearch search.test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount(conf, "/etc/resolv.conf", "", unix.MS_BIND, ""),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w := &world{sent: map[string]bool{}, first: make(chan struct{})}
	w.sniff(t)
	w.answerNames(t, "127.0.0.53:53", ofSystem)
	w.answerNames(t, otherDNS, ofOther)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.near = l.Addr().String()
	go func() { _ = http.Serve(l, http.HandlerFunc(w.answer)) }() // ends with the process
	return w
}

// note records that something left.
func (w *world) note(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if what = strings.ToLower(what); !w.sent[what] {
		w.sent[what] = true
		close(w.first)
		w.first = make(chan struct{})
	}
}

// left lists what left that keep selects, and returns a channel that is closed when more leaves.
func (w *world) left(keep func(what string) bool) (out []string, more <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for what := range w.sent {
		if keep(what) {
			out = append(out, what)
		}
	}
	slices.Sort(out)
	return out, w.first
}

// sniff notes the destination of each packet of IPv4 that comes out of the namespace's only link.
func (w *world) sniff(t *testing.T) {
	t.Helper()
	i, err := net.InterfaceByName("seen")
	if err != nil {
		t.Fatal(err)
	}
	all := binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL})
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(all))
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: i.Index})
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the process
		b := make([]byte, 1<<16)
		for {
			n, _, err := unix.Recvfrom(fd, b, 0)
			if err != nil && err != unix.EINTR {
				w.note(fmt.Sprintf("the watch failed: %v", err))
				return
			}
			const ether = 14
			switch p := b[:max(0, n)]; {
			case n < ether+20 || binary.BigEndian.Uint16(p[12:]) != unix.ETH_P_IP:
				if n >= ether {
					w.note(fmt.Sprintf("a frame of type %x", p[12:14]))
				}
			default:
				w.note(netip.AddrFrom4([4]byte(p[ether+16 : ether+20])).String())
			}
		}
	}()
}

// answerNames is a name server, over UDP, that notes each question if it is the system's, and gives name kN.… the Nth
// address of a network.
func (w *world) answerNames(t *testing.T, at, network string) {
	t.Helper()
	c, err := net.ListenPacket("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	go func() { // ends with the process
		b := make([]byte, 1<<16)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if answer := w.nameAnswer(b[:n], network); answer != nil {
				_, _ = c.WriteTo(answer, from)
			}
		}
	}()
}

func (w *world) nameAnswer(question []byte, network string) []byte {
	var p dnsmessage.Parser
	h, err := p.Start(question)
	if err != nil {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	if network == ofSystem {
		w.note(name)
	}
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: h.ID, Response: true}, Questions: []dnsmessage.Question{q}}
	var n int
	switch _, err := fmt.Sscanf(name, "k%d.far.test", &n); {
	case err != nil || name != nameOf(n):
		m.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeA:
		ip, err := netip.ParseAddr(addressOf(network, n))
		if err != nil {
			return nil
		}
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60},
			Body:   &dnsmessage.AResource{A: ip.As4()},
		}}
	}
	out, err := m.Pack()
	if err != nil {
		return nil
	}
	return out
}

func nameOf(n int) string { return fmt.Sprintf("k%d.far.test", n) }

func addressOf(network string, n int) string { return fmt.Sprintf("%s.%d.%d", network, n/250, n%250+1) }

// answer answers 200 to all but /off: /to/HOST redirects there, /say/HOST says it, and /spans/PORT sends spans to a
// port first.
func (w *world) answer(out http.ResponseWriter, r *http.Request) {
	if host, ok := strings.CutPrefix(r.URL.Path, "/to/"); ok {
		http.Redirect(out, r, "http://"+host+"/", http.StatusFound)
		return
	}
	if host, ok := strings.CutPrefix(r.URL.Path, "/say/"); ok {
		fmt.Fprintf(out, "{\"to\": %q}", host)
		return
	}
	if r.URL.Path == "/off" {
		out.WriteHeader(http.StatusServiceUnavailable)
	}
	if port, ok := strings.CutPrefix(r.URL.Path, "/spans/"); ok {
		spans := `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10",` +
			`"spanId":"0102030405060708","name":"a","startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]}`
		resp, err := http.Post("http://127.0.0.1:"+port+"/v1/traces", "application/json", bytes.NewBufferString(spans))
		if err == nil {
			_ = resp.Body.Close()
		}
	}
	fmt.Fprint(out, "{}")
}

// A canary is a file whose first opening is seen.
type canary struct {
	fd   int
	mu   sync.Mutex
	once bool // it was opened
}

// watchFile watches a file.
func watchFile(t *testing.T, path string) *canary {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err == nil {
		_, err = unix.InotifyAddWatch(fd, path, unix.IN_OPEN)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	return &canary{fd: fd}
}

// isOpened reports whether the file was opened.
func (c *canary) isOpened() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := unix.Read(c.fd, make([]byte, 4096))
	c.once = c.once || n > 0 || err != nil && err != unix.EAGAIN
	return c.once
}

// inNamespace plays the test again as a process in namespaces of its own, and reports whether this is that process.
func inNamespace(t *testing.T) bool {
	t.Helper()
	const inside = "BRUNT_POLICY_INSIDE"
	if os.Getenv(inside) == t.Name() {
		return true
	}
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=5m")
	c.Env = append(os.Environ(), inside+"="+t.Name())
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL,
	}
	out, err := c.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
	return false
}
