package pods

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"brunt/chaos/rpc"
)

// A Served holds the settings of a worker in its pod, from the arguments of its program.
type Served struct {
	Listen   string        // address on the pod's loopback
	Run      string        // id of the run
	Index    int           // number of the worker, from 0
	Key      string        // the public half of the run's key, in hexadecimal
	Patience time.Duration // how long it goes on without a connection
	First    time.Duration // how long it waits for the first connection of its run
}

// Serve lets do answer the run of a worker until the run ends the conversation. An error says that the run was lost.
func (s Served) Serve(ctx context.Context, do func(ctx context.Context, in io.Reader, out io.Writer) error) error {
	key, err := rpc.ParseKey(s.Key)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return err
	}
	conn := rpc.ListenLasting(l, key, rpc.LastingOptions{
		Name: conversationOf(s.Run, s.Index), Patience: s.Patience, First: s.First,
	})
	stop := context.AfterFunc(ctx, func() { conn.Abort(context.Cause(ctx)) })
	defer stop()
	err = do(ctx, conn, conn)
	_, lost := conn.Read(make([]byte, 1)) // reads the end of the run's data
	if errors.Is(lost, io.EOF) {
		lost = nil
	}
	return errors.Join(err, lost, conn.Close())
}
