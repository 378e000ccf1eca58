package netns_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/netns/netnstest"

	"github.com/miekg/dns"
)

// The answers of the tests' resolver and of a spoof.
var (
	truth  = netip.MustParseAddr("192.0.2.10")
	truth6 = netip.MustParseAddr("2001:db8::10")
	lie    = netip.MustParseAddr("192.0.2.66")
	lie6   = netip.MustParseAddr("2001:db8::66")
)

// resolver answers in n, over UDP and TCP.
func resolver(t *testing.T, n *netnstest.Node, at netip.AddrPort) {
	t.Helper()
	handle := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		a := new(dns.Msg)
		a.SetReply(q)
		h := dns.RR_Header{Name: q.Question[0].Name, Class: dns.ClassINET, Rrtype: q.Question[0].Qtype, Ttl: 5}
		switch q.Question[0].Qtype {
		case dns.TypeA:
			a.Answer = []dns.RR{&dns.A{Hdr: h, A: truth.AsSlice()}}
		case dns.TypeAAAA:
			a.Answer = []dns.RR{&dns.AAAA{Hdr: h, AAAA: truth6.AsSlice()}}
		}
		w.WriteMsg(a)
	})
	for _, s := range []*dns.Server{
		{PacketConn: n.ListenUDP(t, at), Handler: handle},
		{Listener: n.Listen(t, at), Handler: handle},
	} {
		up := make(chan bool)
		s.NotifyStartedFunc = func() { close(up) }
		go s.ActivateAndServe()
		<-up
		t.Cleanup(func() { s.Shutdown() })
	}
}

// An asking is a method of sending questions: a fresh one opens a connection for each question.
type asking struct {
	network string
	to      netip.AddrPort
	fresh   bool
	conn    net.Conn
}

func (a *asking) String() string { return fmt.Sprintf("%s %s, fresh %t", a.network, a.to, a.fresh) }

// ask returns an answer in short form: addresses, a code, or silent.
func (a *asking) ask(t *testing.T, n *netnstest.Node, name string, kind uint16, timeout time.Duration) string {
	t.Helper()
	c := a.conn
	if a.fresh || c == nil {
		var err error
		if c, err = n.Dial(a.network, a.to, longEnough); err != nil {
			return err.Error()
		}
		if a.fresh {
			defer c.Close()
		} else {
			t.Cleanup(func() { c.Close() })
			a.conn = c
		}
	}
	c.SetDeadline(time.Now().Add(timeout))
	var q dns.Msg
	q.SetQuestion(name, kind)
	d := &dns.Conn{Conn: c}
	if err := d.WriteMsg(&q); err != nil {
		return outcome(err)
	}
	for {
		m, err := d.ReadMsg()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return silent
		case err != nil:
			return err.Error()
		case m.Id != q.Id:
			continue // the answer to an abandoned question
		case m.Rcode != dns.RcodeSuccess:
			return dns.RcodeToString[m.Rcode]
		case len(m.Answer) == 0:
			return "nothing"
		}
		switch r := m.Answer[0].(type) {
		case *dns.A:
			return r.A.String()
		case *dns.AAAA:
			return r.AAAA.String()
		}
		return m.Answer[0].String()
	}
}

func TestDNS(t *testing.T) {
	names := []string{"db.example.com", "*.shop.example"}
	for _, tt := range []struct {
		name    string
		spec    netns.Spec
		a, aaaa string // answers to affected questions
	}{
		{"fail", netns.Spec{Do: netns.DNSFail, Names: names}, "SERVFAIL", "SERVFAIL"},
		{"fail, no such domain", netns.Spec{Do: netns.DNSFail, Names: names, RCode: "NXDOMAIN"}, "NXDOMAIN", "NXDOMAIN"},
		{"fail, all names", netns.Spec{Do: netns.DNSFail, RCode: "REFUSED"}, "REFUSED", "REFUSED"},
		{"timeout", netns.Spec{Do: netns.DNSMute, Names: names}, silent, silent},
		{
			"spoof",
			netns.Spec{Do: netns.DNSSpoof, Names: names, Answers: []netip.Addr{lie, lie6}},
			lie.String(),
			lie6.String(),
		},
		{
			"spoof without IPv6",
			netns.Spec{Do: netns.DNSSpoof, Names: names, Answers: []netip.Addr{lie}},
			lie.String(),
			"nothing",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := netnstest.New(t, 1)
			resolver(t, w.Peers[0], netip.AddrPortFrom(netip.IPv6Unspecified(), 53))
			// As Docker does it: its resolver has a port of its own on the loopback, and
			// rules bring there what is sent to port 53.
			docker := netip.MustParseAddrPort("127.0.0.11:40053")
			resolver(t, w.Victim, docker)
			w.Victim.Run(t, `nft -f - <<'END'
table ip nat {
	chain out { type nat hook output priority -100; ip daddr 127.0.0.11 meta l4proto { tcp, udp } th dport 53 dnat to 127.0.0.11:40053; }
	chain back { type nat hook postrouting priority 100; ip saddr 127.0.0.11 meta l4proto { tcp, udp } th sport 40053 snat to :53; }
}
END`)
			// A resolver of the unit itself, which is never affected.
			own := netip.MustParseAddrPort("127.0.0.1:53")
			resolver(t, w.Victim, own)

			var askings []*asking
			for _, to := range []netip.AddrPort{
				netip.AddrPortFrom(w.Peers[0].V4, 53), netip.AddrPortFrom(w.Peers[0].V6, 53),
				netip.MustParseAddrPort("127.0.0.11:53"),
			} {
				for _, network := range []string{"udp", "tcp"} {
					for _, fresh := range []bool{true, false} {
						if network == "tcp" && !fresh {
							continue
						}
						askings = append(askings, &asking{network: network, to: to, fresh: fresh})
					}
				}
			}
			all := func(when, name string, a, aaaa string) {
				t.Helper()
				timeout := longEnough
				if a == silent {
					timeout = shortly
				}
				var asked sync.WaitGroup
				for _, one := range askings {
					asked.Go(func() {
						if got := one.ask(t, w.Victim, name, dns.TypeA, timeout); got != a {
							t.Errorf("%s, %s asked for %s: %s; want %s", when, one, name, got, a)
						}
						if got := one.ask(t, w.Victim, name, dns.TypeAAAA, timeout); got != aaaa {
							t.Errorf("%s, %s asked for %s, IPv6: %s; want %s", when, one, name, got, aaaa)
						}
					})
				}
				if asked.Wait(); t.Failed() {
					t.FailNow()
				}
			}
			all("before", "db.example.com.", truth.String(), truth6.String())
			before := netnstest.State(t, w.Victim.Namespace)
			h, err := w.Victim.Set(tt.spec)
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			all("in the fault", "db.example.com.", tt.a, tt.aaaa)
			all("in the fault", "DB.Example.com.", tt.a, tt.aaaa)
			all("in the fault", "a.shop.example.", tt.a, tt.aaaa)
			for _, other := range []string{"example.com.", "xdb.example.com.", "shop.example."} {
				if len(tt.spec.Names) > 0 {
					all("in the fault", other, truth.String(), truth6.String())
				} else {
					all("in the fault", other, tt.a, tt.aaaa)
				}
			}
			untouched := &asking{network: "udp", to: own, fresh: true}
			if got := untouched.ask(t, w.Victim, "db.example.com.", dns.TypeA, longEnough); got != truth.String() {
				t.Errorf("the unit's own resolver said %s in the fault", got)
			}
			affected, err := h.Affected()
			if err != nil || affected.Hit == 0 || affected.Packets < affected.Hit ||
				len(tt.spec.Names) > 0 && affected.Packets == affected.Hit {
				t.Errorf("it met %+v, %v", affected, err)
			}
			for range 2 {
				if err := h.Close(); err != nil {
					t.Error(err)
				}
			}
			// A connection that just came counts as a query under way, for which the table stays after Close.
			if drains, ok := h.(interface{ Wait() }); ok {
				drains.Wait()
			}
			if after := netnstest.State(t, w.Victim.Namespace); after != before {
				t.Errorf("afterwards the namespace is\n%s\nand was\n%s", after, before)
			}
			all("afterwards", "db.example.com.", truth.String(), truth6.String())
		})
	}
}

// Malformed messages have no name, so they reach the resolver unchanged, and its answer comes back
// unchanged.
func TestDNS_Malformed(t *testing.T) {
	t.Parallel()
	w := netnstest.New(t, 1)
	at := netip.AddrPortFrom(w.Peers[0].V4, 53)
	udp := w.Peers[0].ListenUDP(t, at)
	go func() { // echoes until the end of the test closes the socket
		b := make([]byte, 1<<10)
		for {
			n, from, err := udp.ReadFrom(b)
			if err != nil {
				return
			}
			udp.WriteTo(b[:n], from)
		}
	}()
	tcp := w.Peers[0].Listen(t, at)
	go func() {
		for {
			c, err := tcp.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	h, err := w.Victim.Set(netns.Spec{Do: netns.DNSMute})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	var two dns.Msg
	two.Question = []dns.Question{
		{Name: "a.", Qtype: dns.TypeA, Qclass: dns.ClassINET}, {Name: "b.", Qtype: dns.TypeA, Qclass: dns.ClassINET},
	}
	packed, err := two.Pack()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []struct {
		name    string
		message []byte
	}{
		{"no question", make([]byte, 12)},
		{"less than a header", []byte{1, 2, 3}},
		{"a cut-off question", packed[:14]},
		{"two questions", packed},
	} {
		for _, network := range []string{"udp", "tcp"} {
			c, err := w.Victim.Dial(network, at, longEnough)
			if err != nil {
				t.Fatal(err)
			}
			sent := m.message
			if network == "tcp" {
				sent = append([]byte{0, byte(len(sent))}, sent...)
			}
			c.SetDeadline(time.Now().Add(longEnough))
			got := make([]byte, len(sent))
			if _, err = c.Write(sent); err == nil {
				_, err = io.ReadFull(c, got)
			}
			if err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%s, %s: %x, %v; want %x", m.name, network, got, err, sent)
			}
			c.Close()
		}
	}
	if affected, err := h.Affected(); err != nil || affected.Hit != 0 || affected.Packets != 8 {
		t.Errorf("it met %+v, %v; want 8 messages and no hit", affected, err)
	}
}

// TestPrepare_Names completes names by the search list of a process in the namespace: as it asks for them.
func TestPrepare_Names(t *testing.T) {
	netnstest.Need(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, conf string
		asks, want []string
	}{
		{"no names", "search shop.svc\n", nil, nil},
		{
			"in a pod", "search shop.svc.cluster.local svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n",
			[]string{"store", "db.shop", "*.example.com"},
			[]string{
				"store.shop.svc.cluster.local.", "store.svc.cluster.local.", "store.",
				"db.shop.shop.svc.cluster.local.", "db.shop.svc.cluster.local.", "db.shop.",
				"*.example.com.shop.svc.cluster.local.", "*.example.com.svc.cluster.local.", "*.example.com.",
			},
		},
		{
			"enough dots", "search corp\n",
			[]string{"db.example.com", "store"},
			[]string{"db.example.com.", "db.example.com.corp.", "store.corp.", "store."},
		},
		{"a final dot", "search corp\n", []string{"store."}, []string{"store."}},
		{"no search list", "nameserver 127.0.0.11\n", []string{"store"}, []string{"store."}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			if err := os.Mkdir(filepath.Join(root, "etc"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, "etc/resolv.conf"), []byte(tt.conf), 0o644); err != nil {
				t.Fatal(err)
			}
			c := exec.Command(self)
			c.Env, c.SysProcAttr = append(os.Environ(), rootEnv+"="+root), &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
			if _, err := c.StdinPipe(); err != nil { // it ends with this process
				t.Fatal(err)
			}
			out, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
			if line, err := bufio.NewReader(out).ReadString('\n'); line != "root <nil>\n" {
				t.Fatalf("%q, %v", line, err)
			}
			n, err := netns.Open(fmt.Sprintf("/proc/%d/ns/net", c.Process.Pid))
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			for range 2 { // what is complete stays as it is
				s, _, err := n.Prepare(netns.Spec{Do: netns.DNSFail, Names: tt.asks})
				if err != nil || !slices.Equal(s.Names, tt.want) {
					t.Errorf("%q, %v; want %q", s.Names, err, tt.want)
				}
				tt.asks = s.Names
			}
		})
	}
}
