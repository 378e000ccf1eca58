//go:build linux

package drills

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A redisConn speaks Redis's protocol.
type redisConn struct {
	net.Conn
	r *bufio.Reader
}

func dialRedis(ctx context.Context, addr string) (*redisConn, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &redisConn{Conn: c, r: bufio.NewReader(c)}, nil
}

// call sends a command and returns its answer: a string, or a list of strings.
func (c *redisConn) call(ctx context.Context, args ...string) ([]string, error) {
	if d, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(d); err != nil {
			return nil, err
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := io.WriteString(c, b.String()); err != nil {
		return nil, err
	}
	return c.answer()
}

func (c *redisConn) answer() ([]string, error) {
	line, err := c.r.ReadString('\n')
	if err != nil {
		return nil, err
	}
	kind, rest := line[0], strings.TrimSpace(line[1:])
	switch kind {
	case '+', ':':
		return []string{rest}, nil
	case '-':
		return nil, fmt.Errorf("redis: %s", rest)
	}
	n, err := strconv.Atoi(rest)
	if err != nil || n < 0 {
		return nil, err
	}
	if kind == '$' {
		text := make([]byte, n+2)
		_, err := io.ReadFull(c.r, text)
		return []string{string(text[:n])}, err
	}
	var all []string
	for range n {
		one, err := c.answer()
		if err != nil {
			return nil, err
		}
		all = append(all, one...)
	}
	return all, nil
}

// A redisStore writes to the primary that the sentinels name. It reads from it too: a server that was primary answers
// reads for seconds after another one has been promoted, until the sentinels make it a replica of that one.
type redisStore struct {
	pool      pool[*redisConn]
	sentinels []string
	waits     bool // a write is acknowledged once a replica has it

	mu sync.Mutex
	at time.Time // when the sentinels named a primary last
}

// redisWaits is the kind of a front whose writes wait for a replica.
const redisWaits = "redis-waits"

// namedFor is how long an answer of the sentinels holds for reads.
const namedFor = 100 * time.Millisecond

func newRedisStore(sentinels []string) *redisStore {
	s := &redisStore{sentinels: sentinels}
	s.pool.dial = dialRedis
	s.pool.find = func(ctx context.Context) (string, error) { return redisPrimary(ctx, sentinels) }
	return s
}

// redisPrimary is the primary that most of the sentinels name, and that says it is one: for a while after a failover,
// and for seconds where there were two, sentinels and servers disagree.
func redisPrimary(ctx context.Context, sentinels []string) (string, error) {
	votes := map[string]int{}
	for _, addr := range sentinels {
		at, err := askRedis(ctx, addr, "SENTINEL", "get-master-addr-by-name", "m")
		if err != nil || len(at) != 2 {
			continue
		}
		primary := net.JoinHostPort(at[0], at[1])
		if votes[primary]++; votes[primary] <= len(sentinels)/2 {
			continue
		}
		if role, err := askRedis(ctx, primary, "ROLE"); err == nil && len(role) > 0 && role[0] == "master" {
			return primary, nil
		}
	}
	return "", errNoPrimary
}

// namedByAny is a server that one of the sentinels names and that says it is the primary, as Redis's guidelines for
// clients of Sentinel have it. It may be known some 60 ms before most sentinels name it.
func namedByAny(ctx context.Context, sentinels []string) (string, error) {
	for i := range sentinels {
		if addr, err := redisPrimary(ctx, sentinels[i:i+1]); err == nil {
			return addr, nil
		}
	}
	return "", errNoPrimary
}

// askRedis sends one command over a connection of its own.
func askRedis(ctx context.Context, addr string, args ...string) ([]string, error) {
	c, err := dialRedis(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.call(ctx, args...)
}

// primary drops connections to a server that the sentinels do not name any more.
func (s *redisStore) primary(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.at) < namedFor {
		return nil
	}
	named, err := redisPrimary(ctx, s.sentinels)
	if err != nil {
		return err
	}
	s.at = time.Now()
	s.pool.leave(named)
	return nil
}

func (s *redisStore) put(ctx context.Context, id string) error {
	return s.pool.do(ctx, func(c *redisConn) error {
		_, err := c.call(ctx, "INCR", id)
		if err != nil || !s.waits {
			return err
		}
		have, err := c.call(ctx, "WAIT", "1", "200") // ms
		if err == nil && (len(have) != 1 || have[0] == "0") {
			err = errors.New("no replica has it")
		}
		return err
	})
}

func (s *redisStore) count(ctx context.Context, id string) (n int, err error) {
	if err := s.primary(ctx); err != nil {
		return 0, err
	}
	err = s.pool.do(ctx, func(c *redisConn) error {
		v, err := c.call(ctx, "GET", id)
		if err == nil && len(v) > 0 {
			n, err = strconv.Atoi(v[0])
		}
		return err
	})
	return n, err
}

// redisReplicas waits until a primary has n replicas.
func redisReplicas(primary string, n int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for {
		if c, err := dialRedis(ctx, primary); err == nil {
			info, err := c.call(ctx, "INFO", "replication")
			_ = c.Close()
			if err == nil && len(info) == 1 && strings.Count(info[0], "state=online") == n {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the primary has not %d replicas: %w", n, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// redisIDs reads the ids of all writes from the primary.
func redisIDs(ctx context.Context, sentinels []string) (map[string]int, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	addr, err := redisPrimary(ctx, sentinels)
	if err != nil {
		return nil, err
	}
	keys, err := askRedis(ctx, addr, "KEYS", "*")
	ids := map[string]int{}
	for _, k := range keys {
		ids[k]++
	}
	return ids, err
}

// redisRoles are what the servers and the sentinels say of themselves and of the primary.
var redisRoles = map[string]asker{"primary": redisRole, "replica": redisRole, "sentinel": sentinelSays}

// redisHoldings are the servers' roles and how many keys they have.
var redisHoldings = map[string]asker{"primary": redisHolds, "replica": redisHolds, "sentinel": sentinelSays}

// redisAsks is brunt's question to the servers, and redisLeading what the primary says to the test's own.
const (
	redisAsks    = `{command: [BIN, unit, redis-leads], within: 5s}`
	redisLeading = "master"
)

// redisMembers are what the servers of one service say of themselves.
var redisMembers = map[string]asker{"node": redisKind}

// redisKind is what a server says that it is: master or slave.
func redisKind(ctx context.Context, addr string) (string, error) {
	says, err := askRedis(ctx, addr, "ROLE")
	if err == nil && len(says) == 0 {
		err = errors.New("redis: a role without words")
	}
	if err != nil {
		return "", err
	}
	return says[0], nil
}

// redisRole is a server's role, the primary that it follows and the history that its data belongs to.
func redisRole(ctx context.Context, addr string) (string, error) {
	info, err := askRedis(ctx, addr, "INFO", "replication")
	if err != nil || len(info) != 1 {
		return "", err
	}
	of := map[string]string{}
	for line := range strings.Lines(info[0]) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			of[key] = value
		}
	}
	says := fmt.Sprintf("%s, history %.8s before %.8s", of["role"], of["master_replid"], of["master_replid2"])
	if of["role"] == "slave" {
		says += fmt.Sprintf(", of port %s, link %s, sync %s", of["master_port"], of["master_link_status"],
			of["master_sync_in_progress"])
	}
	return says, nil
}

func redisHolds(ctx context.Context, addr string) (string, error) {
	says, err := redisRole(ctx, addr)
	if err != nil {
		return "", err
	}
	size, err := askRedis(ctx, addr, "DBSIZE")
	return fmt.Sprintf("%s, %s keys", says, strings.Join(size, "")), err
}

// sentinelSays is the primary that a sentinel names, in which epoch, and what it thinks of it.
func sentinelSays(ctx context.Context, addr string) (string, error) {
	all, err := askRedis(ctx, addr, "SENTINEL", "master", "m")
	of := map[string]string{}
	for i := 0; i+1 < len(all); i += 2 {
		of[all[i]] = all[i+1]
	}
	return fmt.Sprintf("names port %s in epoch %s, %s", of["port"], of["config-epoch"], of["flags"]), err
}
