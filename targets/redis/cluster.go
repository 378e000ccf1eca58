package redis

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"brunt/targets"
	"brunt/targets/crc16"
)

// slotCount is the number of slots of a cluster.
const slotCount = 1 << 14

// slotOf returns the slot of a key. It depends on the text in the first braces of the key, or else on the whole key.
func slotOf(key []byte) uint16 {
	if from := bytes.IndexByte(key, '{'); from >= 0 {
		if n := bytes.IndexByte(key[from+1:], '}'); n > 0 {
			key = key[from+1 : from+1+n]
		}
	}
	return crc16.Of(key) % slotCount // Redis cluster specification
}

// slotTable maps slots to primaries. It never changes.
type slotTable struct {
	addresses []string // host:port of the primaries
	slots     [slotCount]uint16
}

// unassigned is the number of a slot that no primary has.
const unassigned = 1<<16 - 1

// cluster is the knowledge of a client about its cluster.
type cluster struct {
	client *client
	table  atomic.Pointer[slotTable] // nil: not known yet
	turn   atomic.Uint64             // for commands without a key
	first  atomic.Int64              // number of the node to ask first

	loading chan struct{} // has an element while the cluster is asked
	began   atomic.Int64  // when the last request in the background began
	looked  atomic.Int64  // when the nodes other than one that does not serve were last asked
	others  atomic.Int64  // calls that went to another node because theirs does not serve
}

// askedAgain is the minimum time between two requests for the slots.
const askedAgain = 100 * time.Millisecond

// node returns the host:port of the node for a command.
func (k *cluster) node(keyed bool, slot uint16, deadline time.Duration) (string, error) {
	t := k.table.Load()
	if t == nil {
		ctx, cancel := context.WithDeadline(k.client.Over(), k.client.o.T0.Add(deadline))
		defer cancel()
		if err := k.load(ctx, ""); err != nil {
			return "", err
		}
		t = k.table.Load()
	}
	i := t.slots[slot]
	if !keyed {
		i = uint16(k.turn.Add(1) % uint64(len(t.addresses)))
	}
	if int(i) >= len(t.addresses) {
		k.renew()
		return "", clusterDown("no node of the cluster has slot %d", slot)
	}
	return t.addresses[i], nil
}

// load asks the nodes for the slots, unless another call has done so in the meantime. It does not ask avoid. A node
// that the others have lost answers with the slots as they were, so once some are known, only a node counts that says
// that the cluster is up.
func (k *cluster) load(ctx context.Context, avoid string) error {
	before := k.table.Load()
	select {
	case k.loading <- struct{}{}:
		defer func() { <-k.loading }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if k.table.Load() != before {
		return nil
	}
	nodes := slices.Clone(k.client.at.addresses)
	if before != nil {
		nodes = append(nodes, before.addresses...)
		slices.Sort(nodes)
		nodes = slices.DeleteFunc(slices.Compact(nodes), func(one string) bool { return one == avoid })
	}
	t, err := targets.TryEach(ctx, nodes, &k.first, func(ctx context.Context, address string) (*slotTable, error) {
		if before != nil {
			state, err := k.client.ask(ctx, address, k.client.ready, "CLUSTER", "INFO")
			if text, _ := state.(string); err == nil && strings.Contains(text, "cluster_state:fail") {
				return nil, clusterDown("the node %s says that the cluster is down", address)
			}
		}
		v, err := k.client.ask(ctx, address, k.client.ready, "CLUSTER", "SLOTS")
		if err != nil {
			return nil, fmt.Errorf("the node %s: %w", address, err)
		}
		return readSlots(v, address)
	})
	if err == nil {
		k.table.Store(t)
	}
	return err
}

// other returns the node that has a slot according to nodes other than from, which says that the cluster is down, or
// accepts no connection. They are asked at most every askedAgain.
func (k *cluster) other(from string, keyed bool, slot uint16, deadline time.Duration) (address string, yes bool) {
	now, last := k.client.o.Now(), k.looked.Load()
	if (now-time.Duration(last) >= askedAgain || last == 0) && k.looked.CompareAndSwap(last, int64(now)) {
		ctx, cancel := context.WithDeadline(k.client.Over(), k.client.o.T0.Add(deadline))
		defer cancel()
		_ = k.load(ctx, from) // otherwise the error of from stands
	}
	if address, err := k.node(keyed, slot, deadline); err == nil && address != from {
		k.others.Add(1)
		return address, true
	}
	return "", false
}

// renew asks the nodes for the slots in the background, unless they were asked lately.
func (k *cluster) renew() {
	now := k.client.o.Now()
	last := k.began.Load()
	if now-time.Duration(last) < askedAgain && last != 0 || !k.began.CompareAndSwap(last, int64(now)) {
		return
	}
	k.client.Go(func() {
		ctx, cancel := context.WithTimeout(k.client.Over(), max(time.Second, k.client.o.Timeout))
		defer cancel()
		_ = k.load(ctx, "") // calls that need the slots report an error
	})
}

// move records that a slot moved to another node.
func (k *cluster) move(slot uint16, address string) {
	old := k.table.Load()
	if old == nil {
		return
	}
	i := slices.Index(old.addresses, address)
	if i < 0 || old.slots[slot] != uint16(i) { // otherwise another call has recorded it
		t := &slotTable{addresses: slices.Clone(old.addresses), slots: old.slots}
		if i < 0 {
			i, t.addresses = len(t.addresses), append(t.addresses, address)
		}
		t.slots[slot] = uint16(i)
		k.table.CompareAndSwap(old, t)
	}
	k.renew()
}

// readSlots reads the answer to CLUSTER SLOTS: ranges of slots, each with its primary and its replicas. From is the
// node that sent it.
func readSlots(v any, from string) (*slotTable, error) {
	ranges, _ := v.([]any)
	if len(ranges) == 0 {
		return nil, clusterDown("the node %s is in no cluster that has slots", from)
	}
	t := &slotTable{}
	for i := range t.slots {
		t.slots[i] = unassigned
	}
	for _, one := range ranges {
		fields, _ := one.([]any)
		if len(fields) < 3 {
			return nil, bad("CLUSTER SLOTS has a range of %d fields", len(fields))
		}
		low, isLow := fields[0].(int64)
		high, isHigh := fields[1].(int64)
		node, _ := fields[2].([]any)
		if !isLow || !isHigh || low < 0 || high >= slotCount || low > high || len(node) < 2 {
			return nil, bad("CLUSTER SLOTS has an invalid range")
		}
		host, _ := node[0].(string)
		port, isPort := node[1].(int64)
		if !isPort || port < 1 || port > 65535 {
			return nil, bad("CLUSTER SLOTS has a node without a port")
		}
		address := besides(net.JoinHostPort(host, strconv.FormatInt(port, 10)), from)
		at := slices.Index(t.addresses, address)
		if at < 0 {
			at, t.addresses = len(t.addresses), append(t.addresses, address)
		}
		for slot := low; slot <= high; slot++ {
			t.slots[slot] = uint16(at)
		}
	}
	return t, nil
}

// clusterDown is the error for a cluster that has not assigned its slots.
func clusterDown(format string, args ...any) error {
	return &targets.Error{
		Cause: causes.Cause(numbers["CLUSTERDOWN"]), Text: fmt.Sprintf(format, args...),
	}
}

// besides returns an address that a node announces. If it lacks a host, it is on the host of the node from.
func besides(address, from string) string {
	host, port, err := net.SplitHostPort(address)
	if i := strings.LastIndexByte(address, ':'); err != nil && i >= 0 { // IPv6 without brackets
		host, port = address[:i], address[i+1:]
	}
	if host == "" || host == "?" {
		host, _, _ = net.SplitHostPort(from)
	}
	return net.JoinHostPort(host, port)
}

// down reports whether a node refuses a command because its cluster is down, so that it has not executed it.
func (p *reply) down() bool { return p.failed && p.number == clusterIsDown }

var clusterIsDown = numbers["CLUSTERDOWN"]

// redirect says to which node a command must be sent instead.
type redirect struct {
	slot    uint16
	address string
	ask     bool // only for this command
}

// redirect parses an error MOVED or ASK of a node.
func (p *reply) redirect(from string) (r redirect, yes bool) {
	if !p.failed || !bytes.HasPrefix(p.text, []byte("MOVED ")) && !bytes.HasPrefix(p.text, []byte("ASK ")) {
		return r, false
	}
	f := strings.Fields(string(p.text))
	if len(f) < 3 {
		return r, false
	}
	slot, err := strconv.ParseUint(f[1], 10, 16)
	if err != nil || slot >= slotCount {
		return r, false
	}
	return redirect{slot: uint16(slot), address: besides(f[2], from), ask: f[0] == "ASK"}, true
}
