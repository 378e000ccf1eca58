package sockdiag

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
)

// ender is an eBPF iterator over TCP sockets that destroys quiet ones, see [Quiet]. It needs Linux 6.5.
type ender struct {
	ends    *ebpf.Map // the ends of the connections
	outcome *ebpf.Map
	program *ebpf.Program
	iter    *link.Iter
}

// endKey is an [End] in network byte order.
type endKey struct {
	Addr [4]byte
	Port [2]byte
	Side [2]byte // Local
}

// outcome is the argument and the result of a pass.
type outcome struct {
	Idle uint64 // microseconds
	Left uint64
}

// mostEnds bounds the ends of one pass, which are callers in one network and addresses that they call, or connections
// of proxies.
const mostEnds = 65536

func newEnder() (e *ender, err error) {
	at, err := offsets()
	if err != nil {
		return nil, err
	}
	e = new(ender)
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()
	e.ends, err = ebpf.NewMap(&ebpf.MapSpec{
		Name: "brunt_ends", Type: ebpf.Hash, KeySize: 8, ValueSize: 1, MaxEntries: mostEnds, Flags: noPrealloc,
	})
	if err != nil {
		return e, err
	}
	e.outcome, err = ebpf.NewMap(&ebpf.MapSpec{
		Name: "brunt_left", Type: ebpf.Array, KeySize: 4, ValueSize: 16, MaxEntries: 1,
	})
	if err != nil {
		return e, err
	}
	e.program, err = ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "brunt_quiet", Type: ebpf.Tracing, AttachType: ebpf.AttachTraceIter, AttachTo: "tcp", License: "GPL",
		Instructions: at.program(e.ends.FD(), e.outcome.FD()),
	})
	if err == nil {
		e.iter, err = link.AttachIter(link.IterOptions{Program: e.program})
	}
	return e, err
}

// noPrealloc is BPF_F_NO_PREALLOC.
const noPrealloc = 1

// Close frees the program.
func (e *ender) Close() error {
	var errs []error
	if e.iter != nil {
		errs = append(errs, e.iter.Close())
	}
	if e.program != nil {
		errs = append(errs, e.program.Close())
	}
	for _, m := range []*ebpf.Map{e.ends, e.outcome} {
		if m != nil {
			errs = append(errs, m.Close())
		}
	}
	return errors.Join(errs...)
}

// end does the work of [Quiet.End].
func (e *ender) end(of []End, idle time.Duration) (left int, err error) {
	keys := map[endKey]bool{}
	for _, x := range of {
		if !x.Addr.Addr().Is4() {
			continue
		}
		k := endKey{Addr: x.Addr.Addr().As4(), Port: [2]byte{byte(x.Addr.Port() >> 8), byte(x.Addr.Port())}}
		if x.Local {
			k.Side[0] = 1
		}
		keys[k] = true
	}
	if err := e.set(keys); err != nil {
		return 0, fmt.Errorf("naming connections: %w", err)
	}
	o := outcome{Idle: uint64(idle.Microseconds())}
	if err := e.outcome.Put(uint32(0), o); err != nil {
		return 0, err
	}
	pass, err := e.iter.Open() // in the thread's namespace
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, pass) // reading runs the program
	if err = errors.Join(err, pass.Close()); err != nil {
		return 0, err
	}
	err = e.outcome.Lookup(uint32(0), &o)
	return int(o.Left), err
}

// set replaces the keys of the map.
func (e *ender) set(keys map[endKey]bool) error {
	var k endKey
	var v byte
	var stale []endKey
	for all := e.ends.Iterate(); all.Next(&k, &v); {
		if !keys[k] {
			stale = append(stale, k)
		}
		delete(keys, k)
	}
	for _, k := range stale {
		if err := e.ends.Delete(k); err != nil {
			return err
		}
	}
	for k := range keys {
		if err := e.ends.Put(k, byte(1)); err != nil {
			return err
		}
	}
	return nil
}

// places holds the offsets of the kernel's fields, in bytes, and the number of the kernel function that destroys a
// socket.
type places struct {
	remote, remotePort, local, localPort, state            int16 // of struct sock_common
	written, acked, come, read, window, received, happened int16 // of struct tcp_sock
	sent, got                                              int16
	destroy                                                btf.TypeID
}

// offsets reads the kernel's type information, once.
var offsets = sync.OnceValues(func() (p places, err error) {
	types, err := btf.LoadKernelSpec()
	if err != nil {
		return p, err
	}
	for _, f := range []struct {
		to   *int16
		path []string
	}{
		{&p.remote, []string{"sock_common", "skc_daddr"}},
		{&p.remotePort, []string{"sock_common", "skc_dport"}},
		{&p.local, []string{"sock_common", "skc_rcv_saddr"}},
		{&p.localPort, []string{"sock_common", "skc_num"}},
		{&p.state, []string{"sock_common", "skc_state"}},
		{&p.written, []string{"tcp_sock", "write_seq"}},
		{&p.acked, []string{"tcp_sock", "snd_una"}},
		{&p.come, []string{"tcp_sock", "rcv_nxt"}},
		{&p.read, []string{"tcp_sock", "copied_seq"}},
		{&p.window, []string{"tcp_sock", "snd_wl1"}},
		{&p.received, []string{"tcp_sock", "bytes_received"}},
		{&p.happened, []string{"tcp_sock", "tcp_mstamp"}},
		{&p.sent, []string{"tcp_sock", "lsndtime"}},
		{&p.got, []string{"tcp_sock", "inet_conn", "icsk_ack", "lrcvtime"}},
	} {
		var t *btf.Struct
		if err := types.TypeByName(f.path[0], &t); err != nil {
			return p, err
		}
		at, found := offset(t.Members, f.path[1:])
		if !found {
			return p, fmt.Errorf("the kernel's types have no %v", f.path)
		}
		*f.to = int16(at)
	}
	var destroy *btf.Func
	if err := types.TypeByName("bpf_sock_destroy", &destroy); err != nil {
		return p, err
	}
	p.destroy, err = types.TypeID(destroy)
	return p, err
})

// offset finds a member by the first name of path, and in that member the next one. It also searches in members without
// a name.
func offset(members []btf.Member, path []string) (at uint32, found bool) {
	for _, m := range members {
		rest := path
		switch m.Name {
		case path[0]:
			if rest = path[1:]; len(rest) == 0 {
				return m.Offset.Bytes(), true
			}
		case "":
		default:
			continue
		}
		var inner []btf.Member
		switch t := btf.UnderlyingType(m.Type).(type) {
		case *btf.Struct:
			inner = t.Members
		case *btf.Union:
			inner = t.Members
		}
		if at, found = offset(inner, rest); found {
			return m.Offset.Bytes() + at, true
		}
	}
	return 0, false
}

// program assembles the program that runs for each socket, with the socket locked. r6 holds its struct sock_common, r7
// its struct tcp_sock, r8 the outcome.
func (p places) program(ends, outcome int) asm.Instructions {
	const context, key = 8, -8 // the socket in struct bpf_iter__tcp, and the key on the stack
	named := func(addr, port int16, local int32) []asm.Instruction {
		out := []asm.Instruction{
			asm.LoadMem(asm.R1, asm.R6, addr, asm.Word),
			asm.StoreMem(asm.R10, key, asm.R1, asm.Word),
			asm.LoadMem(asm.R1, asm.R6, port, asm.Half),
		}
		if local == 1 { // the kernel keeps the local port in host byte order
			out = append(out, asm.HostTo(asm.BE, asm.R1, asm.Half))
		}
		return append(
			out,
			asm.StoreMem(asm.R10, key+4, asm.R1, asm.Half),
			asm.StoreImm(asm.R10, key+6, int64(local), asm.Half),
			asm.LoadMapPtr(asm.R1, ends),
			asm.Mov.Reg(asm.R2, asm.R10), asm.Add.Imm(asm.R2, key),
			asm.FnMapLookupElem.Call(),
		)
	}
	of := func(r asm.Register, field int16, size asm.Size) asm.Instruction {
		return asm.LoadMem(r, asm.R7, field, size)
	}
	a := asm.Instructions{
		asm.LoadMem(asm.R6, asm.R1, context, asm.DWord),
		asm.JEq.Imm(asm.R6, 0, "end"),
	}
	a = append(a, named(p.remote, p.remotePort, 0)...)
	a = append(a, asm.JNE.Imm(asm.R0, 0, "named"))
	a = append(a, named(p.local, p.localPort, 1)...)
	return append(
		a,
		asm.JEq.Imm(asm.R0, 0, "end"),
		asm.Mov.Reg(asm.R1, asm.R6).WithSymbol("named"),
		asm.FnSkcToTcpSock.Call(),
		asm.JEq.Imm(asm.R0, 0, "end"), // a connection that is over, or not established yet
		asm.Mov.Reg(asm.R7, asm.R0),
		asm.LoadMapValue(asm.R8, outcome, 0),
		asm.LoadMem(asm.R1, asm.R6, p.state, asm.Byte),
		asm.JEq.Imm(asm.R1, tcpSynSent, "left"),
		asm.JNE.Imm(asm.R1, tcpEstablished, "end"),

		// All written data is acknowledged, and all received data is read.
		of(asm.R1, p.written, asm.Word), of(asm.R2, p.acked, asm.Word), asm.JNE.Reg(asm.R1, asm.R2, "left"),
		of(asm.R1, p.come, asm.Word), of(asm.R2, p.read, asm.Word), asm.JNE.Reg(asm.R1, asm.R2, "left"),

		// The other end sent last, which shows in one of two ways. Data has arrived since the segment that acknowledged
		// the last written data: snd_wl1 is the sequence number of that segment. Or data has arrived in a later tick
		// than data was sent: a segment without data, such as the answer to a keepalive, changes snd_wl1 too.
		of(asm.R2, p.window, asm.Word), asm.Sub.Reg32(asm.R1, asm.R2), asm.JEq.Imm32(asm.R1, 0, "tick"),
		asm.JLE.Imm(asm.R1, 1<<31-1, "spoke"),
		of(asm.R1, p.got, asm.Word).WithSymbol("tick"), of(asm.R2, p.sent, asm.Word), asm.Sub.Reg32(asm.R1, asm.R2),
		asm.JEq.Imm32(asm.R1, 0, "left"),
		asm.JGT.Imm(asm.R1, 1<<31-1, "left"),

		// It has been idle for the required time, or for longer if no data has arrived yet.
		asm.FnKtimeGetNs.Call().WithSymbol("spoke"),
		asm.Div.Imm(asm.R0, 1000),
		of(asm.R1, p.happened, asm.DWord), asm.Sub.Reg(asm.R0, asm.R1),
		asm.JSLT.Imm(asm.R0, 0, "left"),
		asm.LoadMem(asm.R1, asm.R8, 0, asm.DWord), asm.JLT.Reg(asm.R0, asm.R1, "left"),
		of(asm.R1, p.received, asm.DWord), asm.JNE.Imm(asm.R1, 0, "quiet"),
		asm.JLT.Imm(asm.R0, int32(freshIdle.Microseconds()), "left"),

		asm.Mov.Reg(asm.R1, asm.R6).WithSymbol("quiet"),
		asm.Instruction{
			OpCode: asm.OpCode(asm.JumpClass).SetJumpOp(asm.Call), Src: asm.PseudoKfuncCall, Constant: int64(p.destroy),
		},
		asm.JEq.Imm32(asm.R0, 0, "end"),

		asm.LoadMem(asm.R1, asm.R8, 8, asm.DWord).WithSymbol("left"),
		asm.Add.Imm(asm.R1, 1),
		asm.StoreMem(asm.R8, 8, asm.R1, asm.DWord),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("end"),
		asm.Return(),
	)
}
