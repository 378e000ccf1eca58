package netns

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"brunt/scenarios/disk"

	"github.com/miekg/dns"
	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sys/unix"
)

// Probe sends traffic from the namespace and returns the result. A missing answer is not an error.
func (n *Namespace) Probe(ctx context.Context, l Probe) (ProbeResult, error) {
	l = l.normal()
	var s ProbeResult
	var err error
	switch l.Kind {
	case Ping:
		s, err = n.ping(ctx, l)
	case Connect:
		s, err = n.connect(ctx, l)
	case Query:
		s, err = n.query(ctx, l)
	default:
		err = fmt.Errorf("there is no probe %q", l.Kind)
	}
	slices.Sort(s.Times)
	if err != nil {
		return s, fmt.Errorf("probing from inside (%s %s): %w", l.Kind, l.To, err)
	}
	return s, nil
}

// echoHead is the length of an echo header. nonceLen is the length of the field that identifies the echoes of one
// Probe.
const (
	echoHead = 8
	nonceLen = 16 // a random part and the number of the ping
)

// ping sends echo requests and receives their replies. It uses a ping socket, which needs no
// rights, if the namespace allows that, and a raw socket otherwise.
func (n *Namespace) ping(ctx context.Context, l Probe) (ProbeResult, error) {
	family, proto, request, reply := unix.AF_INET, unix.IPPROTO_ICMP, byte(8), byte(0)
	if l.To.Addr().Is6() {
		family, proto, request, reply = unix.AF_INET6, unix.IPPROTO_ICMPV6, 128, 129
	}
	raw := false
	var conn net.PacketConn
	err := n.Do(func() error {
		fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, proto)
		if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
			raw = true
			fd, err = unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, proto)
		}
		if err != nil {
			return fmt.Errorf("a socket for pings: %w", err)
		}
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20) // as much as the system allows
		f := os.NewFile(uintptr(fd), "ping")
		defer f.Close()
		conn, err = net.FilePacketConn(f)
		return err
	})
	if err != nil {
		return ProbeResult{}, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	var to net.Addr = &net.UDPAddr{IP: l.To.Addr().AsSlice()}
	if raw {
		to = &net.IPAddr{IP: l.To.Addr().AsSlice()}
	}
	p := pings{sent: make([]time.Time, l.N), seen: make([]bool, l.N), nonce: nonceOf(), reply: reply, last: -1}
	p.body = make([]byte, max(l.Size, nonceLen))
	for i := range p.body {
		p.body[i] = byte(i)
	}
	var wg sync.WaitGroup
	wg.Go(func() { p.take(conn) })
	out := make([]byte, echoHead+len(p.body))
	for i := range l.N {
		p.fill(out, request, i)
		p.mu.Lock()
		p.sent[i] = time.Now()
		p.mu.Unlock()
		_, err := conn.WriteTo(out, to)
		for full := 0; errors.Is(err, unix.ENOBUFS) && full < 100; full++ { // the link is slow, which is not a failure
			time.Sleep(time.Millisecond)
			_, err = conn.WriteTo(out, to)
		}
		p.mu.Lock()
		p.Sent++
		if err != nil {
			p.Unreachable++
		}
		p.mu.Unlock()
		if ctx.Err() != nil {
			break
		}
		if i == 0 && l.Known {
			p.waitFirst(ctx, l.Wait)
		}
	}
	if ctx.Err() == nil {
		p.wait(ctx, l.Wait)
	}
	_ = conn.SetDeadline(time.Unix(1, 0))
	wg.Wait()
	return p.ProbeResult, nil
}

// pings are the pending echoes of a Probe.
type pings struct {
	mu    sync.Mutex
	sent  []time.Time
	seen  []bool
	nonce [nonceLen / 2]byte
	body  []byte
	reply byte
	last  int // the highest number of an answered ping
	first time.Time
	ProbeResult
}

func nonceOf() (b [nonceLen / 2]byte) {
	binary.BigEndian.PutUint64(b[:], uint64(time.Now().UnixNano())*uint64(os.Getpid()|1))
	return b
}

// fill writes ping i.
func (p *pings) fill(out []byte, request byte, i int) {
	clear(out[:echoHead])
	out[0] = request
	binary.BigEndian.PutUint16(out[4:], binary.BigEndian.Uint16(p.nonce[2:])) // the kernel sets it for ping sockets
	binary.BigEndian.PutUint16(out[6:], uint16(i))
	body := out[echoHead:]
	copy(body, p.body)
	copy(body, p.nonce[:])
	binary.BigEndian.PutUint64(body[len(p.nonce):], uint64(i))
	if request == 8 { // the kernel computes the checksum for IPv6
		binary.BigEndian.PutUint16(out[2:], checksum(out))
	}
}

// checksum is the Internet checksum (RFC 1071).
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		if i+1 == len(b) {
			sum += uint32(b[i]) << 8
			break
		}
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// take receives replies until conn's deadline.
func (p *pings) take(conn net.PacketConn) {
	b := make([]byte, 64<<10)
	for {
		n, _, err := conn.ReadFrom(b)
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
			return
		}
		now := time.Now()
		if err != nil || n < echoHead+nonceLen || b[0] != p.reply {
			continue
		}
		body := b[echoHead:n]
		if !bytes.Equal(body[:len(p.nonce)], p.nonce[:]) {
			continue
		}
		p.mu.Lock()
		p.came(now, body)
		p.mu.Unlock()
	}
}

// came records a reply.
func (p *pings) came(now time.Time, body []byte) {
	i := binary.BigEndian.Uint64(body[len(p.nonce):])
	if i >= uint64(len(p.seen)) || !bytes.Equal(body[nonceLen:], p.body[nonceLen:]) {
		p.Damaged++
		return
	}
	const headers = 20 + echoHead
	p.Bytes += int64(len(body) + headers)
	if p.first.IsZero() {
		p.first = now
	}
	p.Span = now.Sub(p.first)
	if p.seen[i] {
		p.Twice++
		return
	}
	p.seen[i] = true
	if int(i) < p.last {
		p.Late++
	}
	p.last = max(p.last, int(i))
	p.Came++
	p.Times = append(p.Times, now.Sub(p.sent[i]))
}

// waitFirst waits until the first ping has an answer, or for the duration most. The measurement begins then.
func (p *pings) waitFirst(ctx context.Context, most time.Duration) {
	for began := time.Now(); time.Since(began) < most && ctx.Err() == nil; time.Sleep(time.Millisecond / 4) {
		p.mu.Lock()
		came := p.Came > 0
		p.first, p.Bytes = time.Time{}, 0
		p.mu.Unlock()
		if came {
			return
		}
	}
}

// wait waits until every ping has an answer, or none has arrived for the duration most. It waits a
// little longer for duplicates.
func (p *pings) wait(ctx context.Context, most time.Duration) {
	const again = 20 * time.Millisecond
	began, had := time.Now(), -1
	for {
		p.mu.Lock()
		came, all := p.Came, p.Came+p.Unreachable >= p.Sent
		p.mu.Unlock()
		if came != had {
			began, had = time.Now(), came
		}
		if idle := time.Since(began); idle >= most || all && idle >= again || ctx.Err() != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// together is the number of connections that are opened at once.
const together = 200

// connect opens connections in groups and returns their results.
func (n *Namespace) connect(ctx context.Context, l Probe) (ProbeResult, error) {
	var all ProbeResult
	for left := l.N; left > 0 && ctx.Err() == nil; left -= together {
		s, err := n.connectSome(ctx, l, min(left, together))
		all.Sent += s.Sent
		all.Came += s.Came
		all.Refused += s.Refused
		all.Unreachable += s.Unreachable
		all.Times = append(all.Times, s.Times...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// sockets opens unconnected stream sockets in the namespace.
func (n *Namespace) sockets(to netip.Addr, count int) (fds []int, err error) {
	family := unix.AF_INET
	if to.Is6() {
		family = unix.AF_INET6
	}
	err = n.Do(func() error {
		for range count {
			fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
			if err != nil {
				return fmt.Errorf("a socket: %w", err)
			}
			// With zero linger, close leaves no state behind.
			_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
			fds = append(fds, fd)
		}
		return nil
	})
	if err != nil {
		closeAll(fds)
		return nil, err
	}
	return fds, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}

func sockaddr(to netip.AddrPort) unix.Sockaddr {
	if to.Addr().Is6() {
		return &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()}
	}
	return &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
}

func (n *Namespace) connectSome(ctx context.Context, l Probe, count int) (ProbeResult, error) {
	fds, err := n.sockets(l.To.Addr(), count)
	if err != nil {
		return ProbeResult{}, err
	}
	defer closeAll(fds)
	s := ProbeResult{Sent: count}
	began := make([]time.Time, count)
	pending := map[int32]int{} // fd -> index
	for i, fd := range fds {
		began[i] = time.Now()
		switch err := unix.Connect(fd, sockaddr(l.To)); {
		case errors.Is(err, unix.EINPROGRESS):
			pending[int32(fd)] = i
		default:
			s.count(err, time.Since(began[i]))
		}
	}
	for end := time.Now().Add(l.Wait); len(pending) > 0 && ctx.Err() == nil; {
		var polled []unix.PollFd
		for fd := range pending {
			polled = append(polled, unix.PollFd{Fd: fd, Events: unix.POLLOUT})
		}
		left := time.Until(end)
		if left <= 0 {
			break
		}
		if _, err := unix.Poll(polled, min(int(left.Milliseconds())+1, 50)); err != nil && !errors.Is(err, unix.EINTR) {
			return s, err
		}
		for _, p := range polled {
			if p.Revents == 0 {
				continue
			}
			took := time.Since(began[pending[p.Fd]])
			delete(pending, p.Fd)
			code, err := unix.GetsockoptInt(int(p.Fd), unix.SOL_SOCKET, unix.SO_ERROR)
			if err == nil && code != 0 {
				err = syscall.Errno(code)
			}
			s.count(err, took)
		}
	}
	return s, nil
}

// count records the result of a connection.
func (s *ProbeResult) count(err error, took time.Duration) {
	switch {
	case err == nil:
		s.Came++
	case errors.Is(err, unix.ECONNREFUSED), errors.Is(err, unix.ECONNRESET):
		s.Refused++
	default:
		s.Unreachable++
		return
	}
	s.Times = append(s.Times, took)
}

// query asks a resolver for the addresses of a name.
func (n *Namespace) query(ctx context.Context, l Probe) (ProbeResult, error) {
	to := l.To
	if !to.IsValid() {
		var err error
		if to, err = n.resolver(); err != nil {
			return ProbeResult{}, err
		}
	}
	name, err := dnsmessage.NewName(strings.TrimSuffix(l.Name, ".") + ".")
	if err != nil {
		return ProbeResult{}, fmt.Errorf("%q: %w", l.Name, err)
	}
	var all ProbeResult
	for i := range l.N {
		q := dnsmessage.Message{
			Header:    dnsmessage.Header{ID: uint16(time.Now().UnixNano()) + uint16(i), RecursionDesired: true},
			Questions: []dnsmessage.Question{{Name: name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
		}
		if err := n.ask(ctx, to, l.Wait, q, &all); err != nil {
			return all, err
		}
	}
	return all, nil
}

func (n *Namespace) ask(
	ctx context.Context, to netip.AddrPort, wait time.Duration, q dnsmessage.Message, s *ProbeResult,
) error {
	out, err := q.Pack()
	if err != nil {
		return err
	}
	var conn *net.UDPConn
	err = n.Do(func() (err error) {
		conn, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
		return err
	})
	s.Sent++
	if err != nil {
		s.count(err, 0)
		return nil
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	began := time.Now()
	_ = conn.SetDeadline(began.Add(wait))
	if _, err := conn.Write(out); err != nil {
		s.count(err, 0)
		return nil
	}
	b := make([]byte, 4096)
	for {
		k, err := conn.Read(b)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			s.count(err, time.Since(began))
			return nil
		}
		var r dnsmessage.Message
		if err := r.Unpack(b[:k]); err != nil || r.ID != q.ID || !r.Response {
			continue
		}
		s.Came++
		s.Times = append(s.Times, time.Since(began))
		s.RCode = rcodeName(r.RCode)
		for _, a := range r.Answers {
			if a, ok := a.Body.(*dnsmessage.AResource); ok {
				s.Addrs = append(s.Addrs, netip.AddrFrom4(a.A))
			}
		}
		return nil
	}
}

func rcodeName(c dnsmessage.RCode) string {
	switch c {
	case dnsmessage.RCodeSuccess:
		return "NOERROR"
	case dnsmessage.RCodeNameError:
		return "NXDOMAIN"
	case dnsmessage.RCodeServerFailure:
		return "SERVFAIL"
	case dnsmessage.RCodeRefused:
		return "REFUSED"
	}
	return fmt.Sprint(uint16(c))
}

// resolver returns the first resolver of the namespace.
func (n *Namespace) resolver() (netip.AddrPort, error) {
	c, err := n.resolvConf()
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("which resolver is asked: %w", err)
	}
	for _, server := range c.Servers {
		if a, err := netip.ParseAddr(server); err == nil {
			return netip.AddrPortFrom(a, 53), nil
		}
	}
	return netip.AddrPort{}, errors.New("which resolver is asked: resolv.conf names none")
}

// mostConf bounds a resolv.conf, in bytes.
const mostConf = 64 << 10

// resolvConf reads the resolv.conf of the namespace's process. An agent in the same container shares that file.
func (n *Namespace) resolvConf() (*dns.ClientConfig, error) {
	file := "/etc/resolv.conf"
	if dir, ok := strings.CutSuffix(n.Path(), "/ns/net"); ok {
		file = filepath.Join(dir, "root", file)
	}
	text, err := disk.Read(file, mostConf)
	if err != nil {
		return nil, err
	}
	return dns.ClientConfigFromReader(bytes.NewReader(text))
}

// asked returns the names as the processes of the namespace ask for them, each with a final dot: by the search list of
// their resolver, the first of each that they ask for first. A name that has a final dot already is not completed. The
// names are as they were if there is no search list.
func (n *Namespace) asked(names []string) []string {
	c, err := n.resolvConf()
	if err != nil {
		c = &dns.ClientConfig{Ndots: 1}
	}
	var out []string
	for _, name := range names {
		for _, full := range c.NameList(name) {
			if !slices.Contains(out, full) {
				out = append(out, full)
			}
		}
	}
	return out
}

// Gateway returns the gateway of the namespace's default route, or the zero Addr if there is none.
func (n *Namespace) Gateway() (netip.Addr, error) {
	var out netip.Addr
	err := n.Do(func() error {
		b, err := os.ReadFile("/proc/thread-self/net/route")
		if err != nil {
			return fmt.Errorf("reading the routes: %w", err)
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line) // interface, destination, gateway, flags and so on, in the machine's byte order
			if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" {
				continue
			}
			var v uint32
			if _, err := fmt.Sscanf(f[2], "%X", &v); err == nil && v != 0 {
				var a [4]byte
				binary.NativeEndian.PutUint32(a[:], v)
				out = netip.AddrFrom4(a)
				return nil
			}
		}
		return nil
	})
	return out, err
}

// line is a connection that is held open.
type line struct{ fd int }

// Line opens a connection from the namespace and holds it open. It returns an error if the
// connection could not be opened before ctx ended.
func (n *Namespace) Line(ctx context.Context, to netip.AddrPort) (Line, error) {
	fds, err := n.sockets(to.Addr(), 1)
	if err != nil {
		return nil, err
	}
	l := &line{fds[0]}
	err = unix.Connect(l.fd, sockaddr(to))
	if errors.Is(err, unix.EINPROGRESS) {
		if err = l.poll(ctx, unix.POLLOUT); err == nil {
			err = l.err()
		}
	}
	if err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("connecting to %s from inside: %w", to, err)
	}
	return l, nil
}

// err returns the pending error of the socket.
func (l *line) err() error {
	code, err := unix.GetsockoptInt(l.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && code != 0 {
		err = syscall.Errno(code)
	}
	return err
}

// poll waits for an event.
func (l *line) poll(ctx context.Context, events int16) error {
	for {
		p := []unix.PollFd{{Fd: int32(l.fd), Events: events}}
		k, err := unix.Poll(p, 5)
		switch {
		case err != nil && !errors.Is(err, unix.EINTR):
			return err
		case k > 0:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

func (l *line) Outcome(ctx context.Context) (Outcome, error) {
	if _, err := unix.Write(l.fd, []byte("\r\n")); err != nil && !errors.Is(err, unix.EAGAIN) {
		return Ended, nil
	}
	for {
		if err := l.err(); err != nil {
			return Ended, nil
		}
		info, err := unix.GetsockoptTCPInfo(l.fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			return "", fmt.Errorf("looking at a connection: %w", err)
		}
		const gone = 7 // TCP_CLOSE
		switch {
		case info.State == gone:
			return Ended, nil
		case info.Unacked == 0 && info.Notsent_bytes == 0:
			return Carried, nil
		case ctx.Err() != nil:
			return Stuck, nil
		}
		time.Sleep(time.Millisecond)
	}
}

func (l *line) Close() error { return unix.Close(l.fd) }
