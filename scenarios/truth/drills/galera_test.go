//go:build linux

package drills

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/suite"
)

// A mysqlConn speaks the protocol of MariaDB as root without a password: queries, with answers in text.
type mysqlConn struct {
	net.Conn
	r *bufio.Reader
}

func dialMySQL(ctx context.Context, addr string) (*mysqlConn, error) {
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &mysqlConn{Conn: nc, r: bufio.NewReader(nc)}
	if err := c.login(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

func (c *mysqlConn) login(ctx context.Context) error {
	if d, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(d); err != nil {
			return err
		}
	}
	if _, err := c.read(); err != nil { // the greeting
		return err
	}
	const protocol41, secure, plugin = 1 << 9, 1 << 15, 1 << 19
	hello := binary.LittleEndian.AppendUint32(nil, protocol41|secure|plugin)
	hello = binary.LittleEndian.AppendUint32(hello, 1<<24-1)
	hello = append(append(hello, 45), make([]byte, 23)...) // utf8mb4
	hello = append(hello, "root\x00\x00mysql_native_password\x00"...)
	if err := c.write(1, hello); err != nil {
		return err
	}
	answer, err := c.read()
	if err == nil && answer[0] == 0xfe { // it asks again, by another method
		if err = c.write(3, nil); err == nil {
			_, err = c.read()
		}
	}
	return err
}

func (c *mysqlConn) write(n byte, body []byte) error {
	_, err := c.Write(append([]byte{byte(len(body)), byte(len(body) >> 8), byte(len(body) >> 16), n}, body...))
	return err
}

// read reads one packet, which is not empty. An error of the server is an error.
func (c *mysqlConn) read() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return nil, err
	}
	body := make([]byte, int(head[0])|int(head[1])<<8|int(head[2])<<16)
	if _, err := io.ReadFull(c.r, body); err != nil {
		return nil, err
	}
	switch {
	case len(body) == 0:
		return nil, errors.New("MariaDB: an empty packet")
	case body[0] == 0xff:
		return nil, fmt.Errorf("MariaDB: %q", body[min(3, len(body)):])
	}
	return body, nil
}

// query returns the last column of each row, which is shorter than 250 bytes.
func (c *mysqlConn) query(ctx context.Context, sql string) (rows []string, err error) {
	if d, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(d); err != nil {
			return nil, err
		}
	}
	if err := c.write(0, append([]byte{3}, sql...)); err != nil {
		return nil, err
	}
	first, err := c.read()
	if err != nil || first[0] == 0 {
		return nil, err
	}
	for ends := 0; ends < 2; { // the columns end, and then the rows
		p, err := c.read()
		switch {
		case err != nil:
			return nil, err
		case p[0] == 0xfe && len(p) < 9:
			ends++
		case ends == 1:
			last := ""
			for len(p) > 0 {
				n := int(p[0])
				if n >= 250 || n >= len(p) {
					return nil, fmt.Errorf("MariaDB: a column of %d bytes", n)
				}
				last, p = string(p[1:n+1]), p[n+1:]
			}
			rows = append(rows, last)
		}
	}
	return rows, nil
}

// newGaleraStore writes to one node, and to the next one after an error.
func newGaleraStore(nodes []string) *galeraStore {
	s := &galeraStore{nodes: nodes}
	s.pool.dial = dialMySQL
	s.pool.find = func(ctx context.Context) (string, error) {
		for i := range nodes {
			n := (s.last + i) % len(nodes)
			one, cancel := context.WithTimeout(ctx, 150*time.Millisecond)
			state, err := galeraState(one, nodes[n])
			cancel()
			if err == nil && state == galeraSynced {
				s.last = n
				return nodes[n], nil
			}
		}
		s.last = (s.last + 1) % len(nodes)
		return "", errNoPrimary
	}
	return s
}

type galeraStore struct {
	pool  pool[*mysqlConn]
	nodes []string
	last  int // the node that is asked first; the pool guards it
}

func (s *galeraStore) put(ctx context.Context, id string) error {
	return s.pool.do(ctx, func(c *mysqlConn) error {
		_, err := c.query(ctx, "INSERT INTO drill.posts VALUES ('"+id+"')")
		return err
	})
}

func (s *galeraStore) count(ctx context.Context, id string) (n int, err error) {
	err = s.pool.do(ctx, func(c *mysqlConn) error {
		rows, err := c.query(ctx, "SELECT count(*) FROM drill.posts WHERE id = '"+id+"'")
		if err == nil && len(rows) == 1 {
			n, err = strconv.Atoi(rows[0])
		}
		return err
	})
	return n, err
}

// writesTo is the index of the node that takes the writes.
func (s *galeraStore) writesTo() int {
	s.pool.mu.Lock()
	defer s.pool.mu.Unlock()
	return s.last
}

// galeraSynced is what a node says that takes writes.
const galeraSynced = "Synced"

// galeraState is the state of a node in its cluster.
func galeraState(ctx context.Context, addr string) (string, error) {
	c, err := dialMySQL(ctx, addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	rows, err := c.query(ctx, "SHOW STATUS LIKE 'wsrep_local_state_comment'")
	if err == nil && len(rows) != 1 {
		err = fmt.Errorf("%d states", len(rows))
	}
	if err != nil {
		return "", err
	}
	return rows[0], nil
}

// isSynced reports whether a node is in the cluster and takes writes.
func isSynced(ctx context.Context, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	state, err := galeraState(ctx, addr)
	return err == nil && state == galeraSynced
}

var galeraRoles = map[string]asker{"node": galeraState}

// galeraData reads the ids of all writes from the first node that is in the cluster.
func galeraData(ctx context.Context, run string) (map[string]int, error) {
	err := errors.New("no node is synced")
	for i := range 3 {
		addr := unitAddr(run, fmt.Sprintf("node[%d]", i))
		one, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		if state, failed := galeraState(one, addr); failed != nil || state != galeraSynced {
			continue
		}
		var c *mysqlConn
		if c, err = dialMySQL(one, addr); err != nil {
			continue
		}
		defer c.Close()
		var rows []string
		if rows, err = c.query(one, "SELECT id FROM drill.posts"); err != nil {
			continue
		}
		ids := map[string]int{}
		for _, id := range rows {
			ids[id]++
		}
		return ids, nil
	}
	return nil, err
}

// installMariaDB makes the data of a server that runs as a user, whose root has no password.
func installMariaDB(db, tmp, as string) error {
	out, err := exec.Command("mariadb-install-db", "--no-defaults", "--user="+as, "--datadir="+db,
		"--tmpdir="+tmp, "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
		"--innodb-log-file-size=8M").CombinedOutput()
	if err != nil {
		return fmt.Errorf("mariadb-install-db: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// galera INDEX PORT: a node of three, whose own address is the one for clients. The nodes talk to each other on PORT
// and the eight ports after it. The first one makes the cluster, and each of the others joins after the one before.
func galera(u unitDir, args []string) error {
	index, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	first, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	at := func(n int) string { return fmt.Sprintf("127.0.0.1:%d", first+n) }
	disk := filepath.Join(u.run, "disk-"+args[0])
	for _, dir := range []string{u.data, disk} {
		if err := give(dir, "mysql"); err != nil {
			return err
		}
	}
	db := filepath.Join(disk, "db")
	_, err = os.Stat(db)
	isNew := err != nil
	if isNew {
		if err := installMariaDB(db, u.data, "mysql"); err != nil {
			return err
		}
	}
	argv := []string{
		"--no-defaults", "--datadir=" + db, "--tmpdir=" + u.data, "--bind-address=127.0.0.1", "--port=" + u.port,
		"--socket=" + filepath.Join(u.data, "s"), "--pid-file=" + filepath.Join(u.data, "pid"), "--skip-name-resolve",
		"--log-error=" + filepath.Join(u.data, "log.err"), "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2",
		"--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M",
		"--max-connections=500", "--wsrep-on=ON", "--wsrep-provider=/usr/lib/galera/libgalera_smm.so",
		"--wsrep-cluster-name=drill", "--wsrep-cluster-address=gcomm://" + at(0) + "," + at(1) + "," + at(2),
		"--wsrep-node-name=n" + args[0], "--wsrep-node-address=" + at(index), "--wsrep-sst-method=rsync",
		"--wsrep-sst-receive-address=" + at(6+index),
		"--wsrep-provider-options=gmcast.listen_addr=tcp://" + at(index) + ";ist.recv_addr=" + at(3+index) +
			";gcache.size=8M;gcache.page_size=8M",
	}
	switch {
	case isNew && index == 0:
		argv = append(argv, "--wsrep-new-cluster")
	case isNew:
		before := fmt.Sprintf("node[%d]", index-1)
		joined := func() bool { return isSynced(context.Background(), unitAddr(u.run, before)) }
		if !suite.Within(90*time.Second, joined) {
			return fmt.Errorf("%s is not in the cluster", before)
		}
	}
	return become("mysql", nil, "mariadbd", argv...)
}

// openGalera waits until all nodes are in the cluster, and makes the table.
func openGalera(nodes []string) (store, error) {
	joined := func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		for _, addr := range nodes {
			if state, err := galeraState(ctx, addr); err != nil || state != galeraSynced {
				return false
			}
		}
		c, err := dialMySQL(ctx, nodes[0])
		if err != nil {
			return false
		}
		defer c.Close()
		for _, sql := range []string{
			"CREATE DATABASE IF NOT EXISTS drill", "CREATE TABLE IF NOT EXISTS drill.posts (id varchar(60), KEY (id)) ENGINE=InnoDB",
		} {
			if _, err := c.query(ctx, sql); err != nil {
				return false
			}
		}
		return true
	}
	if !suite.Within(110*time.Second, joined) {
		return nil, errors.New("not all nodes are in the cluster: " + strings.Join(nodes, " "))
	}
	return newGaleraStore(nodes), nil
}
