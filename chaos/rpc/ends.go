package rpc

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Pauses between attempts to connect.
const (
	againAfter = 250 * time.Millisecond
	againMost  = 2 * time.Second
	shakeFor   = 10 * time.Second // how long a handshake may take
)

// hello is what the end that listens says first, before the nonce. It names the version of the protocol.
const hello = "brunt lasting 2\n"

const nonceSize = 32

// LastingOptions are of a conversation; both ends have the same name.
type LastingOptions struct {
	Name     string        // what the conversation is for: a signature for another is refused
	Patience time.Duration // for how long an end does without a connection
	First    time.Duration // for how long an end that listens waits for the first connection
}

// signed is what the end that dials signs.
func (o LastingOptions) signed(nonce []byte) []byte {
	return append(append([]byte(hello), nonce...), o.Name...)
}

// errRefused is the answer of an end that listens to a key that it does not know.
var errRefused = errors.New("the other end refuses the signature: it belongs to another run")

// DialLasting begins a conversation: it returns once the first connection is made, or with the last error when ctx
// ends. Further connections are dialed until the conversation ends.
func DialLasting(
	ctx context.Context, dial func(ctx context.Context) (net.Conn, error), key ed25519.PrivateKey, o LastingOptions,
) (*LastingConn, error) {
	c := newConn(o.Patience, 1<<62)
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	c.closing = end
	first := make(chan error, 1)
	c.busy.Go(func() { c.redial(life, dial, key, o, first) })
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

// redial connects again and again, until the conversation ends. First gets nil at the first connection, or why there
// will be none.
func (c *LastingConn) redial(
	ctx context.Context, dial func(ctx context.Context) (net.Conn, error), key ed25519.PrivateKey, o LastingOptions,
	first chan<- error,
) {
	pause := againAfter
	for ctx.Err() == nil {
		conn, err := dial(ctx)
		if err == nil {
			var has uint64
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			if has, err = c.shake(conn, key, o); err != nil {
				_ = conn.Close()
			} else {
				select {
				case first <- nil:
				default:
				}
				pause = againAfter
				err = c.attach(conn, has)
			}
			stop()
		}
		c.mu.Lock()
		c.why = err
		over := c.ended != nil
		c.mu.Unlock()
		if errors.Is(err, errRefused) {
			select {
			case first <- err:
			default:
			}
		}
		if over {
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, againMost)
	}
}

// shake proves who dials, and exchanges how far both ends have received.
func (c *LastingConn) shake(conn net.Conn, key ed25519.PrivateKey, o LastingOptions) (has uint64, err error) {
	_ = conn.SetDeadline(time.Now().Add(shakeFor))
	begin := make([]byte, len(hello)+nonceSize)
	if _, err := io.ReadFull(conn, begin); err != nil {
		return 0, err
	}
	if string(begin[:len(hello)]) != hello {
		return 0, errors.New("the other end is no worker of this version of brunt")
	}
	c.mu.Lock()
	received := c.has()
	c.mu.Unlock()
	answer := append(ed25519.Sign(key, o.signed(begin[len(hello):])), binary.BigEndian.AppendUint64(nil, received)...)
	if _, err := conn.Write(answer); err != nil {
		return 0, err
	}
	end := make([]byte, 9)
	if _, err := io.ReadFull(conn, end); err != nil {
		return 0, err
	}
	if end[0] != 0 {
		return 0, errRefused
	}
	_ = conn.SetDeadline(time.Time{})
	return binary.BigEndian.Uint64(end[1:]), nil
}

// ParseKey reads the public half of a run's key, as hexadecimal digits.
func ParseKey(text string) (ed25519.PublicKey, error) {
	key, err := hex.DecodeString(text)
	if err != nil || len(key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("the key %q is none", text)
	}
	return key, nil
}

// ListenLasting begins a conversation with whoever has the private half of the key. It takes the listener over. A new
// connection takes the place of the one before it.
func ListenLasting(l net.Listener, key ed25519.PublicKey, o LastingOptions) *LastingConn {
	c := newConn(o.Patience, o.First)
	c.closing = func() { _ = l.Close() }
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
				if has, err := c.verify(conn, key, o); err == nil {
					_ = c.attach(conn, has)
				}
				_ = conn.Close()
			})
		}
	})
	return c
}

// verify lets only the owner of the key in.
func (c *LastingConn) verify(conn net.Conn, key ed25519.PublicKey, o LastingOptions) (has uint64, err error) {
	_ = conn.SetDeadline(time.Now().Add(shakeFor))
	nonce := make([]byte, nonceSize)
	_, _ = rand.Read(nonce)
	if _, err := conn.Write(append([]byte(hello), nonce...)); err != nil {
		return 0, err
	}
	answer := make([]byte, ed25519.SignatureSize+8)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return 0, err
	}
	if !ed25519.Verify(key, o.signed(nonce), answer[:ed25519.SignatureSize]) {
		_, _ = conn.Write([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0})
		return 0, errRefused
	}
	c.mu.Lock()
	if c.current != nil { // the other end has given it up
		_ = c.current.Close()
		c.current = nil
		c.lonely.Reset(c.patience)
		c.wake.Broadcast()
	}
	received := c.has()
	c.mu.Unlock()
	if _, err := conn.Write(append([]byte{0}, binary.BigEndian.AppendUint64(nil, received)...)); err != nil {
		return 0, err
	}
	_ = conn.SetDeadline(time.Time{})
	return binary.BigEndian.Uint64(answer[ed25519.SignatureSize:]), nil
}
