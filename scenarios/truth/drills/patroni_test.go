//go:build linux

package drills

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"brunt/scenarios/suite"
)

// loneEtcd is an etcd of one member, in which Patroni keeps who leads.
func loneEtcd(u unitDir, args []string) error {
	peer := "http://127.0.0.1:" + args[0]
	return become("", nil, "etcd", "--name", "n", "--data-dir", u.data, "--logger", "zap", "--log-level", "error",
		"--listen-client-urls", "http://"+u.addr, "--advertise-client-urls", "http://"+u.addr,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "n="+peer)
}

// patroni INDEX ETCD: a node, whose own address is the one of its agent. Its PostgreSQL listens on that port with a 1
// in front of it. The agent reaches etcd by brunt's link.
func patroni(u unitDir, args []string) error {
	disk := filepath.Join(u.run, "disk-"+args[0])
	for _, dir := range []string{u.data, disk} {
		if err := give(dir, "postgres"); err != nil {
			return err
		}
	}
	conf := fmt.Sprintf(`scope: drill
name: n%[1]s
log: {level: WARNING, dir: %[2]q}
restapi: {listen: %[3]q, connect_address: %[3]q}
etcd3: {host: %[4]q, use_proxies: true}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 1
    retry_timeout: 3
    postgresql:
      use_pg_rewind: true
      parameters:
        {shared_buffers: 16MB, max_connections: 300, max_wal_size: 64MB, min_wal_size: 32MB, wal_log_hints: "on",
          fsync: "off", dynamic_shared_memory_type: mmap}
  initdb: [{auth: trust}, {encoding: UTF8}, {wal-segsize: "1"}, no-sync]
  pg_hba: [host all all 127.0.0.1/32 trust, host replication all 127.0.0.1/32 trust]
postgresql:
  listen: %[5]q
  connect_address: %[5]q
  data_dir: %[6]q
  bin_dir: %[7]q
  pgpass: %[8]q
  authentication: {superuser: {username: postgres}, replication: {username: replicator}, rewind: {username: postgres}}
  parameters: {unix_socket_directories: ""}
`, args[0], u.data, u.addr, args[1], patroniServer(u.addr), filepath.Join(disk, "pg"), filepath.Dir(pgBin("postgres")),
		filepath.Join(u.data, "pgpass"))
	file := filepath.Join(u.data, "patroni.yml")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		return err
	}
	return become("postgres", nil, "patroni", file)
}

// haproxy ADDR... passes connections on to the PostgreSQL of the node whose agent, at ADDR, says that it leads.
func haproxy(u unitDir, args []string) error {
	if err := os.MkdirAll(u.data, 0o755); err != nil {
		return err
	}
	var servers strings.Builder
	for i, agent := range args {
		_, check, _ := net.SplitHostPort(agent)
		fmt.Fprintf(&servers, "  server n%d %s check port %s\n", i, patroniServer(agent), check)
	}
	conf := fmt.Sprintf(`global
  maxconn 2000
defaults
  mode tcp
  timeout connect 300ms
  timeout client 60s
  timeout server 60s
  timeout check 1s
listen primary
  bind %s
  option httpchk GET /primary
  http-check expect status 200
  default-server inter 500ms fall 3 rise 1 on-marked-down shutdown-sessions
%s`, u.addr, servers.String())
	file := filepath.Join(u.data, "haproxy.cfg")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		return err
	}
	return become("", nil, "haproxy", "-db", "-f", file)
}

// newPatroniStore writes by HAProxy, once the other nodes follow the first one and the table is there.
func newPatroniStore(proxy string) (store, error) {
	s := &pgStore{}
	s.pool.dial = dialPG
	s.pool.find = func(context.Context) (string, error) { return proxy, nil }
	var err error
	suite.Within(90*time.Second, func() bool { // the first node makes a database, and the others copy it
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err = s.pool.do(ctx, func(c *pgConn) error {
			follow, err := c.query(ctx, "SELECT pid FROM pg_stat_replication WHERE state = 'streaming'")
			switch {
			case err != nil:
				return err
			case len(follow) != 2:
				return fmt.Errorf("%d nodes follow", len(follow))
			}
			_, err = c.query(ctx, "CREATE TABLE IF NOT EXISTS posts (id text)")
			return err
		})
		return err == nil
	})
	if err != nil {
		return nil, fmt.Errorf("the cluster is not up: %w", err)
	}
	return &boundedStore{s, make(chan struct{}, patroniConnections)}, nil
}

// patroniConnections is how many connections the front has at most. PostgreSQL starts a process for each, so a front
// without a bound keeps a primary that is back too busy to serve any.
const patroniConnections = 64

// A boundedStore lets a write wait for its turn for a while, and then refuses it.
type boundedStore struct {
	store
	slots chan struct{}
}

func (s *boundedStore) put(ctx context.Context, id string) error {
	turn, cancel := context.WithTimeout(ctx, slow/2)
	defer cancel()
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
		return s.store.put(ctx, id)
	case <-turn.Done():
		return errors.New("too many writes are under way")
	}
}

// patroniData reads the ids of all writes from the primary, past HAProxy.
func patroniData(ctx context.Context, run string) (map[string]int, error) {
	var servers []string
	for i := range 3 {
		servers = append(servers, patroniServer(unitAddr(run, fmt.Sprintf("node[%d]", i))))
	}
	var ids map[string]int
	var err error
	suite.Within(10*time.Second, func() bool {
		ids, err = pgIDs(ctx, servers)
		return err == nil
	})
	return ids, err
}

// patroniServer is where the PostgreSQL of a node listens, by the address of its agent.
func patroniServer(agent string) string {
	host, port, _ := net.SplitHostPort(agent)
	return net.JoinHostPort(host, "1"+port)
}

// patroniLeading is what the agent of the node that leads says of its PostgreSQL.
const patroniLeading = "master"

// patroniRoles asks the agents for the page that brunt reads: what an agent says of its PostgreSQL is up to a second
// older than what that says itself.
var patroniRoles = map[string]asker{"node": func(ctx context.Context, agent string) (string, error) {
	var page struct{ State, Role string }
	err := getJSON(ctx, "http://"+agent+"/patroni", &page)
	switch {
	case err != nil:
		return "", err
	case page.State != "running":
		return "", errors.New(page.State)
	}
	return page.Role, nil
}}
