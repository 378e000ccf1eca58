//go:build linux

package drills

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
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

// A redisStore writes to the primary that the sentinels name.
type redisStore struct{ pool pool[*redisConn] }

func newRedisStore(sentinels []string) *redisStore {
	s := &redisStore{}
	s.pool.dial = dialRedis
	s.pool.find = func(ctx context.Context) (string, error) { return redisPrimary(ctx, sentinels) }
	return s
}

// redisPrimary is the primary that the first sentinel that answers names.
func redisPrimary(ctx context.Context, sentinels []string) (string, error) {
	for _, addr := range sentinels {
		c, err := dialRedis(ctx, addr)
		if err != nil {
			continue
		}
		at, err := c.call(ctx, "SENTINEL", "get-master-addr-by-name", "m")
		_ = c.Close()
		if err == nil && len(at) == 2 {
			return net.JoinHostPort(at[0], at[1]), nil
		}
	}
	return "", errNoPrimary
}

func (s *redisStore) put(ctx context.Context, id string) error {
	return s.pool.do(ctx, func(c *redisConn) error {
		_, err := c.call(ctx, "INCR", id)
		return err
	})
}

func (s *redisStore) count(ctx context.Context, id string) (n int, err error) {
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
	c, err := dialRedis(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	keys, err := c.call(ctx, "KEYS", "*")
	ids := map[string]int{}
	for _, k := range keys {
		ids[k]++
	}
	return ids, err
}
