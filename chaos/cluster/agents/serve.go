package agents

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"brunt/chaos/agent"
	"brunt/chaos/container"
	"brunt/chaos/journal"
	"brunt/chaos/netns"
	"brunt/chaos/proxy/child"
	"brunt/chaos/rpc"
)

// opLend asks an agent for a separate conversation.
const opLend rpc.Op[lendRequest, lendReply] = "lend"

type (
	lendRequest struct {
		Pod string `json:"pod,omitempty"` // pod in whose network it acts; empty: it acts on processes of the node
		UID string `json:"uid,omitempty"` // of the pod
		// Proxies asks for proxies in that network instead of an agent.
		Proxies bool `json:"proxies,omitempty"`
	}
	lendReply struct {
		Port int    `json:"port"`
		Name string `json:"name"` // of the conversation
	}
)

// A Served is an agent in its pod, with the arguments of its program.
type Served struct {
	Listen string // address on the pod's loopback
	Run    string // id
	Key    string // the public half of the run's key, in hexadecimal
	State  string // directory of the agent's own journal; empty: it has none

	key    ed25519.PublicKey
	of     agent.Options
	others sync.WaitGroup // conversations
}

// Serve executes the requests of the run, until the run ends it or is silent for ten seconds. Then it reverts
// everything.
func (s *Served) Serve(ctx context.Context, o agent.Options) (err error) {
	key, err := rpc.ParseKey(s.Key)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return err
	}
	if s.State != "" {
		j, err := journal.Open(o.Operations, s.State, s.Run)
		if err != nil {
			return err
		}
		o.Journal = j
		defer func() { err = errors.Join(err, j.Close()) }()
	}
	s.key, s.of = key, o
	ctx, cancel := context.WithCancel(ctx)
	defer s.others.Wait()
	defer cancel()
	o.Also = opLend.By(func(_ context.Context, ask lendRequest) (lendReply, error) { return s.lend(ctx, ask) })
	return s.converse(l, s.Run, func(conn io.ReadWriter) error { return agent.Serve(ctx, o, conn, conn) })
}

// converse serves one conversation.
func (s *Served) converse(l net.Listener, name string, serve func(io.ReadWriter) error) error {
	conn := rpc.ListenLasting(l, s.key, rpc.LastingOptions{Name: name, Patience: patience, First: firstFor})
	return errors.Join(serve(conn), conn.Close())
}

// lend begins a separate conversation, which continues until its own end or the end of ctx.
func (s *Served) lend(ctx context.Context, ask lendRequest) (lendReply, error) {
	o := s.of
	if ask.Pod != "" {
		n, err := networkOf(ask)
		if err != nil {
			return lendReply{}, err
		}
		n.Run = s.Run // runs of other machines have agents of their own in this network
		o = agent.Options{Network: n}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return lendReply{}, err
	}
	name := s.Run + "/" + rand.Text()
	serve := func(conn io.ReadWriter) error { return agent.Serve(ctx, o, conn, conn) }
	if ask.Proxies {
		serve = func(conn io.ReadWriter) error { return child.ServeIn(ctx, o.Network, conn, conn) }
	}
	s.others.Go(func() {
		_ = s.converse(l, name, serve) // the run learns of errors over the conversation
		if o.Network != nil {
			_ = o.Network.Close()
		}
	})
	return lendReply{l.Addr().(*net.TCPAddr).Port, name}, nil
}

// networkOf opens the network of a pod, through one of its processes. It stays open after the process ends.
func networkOf(ask lendRequest) (*netns.Namespace, error) {
	pid := container.FirstOfPod(ask.UID)
	if pid == 0 {
		return nil, fmt.Errorf("no process on this node is in the pod %s", ask.Pod)
	}
	n, err := agent.EnterNamespace(pid)
	if err != nil {
		return nil, fmt.Errorf("the network of the pod %s, by process %d: %w", ask.Pod, pid, err)
	}
	return n, nil
}
