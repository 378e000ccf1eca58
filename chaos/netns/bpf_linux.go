package netns

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"brunt/chaos/netns/kernel"
	"brunt/chaos/seed"
)

// bpf attaches a program to each link, assembled here and verified by the kernel. A link object
// attaches it and ends with its last descriptor, and so with brunt.
//
// The programs see incoming packets after the driver and before everything else: a loss is silent,
// and packet capture does not show the packet. Between containers, a packet may be an unsegmented
// one of up to 64 KB; it counts as one packet, as with netem. The programs affect only IPv4 and
// IPv6, and only links that exist when they are attached.
func bpf() mechanism {
	return mechanism{
		name: "ebpf",
		can: func(s Spec) error {
			switch {
			case s.Do == Partition && s.Keep:
				return errors.New("it can't tell connections that are open from new ones: nft can")
			case (s.Do == Partition || s.Do == Blackhole) && s.Direction != Both:
				return errors.New("it can't tell which end opened a connection: nft can")
			case s.Do == Partition && s.Mode != "" && s.Mode != "drop":
				return fmt.Errorf("it drops, and does not %s: nft does", s.Mode)
			}
			if n := len(s.Match.Peers); n > mostPeers {
				return fmt.Errorf("it takes at most %d peers, and there are %d: name networks", mostPeers, n)
			}
			return nil
		},
		probe: func() error {
			l, err := netlink.LinkByName("probe0")
			if err != nil {
				return fmt.Errorf("finding the link to try it on: %w", err)
			}
			f, err := attach(Spec{Do: Loss, Share: 0.5}, []netlink.Link{l})
			if err != nil {
				return err
			}
			return f.Close()
		},
		// If the mechanism can't be probed, as in an agent inside the namespace, a right may be
		// missing.
		fits: func(n *Namespace, s Spec) error {
			return n.Do(func() error { return errors.Join(lonely(s), loadable(s)) })
		},
		set: func(n *Namespace, s Spec) (held Held, err error) {
			err = n.Do(func() error {
				if err := lonely(s); err != nil {
					return err
				}
				ls, err := links()
				if err != nil {
					return err
				}
				held, err = attach(s, ls)
				return err
			})
			return held, err
		},
		fix: "Linux 6.6 or newer with CONFIG_BPF_SYSCALL and CONFIG_NET_XGRESS, and root or CAP_BPF and CAP_NET_ADMIN",
	}
}

// programs are the programs that are attached for one Spec.
type programs struct {
	affected *ebpf.Map
	links    []link.Link
	once     sync.Once
	err      error
}

// attach attaches the programs of s to links. The thread is in the namespace.
func attach(s Spec, on []netlink.Link) (_ *programs, err error) {
	f := new(programs)
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	f.affected, err = ebpf.NewMap(&ebpf.MapSpec{
		Name: "brunt_met", Type: ebpf.Array, KeySize: 4, ValueSize: 24, MaxEntries: 1,
	})
	if err != nil {
		return nil, kernel.Hint(fmt.Errorf("making a map to count in: %w", err))
	}
	for _, dir := range s.directions(In) {
		at := ebpf.AttachTCXIngress
		if dir == Out {
			at = ebpf.AttachTCXEgress
		}
		for _, l := range on {
			p, err := f.load(s, dir, headerOf(l))
			if err != nil {
				return nil, err
			}
			k, err := link.AttachTCX(link.TCXOptions{Interface: l.Attrs().Index, Program: p, Attach: at})
			p.Close() // the link holds its own reference
			if err != nil {
				return nil, kernel.Hint(fmt.Errorf("attaching the program to %s: %w", l.Attrs().Name, err))
			}
			f.links = append(f.links, k)
		}
	}
	return f, nil
}

// loadable loads the program to check that the kernel accepts it, and unloads it.
func loadable(s Spec) error {
	f, err := attach(s, nil)
	if err == nil {
		defer f.Close()
		var p *ebpf.Program
		if p, err = f.load(s, In, 0); err == nil {
			err = p.Close()
		}
	}
	return err
}

// load loads the program of s for one direction, on links with a link header of the given length in
// bytes.
func (f *programs) load(s Spec, dir Direction, header int32) (*ebpf.Program, error) {
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: programName(s.Do), Type: ebpf.SchedCLS, License: "GPL",
		Instructions: program(s, dir, header, f.affected.FD()),
	})
	if err != nil {
		return nil, kernel.Hint(fmt.Errorf("loading the program: %w", err))
	}
	return p, nil
}

// programName is the name that bpftool shows.
func programName(a Action) string { return "brunt_" + strings.ReplaceAll(string(a), ".", "_") }

// lonely returns an error if another fault conflicts with s. Two duplicates on one link would
// duplicate each other's copies, endlessly if both have a share of 1.
func lonely(s Spec) error {
	if s.Do != Duplicate {
		return nil
	}
	ls, err := links()
	if err != nil {
		return err
	}
	for _, l := range ls {
		for _, at := range []ebpf.AttachType{ebpf.AttachTCXIngress, ebpf.AttachTCXEgress} {
			r, err := link.QueryPrograms(link.QueryOptions{Target: l.Attrs().Index, Attach: at})
			if err != nil {
				return kernel.Hint(fmt.Errorf("looking for programs on %s: %w", l.Attrs().Name, err))
			}
			for _, a := range r.Programs {
				p, err := ebpf.NewProgramFromID(a.ID)
				if errors.Is(err, unix.ENOENT) {
					continue
				}
				if err != nil {
					return kernel.Hint(fmt.Errorf("looking at a program on %s: %w", l.Attrs().Name, err))
				}
				info, err := p.Info()
				p.Close()
				if err != nil {
					return fmt.Errorf("looking at a program on %s: %w", l.Attrs().Name, err)
				}
				if info.Name == programName(Duplicate) {
					return fmt.Errorf("a duplicate is in force on %s, and one of two can't tell its copies from originals",
						l.Attrs().Name)
				}
			}
		}
	}
	return nil
}

func (f *programs) Via() string { return "ebpf" }

// Affected implements [Held]: it counts the affected packets.
func (f *programs) Affected() (Affected, error) {
	var v [3]uint64
	if err := f.affected.Lookup(uint32(0), &v); err != nil {
		return Affected{}, fmt.Errorf("read the counters of a program: %w", err)
	}
	return Affected{Packets: int64(v[0]), Bytes: int64(v[1]), Hit: int64(v[2])}, nil
}

// Close implements [Held]. Closing the links is not enough: a child process that has not called
// execve(2) yet holds copies of them, and the kernel keeps the programs until the last copy is
// closed.
func (f *programs) Close() error {
	f.once.Do(func() {
		var errs []error
		for i := len(f.links) - 1; i >= 0; i-- {
			errs = append(errs, f.links[i].Detach(), f.links[i].Close())
		}
		if f.affected != nil {
			errs = append(errs, f.affected.Close())
		}
		f.err = errors.Join(errs...)
	})
	return f.err
}

// Offsets in a program's context, struct __sk_buff, and in headers.
const (
	skbLen      = 0
	skbMark     = 8
	skbProtocol = 16
	skbIfindex  = 40

	ip4Fragment, ip4Protocol, ip4Source, ip4Target = 6, 9, 12, 16
	ip6Next, ip6Source, ip6Target, ip6Length       = 6, 8, 24, 40

	firstDiscovery, lastDiscovery = 133, 137 // ICMPv6 types
)

// Return values of a program.
const (
	tcxNext = -1 // continue with the next program
	tcxDrop = 2
)

// copyMark in the upper half of a packet's mark identifies a copy: the program that made the copy
// sees it again and lets it pass. The lower half is the original's.
const copyMark = 0xb47e

// mostPeers limits the program size: jumps are 16 bits wide.
const mostPeers = 1000

// An assembler writes a program. r6 holds the context, r7 the counters, r8 the number of the
// packet, and r9 0 for IPv4 or 1 for IPv6.
type assembler struct {
	asm.Instructions
	labels int
}

func (a *assembler) put(i ...asm.Instruction) { a.Instructions = append(a.Instructions, i...) }

// label returns a new jump label.
func (a *assembler) label() string {
	a.labels++
	return fmt.Sprintf("l%d", a.labels)
}

// at places a label.
func (a *assembler) at(label string) {
	a.put(asm.Mov.Reg(asm.R6, asm.R6).WithSymbol(label)) // no operation
}

// load copies n bytes at the network header plus off to the stack at -16, or jumps to orElse on
// failure. A negative off means that r2 already holds the offset.
func (a *assembler) load(off, n int32, orElse string) {
	if off >= 0 {
		a.put(asm.Mov.Imm(asm.R2, off))
	}
	a.put(
		asm.Mov.Reg(asm.R1, asm.R6),
		asm.Mov.Reg(asm.R3, asm.R10), asm.Add.Imm(asm.R3, -16),
		asm.Mov.Imm(asm.R4, n),
		asm.Mov.Imm(asm.R5, 1), // BPF_HDR_START_NET
		asm.FnSkbLoadBytesRelative.Call(),
		asm.JNE.Imm(asm.R0, 0, orElse),
	)
}

// program assembles the code that applies s to packets in one direction, on a link with a link
// header of the given length in bytes, and counts in a map.
func program(s Spec, dir Direction, header int32, affected int) asm.Instructions {
	a := new(assembler)
	a.put(
		asm.Mov.Reg(asm.R6, asm.R1),
		asm.LoadMapValue(asm.R7, affected, 0),
	)
	if s.Do == Duplicate {
		a.ownCopy()
	}
	a.version()
	a.peers(s.Match.Peers, dir)
	a.ports(s.Match.Ports)
	a.count()
	a.choose(s)
	a.put(asm.Mov.Imm(asm.R1, 1), asm.AddAtomic.Mem(asm.R7, asm.R1, asm.DWord, 16))
	switch s.Do {
	case Duplicate:
		a.duplicate(dir)
	case Corrupt:
		a.corrupt(header)
	default:
		a.put(asm.Mov.Imm(asm.R0, tcxDrop), asm.Return())
	}
	a.at("pass")
	a.put(asm.Mov.Imm(asm.R0, tcxNext), asm.Return())
	return a.Instructions
}

// ownCopy lets a copy pass that this program made.
func (a *assembler) ownCopy() {
	original := a.label()
	a.put(
		asm.LoadMem(asm.R1, asm.R6, skbMark, asm.Word),
		asm.Mov.Reg(asm.R2, asm.R1),
		asm.RSh.Imm(asm.R2, 16),
		asm.JNE.Imm(asm.R2, copyMark, original),
		asm.And.Imm(asm.R1, 0xffff),
		asm.StoreMem(asm.R6, skbMark, asm.R1, asm.Word),
		asm.Ja.Label("pass"),
	)
	a.at(original)
}

// version sets r9. It lets packets pass that are neither IPv4 nor IPv6, and IPv6 neighbour
// discovery.
func (a *assembler) version() {
	six, known := a.label(), a.label()
	a.put(
		asm.LoadMem(asm.R1, asm.R6, skbProtocol, asm.Word),
		asm.HostTo(asm.BE, asm.R1, asm.Half),
		asm.JEq.Imm(asm.R1, unix.ETH_P_IPV6, six),
		asm.JNE.Imm(asm.R1, unix.ETH_P_IP, "pass"),
		asm.Mov.Imm(asm.R9, 0),
		asm.Ja.Label(known),
		asm.Mov.Imm(asm.R9, 1).WithSymbol(six),
	)
	a.load(ip6Next, 1, "pass")
	a.put(
		asm.LoadMem(asm.R1, asm.R10, -16, asm.Byte),
		asm.JNE.Imm(asm.R1, unix.IPPROTO_ICMPV6, known),
	)
	a.load(ip6Length, 1, "pass")
	a.put(
		asm.LoadMem(asm.R1, asm.R10, -16, asm.Byte),
		asm.JLT.Imm(asm.R1, firstDiscovery, known),
		asm.JLE.Imm(asm.R1, lastDiscovery, "pass"),
	)
	a.at(known)
}

// peers lets packets pass whose remote end is not a peer.
func (a *assembler) peers(peers []netip.Prefix, dir Direction) {
	if len(peers) == 0 {
		return
	}
	at4, at6 := int32(ip4Source), int32(ip6Source)
	if dir == Out {
		at4, at6 = ip4Target, ip6Target
	}
	six, hit := a.label(), a.label()
	a.put(asm.JEq.Imm(asm.R9, 1, six))
	a.load(at4, 4, "pass")
	a.among(peers, true, hit)
	a.put(asm.Ja.Label("pass"))
	a.at(six)
	a.load(at6, 16, "pass")
	a.among(peers, false, hit)
	a.put(asm.Ja.Label("pass"))
	a.at(hit)
}

// among jumps to hit if the address on the stack is in one of the networks.
func (a *assembler) among(peers []netip.Prefix, four bool, hit string) {
	for _, p := range peers {
		p = netip.PrefixFrom(p.Addr().Unmap(), bitsOf(p)).Masked()
		if p.Addr().Is4() != four {
			continue
		}
		next := a.label()
		b := p.Addr().AsSlice()
		for i := 0; i*8 < p.Bits(); i += 4 {
			mask := uint32(math.MaxUint32)
			if rest := p.Bits() - i*8; rest < 32 {
				mask <<= 32 - rest
			}
			want := uint32(b[i])<<24 | uint32(b[i+1])<<16 | uint32(b[i+2])<<8 | uint32(b[i+3])
			a.put(
				asm.LoadMem(asm.R1, asm.R10, int16(i-16), asm.Word),
				asm.HostTo(asm.BE, asm.R1, asm.Word),
				asm.And.Imm32(asm.R1, int32(mask)),
				asm.JNE.Imm32(asm.R1, int32(want), next),
			)
		}
		a.put(asm.Ja.Label(hit))
		a.at(next)
	}
}

// bitsOf returns the prefix length of an IPv4 network that may be written as IPv6.
func bitsOf(p netip.Prefix) int {
	if p.Addr().Is4In6() {
		return max(0, p.Bits()-96)
	}
	return p.Bits()
}

// ports lets packets pass that have none of the ports at either end, including later fragments and
// IPv6 with extension headers.
func (a *assembler) ports(ports []uint16) {
	if len(ports) == 0 {
		return
	}
	six, transport, hit := a.label(), a.label(), a.label()
	a.put(asm.JEq.Imm(asm.R9, 1, six))
	a.load(ip4Fragment, 2, "pass")
	a.put(
		asm.LoadMem(asm.R1, asm.R10, -16, asm.Half),
		asm.HostTo(asm.BE, asm.R1, asm.Half),
		asm.And.Imm(asm.R1, 0x1fff),
		asm.JNE.Imm(asm.R1, 0, "pass"),
	)
	a.load(ip4Protocol, 1, "pass")
	a.put(asm.LoadMem(asm.R8, asm.R10, -16, asm.Byte))
	a.load(0, 1, "pass")
	a.put(
		asm.LoadMem(asm.R2, asm.R10, -16, asm.Byte),
		asm.And.Imm(asm.R2, 0xf),
		asm.LSh.Imm(asm.R2, 2),
		asm.Ja.Label(transport),
	)
	a.at(six)
	a.load(ip6Next, 1, "pass")
	a.put(
		asm.LoadMem(asm.R8, asm.R10, -16, asm.Byte),
		asm.Mov.Imm(asm.R2, ip6Length),
	)
	a.at(transport)
	known := a.label()
	for _, p := range []int32{unix.IPPROTO_TCP, unix.IPPROTO_UDP, unix.IPPROTO_SCTP} {
		a.put(asm.JEq.Imm(asm.R8, p, known))
	}
	a.put(asm.Ja.Label("pass"))
	a.at(known)
	a.load(-1, 4, "pass")
	a.put(
		asm.LoadMem(asm.R1, asm.R10, -16, asm.Half), asm.HostTo(asm.BE, asm.R1, asm.Half),
		asm.LoadMem(asm.R2, asm.R10, -14, asm.Half), asm.HostTo(asm.BE, asm.R2, asm.Half),
	)
	for _, p := range ports {
		a.put(asm.JEq.Imm(asm.R1, int32(p), hit), asm.JEq.Imm(asm.R2, int32(p), hit))
	}
	a.put(asm.Ja.Label("pass"))
	a.at(hit)
}

// count stores the number of the packet in r8 and counts the packet.
func (a *assembler) count() {
	number := asm.FetchAdd.Mem(asm.R7, asm.R8, asm.DWord, 0)
	// Subtle: the library (v0.22.0) encodes the atomic operation too late; without this line it
	// would be an add that fetches nothing.
	number.Constant = int64(asm.FetchAdd >> 8)
	a.put(
		asm.LoadMem(asm.R1, asm.R6, skbLen, asm.Word),
		asm.AddAtomic.Mem(asm.R7, asm.R1, asm.DWord, 8),
		asm.Mov.Imm(asm.R8, 1),
		number,
	)
}

// mix replaces the number n in r8 by [seed.Mix] of the seed at position n+1.
func (a *assembler) mix(s uint64) {
	a.put(
		asm.Add.Imm(asm.R8, 1),
		asm.LoadImm(asm.R1, u(seed.Golden), asm.DWord), asm.Mul.Reg(asm.R8, asm.R1),
		asm.LoadImm(asm.R1, u(s), asm.DWord), asm.Add.Reg(asm.R8, asm.R1),
	)
	for _, r := range []struct {
		shift int32
		by    uint64
	}{{30, seed.Factor1}, {27, seed.Factor2}, {31, 0}} {
		a.put(asm.Mov.Reg(asm.R2, asm.R8), asm.RSh.Imm(asm.R2, r.shift), asm.Xor.Reg(asm.R8, asm.R2))
		if r.by != 0 {
			a.put(asm.LoadImm(asm.R1, u(r.by), asm.DWord), asm.Mul.Reg(asm.R8, asm.R1))
		}
	}
}

// u returns the same 64 bits.
func u(x uint64) int64 { return int64(x) }

// choose lets packets pass that are outside the share, by [seed.Chosen], so that the same seed
// selects the same packet numbers.
func (a *assembler) choose(s Spec) {
	a.mix(s.Seed)
	if s.Share == 0 || s.Share == 1 {
		return
	}
	a.put(
		asm.Mov.Reg(asm.R2, asm.R8), asm.RSh.Imm(asm.R2, 11),
		asm.LoadImm(asm.R1, int64(math.Ceil(s.Share*(1<<53))), asm.DWord),
		asm.JGE.Reg(asm.R2, asm.R1, "pass"),
	)
}

// duplicate sends a copy before or after the packet. A receiver can't tell it from the original.
func (a *assembler) duplicate(dir Direction) {
	const ingress = 1 // BPF_F_INGRESS
	flags := int32(0)
	if dir == In {
		flags = ingress
	}
	a.put(
		asm.LoadMem(asm.R9, asm.R6, skbMark, asm.Word),
		asm.Mov.Reg(asm.R1, asm.R9),
		asm.And.Imm(asm.R1, 0xffff),
		asm.Or.Imm32(asm.R1, -0x10000*(0x10000-copyMark)), // copyMark<<16 as 32 bits
		asm.StoreMem(asm.R6, skbMark, asm.R1, asm.Word),
		asm.Mov.Reg(asm.R1, asm.R6),
		asm.LoadMem(asm.R2, asm.R6, skbIfindex, asm.Word),
		asm.Mov.Imm(asm.R3, flags),
		asm.FnCloneRedirect.Call(),
		asm.StoreMem(asm.R6, skbMark, asm.R9, asm.Word),
		asm.Ja.Label("pass"),
	)
}

// corrupt flips one bit that the receiving kernel always detects. Between containers a flipped bit
// in the payload would reach the program, because checksums there are neither computed nor
// verified. IPv4 has a header checksum that covers every bit; IPv6 has none, but its first four
// bits must be 6.
func (a *assembler) corrupt(header int32) {
	six, flip := a.label(), a.label()
	a.put(
		asm.JEq.Imm(asm.R9, 1, six),
		// One of the last 12 bytes: time to live, protocol, checksum, addresses.
		asm.Mov.Reg(asm.R9, asm.R8), asm.RSh.Imm(asm.R9, 32), asm.Mod.Imm(asm.R9, 12), asm.Add.Imm(asm.R9, 8),
		asm.And.Imm(asm.R8, 7),
		asm.Ja.Label(flip),
	)
	a.at(six)
	a.put(
		asm.Mov.Imm(asm.R9, 0),
		asm.And.Imm(asm.R8, 3), asm.Add.Imm(asm.R8, 4),
	)
	a.at(flip)
	a.put(asm.Mov.Reg(asm.R2, asm.R9))
	a.load(-1, 1, "pass")
	a.put(
		asm.LoadMem(asm.R1, asm.R10, -16, asm.Byte),
		asm.Mov.Imm(asm.R2, 1), asm.LSh.Reg(asm.R2, asm.R8), asm.Xor.Reg(asm.R1, asm.R2),
		asm.StoreMem(asm.R10, -16, asm.R1, asm.Byte),
		asm.Mov.Reg(asm.R1, asm.R6),
		asm.Mov.Reg(asm.R2, asm.R9), asm.Add.Imm(asm.R2, header),
		asm.Mov.Reg(asm.R3, asm.R10), asm.Add.Imm(asm.R3, -16),
		asm.Mov.Imm(asm.R4, 1),
		asm.Mov.Imm(asm.R5, 0),
		asm.FnSkbStoreBytes.Call(),
		asm.Ja.Label("pass"),
	)
}
