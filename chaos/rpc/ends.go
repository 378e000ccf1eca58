package rpc

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Pauses between attempts to connect.
const (
	againAfter = 250 * time.Millisecond
	againMost  = 2 * time.Second
	shakeFor   = 10 * time.Second // time limit of a handshake
)

// LastingOptions configure a conversation. Both ends use the same name.
type LastingOptions struct {
	Name     string        // purpose of the conversation; a certificate with another name is refused
	Patience time.Duration // longest time without a connection
	First    time.Duration // time for which the listening end waits for the first connection
}

// ErrGone says that the other end is gone for good. If dial returns it, the conversation ends at once.
var ErrGone = errors.New("the other end is gone")

// DialLasting begins a conversation: it returns once the first connection is made, or with the last error when ctx
// ends. Further connections are dialed until the conversation ends.
func DialLasting(
	ctx context.Context, dial func(ctx context.Context) (net.Conn, error), key ed25519.PrivateKey, o LastingOptions,
) (*LastingConn, error) {
	how, err := sealing(key, o.Name)
	if err != nil {
		return nil, err
	}
	c := newConn(o.Patience, 1<<62)
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	c.closing = end
	first := make(chan error, 1)
	c.busy.Go(func() { c.redial(life, dial, how, first) })
	select {
	case err := <-first:
		if err == nil {
			return c, nil
		}
		_ = c.Close()
		return nil, err
	case <-ctx.Done():
		c.mu.Lock()
		why := c.why
		c.mu.Unlock()
		_ = c.Close()
		return nil, errors.Join(context.Cause(ctx), why)
	}
}

// redial connects again and again, until the conversation ends. first receives nil at the first connection, or the
// error that there will be none.
func (c *LastingConn) redial(
	ctx context.Context, dial func(ctx context.Context) (net.Conn, error), how *tls.Config, first chan<- error,
) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = againAfter, againMost
	var peer ed25519.PublicKey // key of the listening end, from the first connection
	for ctx.Err() == nil {
		below, err := dial(ctx)
		if err == nil {
			var has uint64
			var conn net.Conn
			stop := context.AfterFunc(ctx, func() { _ = below.Close() })
			if conn, has, err = c.greet(below, how, &peer); err != nil {
				_ = below.Close()
			} else {
				select {
				case first <- nil:
				default:
				}
				pause.Reset()
				err = c.attach(conn, has)
			}
			stop()
		}
		c.mu.Lock()
		c.why = err
		over := c.ended != nil
		c.mu.Unlock()
		gone := errors.Is(err, ErrGone)
		if gone || errors.Is(err, errRefused) {
			select {
			case first <- err:
			default:
			}
		}
		if gone {
			c.Abort(err)
			return
		}
		if over {
			return
		}
		select {
		case <-time.After(pause.NextBackOff()):
		case <-ctx.Done():
		}
	}
}

// greet shows the certificate of the dialing end, and exchanges the numbers of received bytes. peer is the key of the
// listening end: the first connection sets it, and further ones must have the same.
func (c *LastingConn) greet(
	below net.Conn, how *tls.Config, peer *ed25519.PublicKey,
) (conn net.Conn, has uint64, err error) {
	_ = below.SetDeadline(time.Now().Add(shakeFor))
	s, err := seal(tls.Client, below, how)
	if err != nil {
		return nil, 0, err
	}
	shown := s.peer().PublicKey
	if *peer != nil && !peer.Equal(shown) {
		return nil, 0, errAnother
	}
	c.mu.Lock()
	received := c.has()
	c.mu.Unlock()
	if _, err := s.Write(binary.BigEndian.AppendUint64(nil, received)); err != nil {
		return nil, 0, err
	}
	end := make([]byte, 9)
	if _, err := io.ReadFull(s, end); err != nil {
		return nil, 0, err
	}
	if end[0] != 0 {
		return nil, 0, errRefused
	}
	if own, ok := shown.(ed25519.PublicKey); ok {
		*peer = own
	} else {
		return nil, 0, errAnother // the other end uses no known kind of key
	}
	_ = below.SetDeadline(time.Time{})
	return s, binary.BigEndian.Uint64(end[1:]), nil
}

// ListenLasting begins a conversation with the owner of the private half of the key. It takes over the listener. A new
// connection replaces the one before it. It makes its own key for the conversation.
func ListenLasting(l net.Listener, key ed25519.PublicKey, o LastingOptions) *LastingConn {
	c := newConn(o.Patience, o.First)
	c.closing = func() { _ = l.Close() }
	_, own, _ := ed25519.GenerateKey(nil) // never fails with the random numbers of the system
	how, err := sealing(own, o.Name)
	if err != nil {
		c.Abort(err)
	}
	c.busy.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				c.mu.Lock()
				c.end(fmt.Errorf("listen: %w", err))
				c.mu.Unlock()
				return
			}
			c.busy.Go(func() {
				if s, has, err := c.verify(conn, how, key, o.Name); err == nil {
					_ = c.attach(s, has)
				}
				_ = conn.Close()
			})
		}
	})
	return c
}

// verify accepts only the owner of the key.
func (c *LastingConn) verify(
	below net.Conn, how *tls.Config, key ed25519.PublicKey, name string,
) (conn net.Conn, has uint64, err error) {
	_ = below.SetDeadline(time.Now().Add(shakeFor))
	s, err := seal(tls.Server, below, how)
	if err != nil {
		return nil, 0, err
	}
	received := make([]byte, 8)
	if _, err := io.ReadFull(s, received); err != nil {
		return nil, 0, err
	}
	if peer := s.peer(); !key.Equal(peer.PublicKey) || peer.Subject.CommonName != name {
		_, _ = s.Write([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0})
		return nil, 0, errRefused
	}
	c.mu.Lock()
	if c.current != nil { // the other end has given it up
		_ = c.current.Close()
		c.current = nil
		c.lonely.Reset(c.patience)
		c.wake.Broadcast()
	}
	own := c.has()
	c.mu.Unlock()
	if _, err := s.Write(append([]byte{0}, binary.BigEndian.AppendUint64(nil, own)...)); err != nil {
		return nil, 0, err
	}
	_ = below.SetDeadline(time.Time{})
	return s, binary.BigEndian.Uint64(received), nil
}
