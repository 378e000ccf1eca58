//go:build linux

package drills

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// A natsConn speaks the text protocol of NATS. It is used by one caller at a time, and each of its requests has a
// subject of its own for the reply.
type natsConn struct {
	net.Conn
	r     *bufio.Reader
	inbox string
	n     int
}

// inboxes numbers the connections of this process.
var inboxes atomic.Int64

func dialNATS(ctx context.Context, addr string) (*natsConn, error) {
	ctx, cancel := context.WithTimeout(ctx, memberPatience)
	defer cancel()
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &natsConn{
		Conn: nc, r: bufio.NewReader(nc), inbox: fmt.Sprintf("_INBOX.%d.%d", os.Getpid(), inboxes.Add(1)),
	}
	hello := `CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}` + "\r\n" +
		"SUB " + c.inbox + ".* 1\r\nPING\r\n"
	if err := c.send(ctx, hello); err != nil {
		_ = c.Close()
		return nil, err
	}
	for {
		line, _, err := c.next()
		if err != nil {
			_ = c.Close()
			return nil, err
		}
		if line[0] == "PONG" {
			return c, nil
		}
	}
}

func (c *natsConn) send(ctx context.Context, text string) error {
	if d, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(d); err != nil {
			return err
		}
	}
	_, err := io.WriteString(c, text)
	return err
}

// next reads one message of the server: the words of its first line, and the payload if it has one.
func (c *natsConn) next() (words []string, payload []byte, err error) {
	line, err := c.r.ReadString('\n')
	if err != nil {
		return nil, nil, err
	}
	words = strings.Fields(line)
	switch {
	case len(words) == 0:
		return nil, nil, errors.New("NATS: an empty line")
	case words[0] == "-ERR":
		return nil, nil, fmt.Errorf("NATS: %s", strings.TrimSpace(line))
	case words[0] != "MSG" && words[0] != "HMSG":
		return words, nil, nil
	}
	size, err := strconv.Atoi(words[len(words)-1])
	if err != nil || size < 0 || size > 64<<20 {
		return nil, nil, fmt.Errorf("NATS: %q", line)
	}
	payload = make([]byte, size+len("\r\n"))
	_, err = io.ReadFull(c.r, payload)
	return words, payload[:size], err
}

// request publishes a message and returns the reply.
func (c *natsConn) request(ctx context.Context, subject, body string) ([]byte, error) {
	c.n++
	reply := c.inbox + "." + strconv.Itoa(c.n)
	if err := c.send(ctx, fmt.Sprintf("PUB %s %s %d\r\n%s\r\n", subject, reply, len(body), body)); err != nil {
		return nil, err
	}
	for {
		words, payload, err := c.next()
		switch {
		case err != nil:
			return nil, err
		case words[0] == "PING":
			if err := c.send(ctx, "PONG\r\n"); err != nil {
				return nil, err
			}
		case len(words) < 4 || words[1] != reply: // of an earlier request
		case words[0] == "HMSG":
			return nil, fmt.Errorf("NATS: %s", bytes.Join(bytes.Fields(payload), []byte(" ")))
		default:
			return payload, nil
		}
	}
}

// call sends a request whose reply is JSON, with an error of JetStream in it if it failed.
func (c *natsConn) call(ctx context.Context, subject, body string, out any) error {
	raw, err := c.request(ctx, subject, body)
	if err != nil {
		return err
	}
	var failed struct {
		Error *struct {
			Code        int
			Description string
		}
	}
	if err := json.Unmarshal(raw, &failed); err != nil {
		return err
	}
	if failed.Error != nil {
		return fmt.Errorf("JetStream: %d %s", failed.Error.Code, failed.Error.Description)
	}
	return json.Unmarshal(raw, out)
}

// A natsStore publishes to the stream S by one member, and by the next one after an error.
type natsStore struct {
	pool pool[*natsConn]
	rota rota
}

func newNATSStore(members []string) *natsStore {
	s := &natsStore{rota: rota{members: members}}
	s.pool.dial = dialNATS
	s.pool.find = func(context.Context) (string, error) { return s.rota.asked(), nil }
	return s
}

func (s *natsStore) ask(ctx context.Context, subject, body string, out any) error {
	return s.rota.ask(ctx, func(ctx context.Context, _ string) error {
		return s.pool.do(ctx, func(c *natsConn) error { return c.call(ctx, subject, body, out) })
	})
}

// create makes the stream with a number of replicas, each on a member of its own.
func (s *natsStore) create(ctx context.Context, replicas string) error {
	stream := `{"name":"S","subjects":["w.>"],"retention":"limits","storage":"file","num_replicas":` + replicas + `}`
	return s.ask(ctx, "$JS.API.STREAM.CREATE.S", stream, &struct{}{})
}

func (s *natsStore) put(ctx context.Context, id string) error {
	var ack struct{ Seq int }
	err := s.ask(ctx, "w."+id, id, &ack)
	if err == nil && ack.Seq == 0 {
		err = errors.New("JetStream: an acknowledgement without a sequence")
	}
	return err
}

// subjects counts the messages of each subject that a filter matches.
func subjects(ctx context.Context, call func(ctx context.Context, subject, body string, out any) error,
	filter string,
) (map[string]int, error) {
	all := map[string]int{}
	for {
		var info struct {
			Total int
			State struct{ Subjects map[string]int }
		}
		body := fmt.Sprintf(`{"subjects_filter":%q,"offset":%d}`, filter, len(all))
		if err := call(ctx, "$JS.API.STREAM.INFO.S", body, &info); err != nil {
			return nil, err
		}
		before := len(all)
		for subject, n := range info.State.Subjects {
			all[strings.TrimPrefix(subject, "w.")] += n
		}
		if len(all) >= info.Total || len(all) == before {
			return all, nil
		}
	}
}

func (s *natsStore) count(ctx context.Context, id string) (int, error) {
	found, err := subjects(ctx, s.ask, "w."+id)
	return found[id], err
}

// natsIDs reads the ids of all writes from the member that leads.
func natsIDs(ctx context.Context, members []string) (ids map[string]int, err error) {
	for _, m := range members {
		one, cancel := context.WithTimeout(ctx, 2*time.Second)
		var c *natsConn
		if c, err = dialNATS(one, m); err == nil {
			ids, err = subjects(one, c.call, "w.>")
			_ = c.Close()
		}
		cancel()
		if err == nil {
			return ids, nil
		}
	}
	return nil, err
}

// nats INDEX PORT: a member of three. Its own address is the one of its routes, so that its links are those to the
// other members. Its pages listen on that port with a 1 in front of it, and clients connect to PORT and the two ports
// after it.
func nats(u unitDir, args []string) error {
	index, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	routes := strings.Split(os.Getenv("LINK_JS"), ",")
	disk := filepath.Join(u.run, "disk-"+strconv.Itoa(index))
	if err := os.MkdirAll(disk, 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(u.data, 0o755); err != nil {
		return err
	}
	first, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	client := fmt.Sprintf("127.0.0.1:%d", first+index)
	if err := writeWhole(filepath.Join(u.run, fmt.Sprintf("addr.client[%d]", index)), client); err != nil {
		return err
	}
	for i, r := range routes {
		routes[i] = strconv.Quote("nats-route://" + r)
	}
	// Members tell each other where they listen. They would connect to each other past brunt's links.
	conf := fmt.Sprintf(`server_name: n%d
listen: %q
http: "127.0.0.1:1%s"
cluster { name: c, listen: %q, advertise: "127.0.0.1:9", no_advertise: true, routes: [%s] }
jetstream { store_dir: %q, max_memory_store: 64MB, max_file_store: 1GB }
log_file: %q
`, index, client, u.port, u.addr, strings.Join(routes, ", "), disk, filepath.Join(u.data, "log"))
	file := filepath.Join(u.data, "nats.conf")
	if err := os.WriteFile(file, []byte(conf), 0o644); err != nil {
		return err
	}
	return become("", nil, "nats-server", "-c", file)
}

// clientsOf lists where clients connect to the members of the run in folder dir.
func clientsOf(dir string) (members []string) {
	for i := range 3 {
		members = append(members, unitAddr(dir, fmt.Sprintf("client[%d]", i)))
	}
	return members
}

// natsRole asks a member which member leads the stream, by the page that brunt reads: a member's pages differ for a
// second after it has started, and after it has switched its streams off.
func natsRole(ctx context.Context, addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	var page struct {
		Accounts []struct {
			Streams []struct{ Cluster struct{ Leader string } } `json:"stream_detail"`
		} `json:"account_details"`
	}
	if err := getJSON(ctx, "http://"+host+":1"+port+"/jsz?streams=1", &page); err != nil {
		return "", err
	}
	for _, account := range page.Accounts {
		for _, stream := range account.Streams {
			return stream.Cluster.Leader, nil
		}
	}
	return "", errors.New("it has no replica of the stream")
}

// jsLeading is what the member that leads says: its own name. # is its index.
const jsLeading = "n#"

var jsRoles = map[string]asker{"js": natsRole}
