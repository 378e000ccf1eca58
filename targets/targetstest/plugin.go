package targetstest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// PluginVar is the variable of the environment that makes a test binary a plug-in: its TestMain calls [ServePlugin].
const PluginVar = "BRUNT_TEST_PLUGIN"

// ServePlugin is a plug-in in Go. It speaks to a [PluginServer] over one connection, and ends with it. Its only call,
// say, has the settings verb and mark.
func ServePlugin(in io.Reader, out io.Writer) error {
	lines, p := bufio.NewReader(in), &pluginRelay{out: out}
	var hello struct{ Address string }
	first, err := lines.ReadBytes('\n')
	if err != nil {
		return err
	}
	if err := json.Unmarshal(first, &hello); err != nil {
		return err
	}
	p.print(`{"hello":1,"name":"say","calls":["say"],"examples":{"say":{"verb":"answer"}}}`)
	for {
		text, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var call struct {
			ID   uint64
			Call string
			With struct{ Verb, Mark string }
		}
		if err := json.Unmarshal(text, &call); err != nil {
			return err
		}
		if call.Call != "say" {
			p.print(`{"id":%d,"status":400,"message":"there is the call say"}`, call.ID)
			continue
		}
		if p.conn == nil {
			if p.conn, err = net.Dial("tcp", hello.Address); err != nil {
				p.fail(call.ID, err)
				continue
			}
			go p.relay(p.conn)
		}
		if _, err := fmt.Fprintf(p.conn, "%d %s %s\n", call.ID, call.With.Verb, call.With.Mark); err != nil {
			p.fail(call.ID, err)
		}
	}
}

// pluginRelay is the plug-in of [ServePlugin].
type pluginRelay struct {
	conn net.Conn
	mu   sync.Mutex
	out  io.Writer
}

func (p *pluginRelay) print(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, format+"\n", args...)
}

func (p *pluginRelay) fail(id uint64, err error) {
	word := "other"
	if errors.Is(err, syscall.ECONNREFUSED) {
		word = "refused"
	}
	p.print(`{"id":%d,"failed":%q,"message":%q}`, id, word, err.Error())
}

// relay turns the server's answers into those of the plug-in.
func (p *pluginRelay) relay(from io.Reader) {
	for in := bufio.NewScanner(from); in.Scan(); {
		id, said, _ := strings.Cut(in.Text(), " ")
		switch said {
		case "fail":
			p.print(`{"id":%s,"status":404,"message":"it is not there"}`, id)
		case "none":
			p.print(`{"id":%s,"absent":true}`, id)
		default:
			p.print(`{"id":%s,"body":{"said":%q}}`, id, said)
		}
	}
	fmt.Fprintln(os.Stderr, "the server has closed the connection")
	os.Exit(1)
}

// A PluginServer answers lines of an id, a verb and a mark by a line of the id and the verb.
//
//	slow        is answered after 200 ms
//	hold        is answered after a call of Release
//	cut         ends the connection without an answer
//	fail, none  make the plug-in answer with a status, and with nothing
type PluginServer struct {
	Address string // host:port

	opened, requests, held atomic.Int64
	release                chan struct{}
	once                   sync.Once

	mu    sync.Mutex
	marks []string
}

// StartPlugin starts a server that ends with the test.
func StartPlugin(t testing.TB) *PluginServer {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &PluginServer{Address: l.Addr().String(), release: make(chan struct{})}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.opened.Add(1)
			all.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		s.Release()
		all.Wait()
	})
	return s
}

func (s *PluginServer) Base() string { return "plugin://" + s.Address }

func (s *PluginServer) Requests() int64 { return s.requests.Load() }

// Counted counts the requests received so far.
func (s *PluginServer) Counted() *atomic.Int64 { return &s.requests }

func (s *PluginServer) Connections() int64 { return s.opened.Load() }

func (s *PluginServer) Held() int64 { return s.held.Load() }

func (s *PluginServer) Release() { s.once.Do(func() { close(s.release) }) }

func (s *PluginServer) Marks() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.marks
}

func (s *PluginServer) serve(c net.Conn) {
	defer c.Close()
	var late sync.WaitGroup
	defer late.Wait()
	var mu sync.Mutex
	say := func(id, text string) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = io.WriteString(c, id+" "+text+"\n")
	}
	for in := bufio.NewScanner(c); in.Scan(); {
		s.requests.Add(1)
		id, rest, _ := strings.Cut(in.Text(), " ")
		verb, mark, _ := strings.Cut(rest, " ")
		switch verb {
		case "slow":
			late.Go(func() {
				time.Sleep(slowEcho) // simulates work
				say(id, verb)
			})
		case "hold":
			s.mu.Lock()
			s.marks = append(s.marks, mark)
			s.mu.Unlock()
			s.held.Add(1)
			late.Go(func() {
				<-s.release
				say(id, verb)
			})
		case "cut":
			return
		default:
			say(id, verb)
		}
	}
}

// PluginCommand returns the settings of an endpoint whose plug-in is this test binary, as YAML.
func PluginCommand() string {
	return "command: [" + strconv.Quote(os.Args[0]) + "], env: {" + PluginVar + ": say}"
}
