//go:build linux

package drills

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// A pgConn speaks PostgreSQL's protocol 3.0 without authentication: simple queries, answers in text.
type pgConn struct {
	net.Conn
	r *bufio.Reader
}

func dialPG(ctx context.Context, addr string) (*pgConn, error) {
	return dialDatabase(ctx, addr, "postgres")
}

func dialDatabase(ctx context.Context, addr, database string) (*pgConn, error) {
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &pgConn{Conn: nc, r: bufio.NewReader(nc)}
	body := "user\x00postgres\x00database\x00" + database + "\x00\x00"
	hello := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	hello = binary.BigEndian.AppendUint32(hello, 3<<16)
	if _, err = c.exchange(ctx, append(hello, body...)); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// query returns the first column of each row.
func (c *pgConn) query(ctx context.Context, sql string) ([]string, error) {
	message := binary.BigEndian.AppendUint32([]byte{'Q'}, uint32(5+len(sql)))
	return c.exchange(ctx, append(append(message, sql...), 0))
}

// exchange sends a message and reads answers up to ReadyForQuery.
func (c *pgConn) exchange(ctx context.Context, message []byte) (rows []string, failed error) {
	if d, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(d); err != nil {
			return nil, err
		}
	}
	if _, err := c.Write(message); err != nil {
		return nil, err
	}
	for {
		var head [5]byte
		if _, err := io.ReadFull(c.r, head[:]); err != nil {
			return nil, err
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(c.r, body); err != nil {
			return nil, err
		}
		switch head[0] {
		case 'E':
			failed = fmt.Errorf("postgres: %q", body)
			if c.r.Buffered() == 0 && len(message) > 0 && message[0] != 'Q' {
				return nil, failed // the server closes after an error of the start
			}
		case 'D': // number of columns, then the length and text of each
			n := int32(binary.BigEndian.Uint32(body[2:]))
			rows = append(rows, string(body[6:6+max(n, 0)]))
		case 'Z':
			return rows, failed
		}
	}
}

// A pgStore writes to the server that is not in recovery.
type pgStore struct{ pool pool[*pgConn] }

func newPGStore(servers []string) *pgStore {
	s := &pgStore{}
	s.pool.dial = dialPG
	s.pool.find = func(ctx context.Context) (string, error) { return pgPrimary(ctx, servers) }
	return s
}

func pgPrimary(ctx context.Context, servers []string) (string, error) {
	for _, addr := range servers {
		if leads, _ := pgLeads(ctx, addr); leads {
			return addr, nil
		}
	}
	return "", errNoPrimary
}

func pgLeads(ctx context.Context, addr string) (bool, error) {
	c, err := dialPG(ctx, addr)
	if err != nil {
		return false, err
	}
	defer c.Close()
	rows, err := c.query(ctx, "SELECT pg_is_in_recovery()")
	return err == nil && len(rows) == 1 && rows[0] == "f", err
}

func (s *pgStore) put(ctx context.Context, id string) error {
	return s.pool.do(ctx, func(c *pgConn) error {
		_, err := c.query(ctx, "INSERT INTO posts VALUES ('"+id+"')")
		return err
	})
}

func (s *pgStore) count(ctx context.Context, id string) (n int, err error) {
	err = s.pool.do(ctx, func(c *pgConn) error {
		rows, err := c.query(ctx, "SELECT count(*) FROM posts WHERE id = '"+id+"'")
		if err == nil && len(rows) == 1 {
			n, err = strconv.Atoi(rows[0])
		}
		return err
	})
	return n, err
}

// pgIDs reads the ids of all writes from the primary.
func pgIDs(ctx context.Context, servers []string) (map[string]int, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	addr, err := pgPrimary(ctx, servers)
	if err != nil {
		return nil, err
	}
	c, err := dialPG(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	rows, err := c.query(ctx, "SELECT id FROM posts")
	ids := map[string]int{}
	for _, id := range rows {
		ids[id]++
	}
	return ids, err
}
