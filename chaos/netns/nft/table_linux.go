package nft

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"brunt/chaos/netns/kernel"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	mnl "github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Mark is the prefix of the names of all tables that brunt makes.
const Mark = "brunt-"

// A Table is an nftables table that its socket owns: the kernel removes it with the socket, and no
// other process can change it, not even by flushing all rules.
//
// The methods collect rules. Commit brings them into force all at once.
type Table struct {
	conn *nftables.Conn
	raw  *mnl.Conn // the connection below conn
	tab  *nftables.Table
	sets uint32

	mu     sync.Mutex // guards conn after Commit: a socket answers one request at a time
	closed bool
	left   error // of closing: the table may be left
}

// NewTable makes an empty table with a unique name in the thread's namespace. The methods may be
// called from any thread.
func NewTable() (*Table, error) {
	var raw *mnl.Conn
	c, err := nftables.New(nftables.AsLasting(), nftables.WithSockOptions(func(c *mnl.Conn) error {
		raw = c
		// A batch is sent as one message, however many connections it names.
		c.SetWriteBuffer(batchBuffer)
		c.SetReadBuffer(batchBuffer)
		return nil
	}))
	if err != nil {
		return nil, fmt.Errorf("opening nftables: %w", err)
	}
	var id [6]byte
	rand.Read(id[:]) // never fails
	t := &Table{
		conn: c, raw: raw, tab: &nftables.Table{Name: Mark + hex.EncodeToString(id[:]), Family: nftables.TableFamilyINet},
	}
	if err := own(raw, t.tab); err != nil {
		c.CloseLasting()
		return nil, kernel.Hint(fmt.Errorf("making an nftables table that goes with its maker: %w", err))
	}
	return t, nil
}

const batchBuffer = 8 << 20 // bytes; the kernel grants as much as it allows

// ownerFlag is NFT_TABLE_F_OWNER, since Linux 5.12.
const ownerFlag = 0x2

// own makes the table with the owner flag. The library sends no table flags, so this message is
// written here.
func own(c *mnl.Conn, t *nftables.Table) error {
	attrs, err := mnl.MarshalAttributes([]mnl.Attribute{
		{Type: unix.NFTA_TABLE_NAME, Data: append([]byte(t.Name), 0)},
		{Type: unix.NFTA_TABLE_FLAGS, Data: binary.BigEndian.AppendUint32(nil, ownerFlag)},
	})
	if err != nil {
		return err
	}
	// struct nfgenmsg: family, version, resource id; in a batch the resource id is the subsystem.
	header := func(family byte, id uint16) []byte { return []byte{family, 0, byte(id >> 8), byte(id)} }
	edge := func(kind mnl.HeaderType) mnl.Message {
		return mnl.Message{Header: mnl.Header{Type: kind, Flags: mnl.Request}, Data: header(0, unix.NFNL_SUBSYS_NFTABLES)}
	}
	_, err = c.SendMessages([]mnl.Message{
		edge(unix.NFNL_MSG_BATCH_BEGIN),
		{
			Header: mnl.Header{
				Type:  unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_NEWTABLE,
				Flags: mnl.Request | mnl.Acknowledge | mnl.Create | mnl.Excl,
			},
			Data: append(header(byte(t.Family), 0), attrs...),
		},
		edge(unix.NFNL_MSG_BATCH_END),
	})
	if err != nil {
		return err
	}
	_, err = c.Receive()
	return err
}

// BaseChain adds a chain that the kernel sends packets through.
func (t *Table) BaseChain(
	name string, kind nftables.ChainType, hook *nftables.ChainHook, priority int,
) *nftables.Chain {
	return t.conn.AddChain(&nftables.Chain{
		Name: name, Table: t.tab, Type: kind, Hooknum: hook,
		Priority: new(nftables.ChainPriority(priority)),
	})
}

// Chain adds a chain that other chains jump to.
func (t *Table) Chain(name string) *nftables.Chain {
	return t.conn.AddChain(&nftables.Chain{Name: name, Table: t.tab})
}

// Rule appends a rule to a chain: first its matches, then its action.
func (t *Table) Rule(c *nftables.Chain, parts ...[]expr.Any) {
	var all []expr.Any
	for _, p := range parts {
		all = append(all, p...)
	}
	t.conn.AddRule(&nftables.Rule{Table: t.tab, Chain: c, Exprs: all})
}

// Empty removes the rules of a chain, with the next Commit.
func (t *Table) Empty(c *nftables.Chain) { t.conn.FlushChain(c) }

// Set adds a set of keys.
func (t *Table) Set(name string, kind nftables.SetDatatype, keys [][]byte) (*nftables.Set, error) {
	t.sets++ // the library would count them for the whole process, without a lock
	s := &nftables.Set{Table: t.tab, ID: t.sets, Name: name, KeyType: kind, Concatenation: true}
	if err := t.conn.AddSet(s, nil); err != nil {
		return nil, fmt.Errorf("making the set %s: %w", name, err)
	}
	// The elements of a message are one attribute of at most 64 KiB.
	for len(keys) > 0 {
		n := min(len(keys), 500)
		elements := make([]nftables.SetElement, n)
		for i, k := range keys[:n] {
			elements[i].Key = k
		}
		if err := t.conn.SetAddElements(s, elements); err != nil {
			return nil, fmt.Errorf("filling the set %s: %w", name, err)
		}
		keys = keys[n:]
	}
	return s, nil
}

// Commit brings the added rules into force: all of them or nothing.
func (t *Table) Commit() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.bounded()()
	if err := t.conn.Flush(); err != nil {
		return kernel.Hint(fmt.Errorf("setting the rules of %s: %w", t.tab.Name, err))
	}
	return nil
}

// bounded limits the wait for the kernel's answers to 30 s until done is called. The library
// expects an answer to each message, but some refusals answer all messages at once.
func (t *Table) bounded() (done func()) {
	t.raw.SetReadDeadline(time.Now().Add(30 * time.Second))
	return func() { t.raw.SetReadDeadline(time.Time{}) }
}

// Counters returns the counters of a chain's rules, in order.
func (t *Table) Counters(c *nftables.Chain) ([]expr.Counter, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, fmt.Errorf("the table %s: %w", t.tab.Name, os.ErrClosed)
	}
	defer t.bounded()()
	rules, err := t.conn.GetRules(t.tab, c)
	if err != nil {
		return nil, fmt.Errorf("reading the counters of %s: %w", t.tab.Name, err)
	}
	var all []expr.Counter
	for _, r := range rules {
		for _, e := range r.Exprs {
			if k, ok := e.(*expr.Counter); ok {
				all = append(all, *k)
			}
		}
	}
	return all, nil
}

// Close removes the table. Closing the socket is not enough: a child process that has not called
// execve(2) yet holds a copy of it, and the kernel keeps the table until the last copy is closed.
func (t *Table) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return t.left
	}
	t.closed = true
	done := t.bounded()
	t.conn.DelTable(t.tab)
	deleting := t.conn.Flush()
	done()
	closing := t.conn.CloseLasting()
	if closing == nil && deleting == nil {
		return nil
	}
	t.left = fmt.Errorf("taking the table %s away: %w", t.tab.Name, errors.Join(deleting, closing))
	return t.left
}

// Parts of rules.

// Meta compares a property of a packet that is not in its bytes, such as its mark, with a value.
func Meta(key expr.MetaKey, op expr.CmpOp, value ...byte) []expr.Any {
	return []expr.Any{&expr.Meta{Key: key, Register: 1}, &expr.Cmp{Op: op, Register: 1, Data: value}}
}

// Proto matches the protocol above IP: unix.IPPROTO_TCP or another.
func Proto(p byte) []expr.Any { return Meta(expr.MetaKeyL4PROTO, expr.CmpOpEq, p) }

// Family matches IPv4 or IPv6: unix.NFPROTO_IPV4 or unix.NFPROTO_IPV6.
func Family(f byte) []expr.Any { return Meta(expr.MetaKeyNFPROTO, expr.CmpOpEq, f) }

// Loopback matches packets that enter or leave by the loopback.
func Loopback(key expr.MetaKey) []expr.Any {
	return Meta(key, expr.CmpOpEq, binary.NativeEndian.AppendUint16(nil, unix.ARPHRD_LOOPBACK)...)
}

// Field matches bytes of a header.
func Field(base expr.PayloadBase, offset uint32, value []byte) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: base, Offset: offset, Len: uint32(len(value))},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: value},
	}
}

// Bits matches bytes of a header under a mask.
func Bits(base expr.PayloadBase, offset uint32, mask, value []byte) []expr.Any {
	n := uint32(len(value))
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: base, Offset: offset, Len: n},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: n, Mask: mask, Xor: make([]byte, n)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: value},
	}
}

// Address matches packets with an address of p at an offset in the header of IPv4, or in that of IPv6.
func Address(offset4, offset6 uint32, p netip.Prefix) []expr.Any {
	p = p.Masked()
	a := p.Addr()
	family, at := byte(unix.NFPROTO_IPV4), offset4
	if a.Is6() {
		family, at = unix.NFPROTO_IPV6, offset6
	}
	mask := make([]byte, a.BitLen()/8)
	for i := range p.Bits() {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	return append(Family(family), Bits(expr.PayloadBaseNetworkHeader, at, mask, a.AsSlice())...)
}

// Offsets of the ports in a TCP or UDP header.
const (
	SourcePort uint32 = 0
	DestPort   uint32 = 2
)

// Port matches a port of TCP or UDP; offset is SourcePort or DestPort.
func Port(offset uint32, p uint16) []expr.Any {
	return Field(expr.PayloadBaseTransportHeader, offset, binary.BigEndian.AppendUint16(nil, p))
}

// Opened matches packets in the direction in which the connection was opened, or in the opposite
// direction if back is set.
func Opened(back bool) []expr.Any {
	dir := byte(0)
	if back {
		dir = 1
	}
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeyDIRECTION, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{dir}},
	}
}

// Count counts the packets and bytes that come to it.
func Count() []expr.Any { return []expr.Any{&expr.Counter{}} }

// Verdict decides on the packets that come to it.
func Verdict(k expr.VerdictKind) []expr.Any { return []expr.Any{&expr.Verdict{Kind: k}} }

// Chance matches a share of the packets with the kernel's random numbers.
func Chance(share float64) []expr.Any {
	const of = 1 << 24 // resolution of 0.00001 %, far from the limit of the type
	return []expr.Any{
		&expr.Numgen{Register: 1, Type: unix.NFT_NG_RANDOM, Modulus: of},
		&expr.Byteorder{SourceRegister: 1, DestRegister: 1, Op: expr.ByteorderHton, Len: 4, Size: 4},
		&expr.Cmp{Op: expr.CmpOpLt, Register: 1, Data: binary.BigEndian.AppendUint32(nil, uint32(share*of))},
	}
}

// Methods of sending packets to a queue of nfnetlink_queue.
const (
	queueNative = iota // nftables' own statement, CONFIG_NFT_QUEUE
	queueXt            // the target of iptables, CONFIG_NETFILTER_XT_TARGET_NFQUEUE and CONFIG_NFT_COMPAT
	QueueNone
)

// Queue sends packets to a queue. If the queue has no listener, packets pass with bypass and are
// dropped without.
func Queue(queueing int, number uint16, bypass bool) []expr.Any {
	if queueing == queueNative {
		q := &expr.Queue{Num: number, Total: 1}
		if bypass {
			q.Flag = expr.QueueFlagBypass
		}
		return []expr.Any{q}
	}
	// struct xt_NFQ_info_v3: number, number of queues, flags; padded to eight bytes.
	b := binary.NativeEndian.AppendUint16(nil, number)
	b = binary.NativeEndian.AppendUint16(b, 1)
	flags := uint16(0)
	if bypass {
		flags = 1
	}
	b = binary.NativeEndian.AppendUint16(b, flags)
	info := xt.Unknown(append(b, 0, 0))
	return []expr.Any{&expr.Target{Name: "NFQUEUE", Rev: 3, Info: &info}}
}

// WithQueue builds a table in the thread's namespace and brings it into force, with the first queue
// method that the kernel supports. If the kernel supports none, build gets QueueNone.
func WithQueue(build func(t *Table, queueing int) error) (*Table, error) {
	t, err := NewTable()
	if err != nil {
		return nil, err
	}
	var not error
	for _, queueing := range []int{queueNative, queueXt, QueueNone} {
		if err = build(t, queueing); err == nil {
			err = t.Commit()
		}
		if err == nil {
			return t, nil
		}
		// A refused commit leaves nothing behind, so the next method can use the table.
		not = errors.Join(not, err)
		// Errors for an expression that the kernel lacks.
		if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.EINVAL) {
			break
		}
	}
	t.Close()
	return nil, not
}

// Clear removes all rules from chains that are in force, and keeps the chains. A table that is closed has none.
func (t *Table) Clear(chains []*nftables.Chain) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	defer t.bounded()()
	for _, c := range chains {
		t.conn.FlushChain(c)
	}
	if err := t.conn.Flush(); err != nil {
		return fmt.Errorf("clearing the rules of %s: %w", t.tab.Name, err)
	}
	return nil
}

// Tables lists brunt's tables in the thread's namespace, by their names.
func Tables() ([]string, error) {
	c, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("opening nftables: %w", err)
	}
	all, err := c.ListTablesOfFamily(nftables.TableFamilyINet)
	if err != nil {
		return nil, fmt.Errorf("listing nftables tables: %w", err)
	}
	var out []string
	for _, t := range all {
		if strings.HasPrefix(t.Name, Mark) {
			out = append(out, t.Name)
		}
	}
	return out, nil
}
