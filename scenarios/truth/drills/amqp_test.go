//go:build linux

package drills

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// An amqpConn is a connection to RabbitMQ with one channel, whose publications are confirmed. It speaks AMQP 0-9-1.
type amqpConn struct {
	net.Conn
	r *bufio.Reader
}

// Methods by class and number.
const (
	amqpStart, amqpStartOK     = 10<<16 | 10, 10<<16 | 11
	amqpTune, amqpTuneOK       = 10<<16 | 30, 10<<16 | 31
	amqpOpen, amqpOpenOK       = 10<<16 | 40, 10<<16 | 41
	amqpClosed                 = 10<<16 | 50
	channelOpen, channelOpenOK = 20<<16 | 10, 20<<16 | 11
	channelClosed              = 20<<16 | 40
	queueDeclare, queueOK      = 50<<16 | 10, 50<<16 | 11
	consume, consumeOK         = 60<<16 | 20, 60<<16 | 21
	cancel, cancelOK           = 60<<16 | 30, 60<<16 | 31
	publish, returned          = 60<<16 | 40, 60<<16 | 50
	acked, nacked              = 60<<16 | 80, 60<<16 | 120
	confirmSelect, confirmOK   = 85<<16 | 10, 85<<16 | 11
)

// Kinds of frames.
const (
	methodFrame = 1
	bodyFrame   = 3
)

// amqpArgs are the arguments of a method.
type amqpArgs []byte

func (a amqpArgs) short(s string) amqpArgs { return append(append(a, byte(len(s))), s...) }

func (a amqpArgs) long(s string) amqpArgs {
	return append(binary.BigEndian.AppendUint32(a, uint32(len(s))), s...)
}

func dialAMQP(ctx context.Context, addr string) (*amqpConn, error) {
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &amqpConn{Conn: nc, r: bufio.NewReader(nc)}
	if err := c.open(ctx); err != nil {
		nc.Close()
		return nil, err
	}
	return c, nil
}

func (c *amqpConn) open(ctx context.Context) error {
	if err := c.limit(ctx); err != nil {
		return err
	}
	if _, err := io.WriteString(c, "AMQP\x00\x00\x09\x01"); err != nil {
		return err
	}
	if _, err := c.await(amqpStart); err != nil {
		return err
	}
	properties := amqpArgs{}.long("")
	if err := c.send(0, amqpStartOK, properties.short("PLAIN").long("\x00guest\x00guest").short("en_US")); err != nil {
		return err
	}
	if _, err := c.await(amqpTune); err != nil {
		return err
	}
	// one channel, frames of 128 KiB, no heartbeats
	if err := c.send(0, amqpTuneOK, []byte{0, 1, 0, 2, 0, 0, 0, 0}); err != nil {
		return err
	}
	for _, step := range []struct {
		channel   uint16
		method    uint32
		arguments []byte
		answer    uint32
	}{
		{0, amqpOpen, append(amqpArgs{}.short("/").short(""), 0), amqpOpenOK},
		{1, channelOpen, amqpArgs{}.short(""), channelOpenOK},
		{1, confirmSelect, []byte{0}, confirmOK},
	} {
		if err := c.send(step.channel, step.method, step.arguments); err != nil {
			return err
		}
		if _, err := c.await(step.answer); err != nil {
			return err
		}
	}
	return nil
}

// limit gives what follows the deadline of ctx.
func (c *amqpConn) limit(ctx context.Context) error {
	deadline, _ := ctx.Deadline()
	return c.SetDeadline(deadline)
}

// frame appends a frame to out.
func frame(out []byte, kind byte, channel uint16, payload []byte) []byte {
	out = binary.BigEndian.AppendUint16(append(out, kind), channel)
	out = binary.BigEndian.AppendUint32(out, uint32(len(payload)))
	return append(append(out, payload...), 0xCE)
}

func method(m uint32, arguments []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, m), arguments...)
}

func (c *amqpConn) send(channel uint16, m uint32, arguments []byte) error {
	_, err := c.Write(frame(nil, methodFrame, channel, method(m, arguments)))
	return err
}

// read reads one frame.
func (c *amqpConn) read() (kind byte, payload []byte, err error) {
	var head [7]byte
	if _, err = io.ReadFull(c.r, head[:]); err != nil {
		return 0, nil, err
	}
	payload = make([]byte, binary.BigEndian.Uint32(head[3:])+1)
	if _, err = io.ReadFull(c.r, payload); err != nil {
		return 0, nil, err
	}
	return head[0], payload[:len(payload)-1], nil
}

// next reads up to the next method, and skips the messages before it.
func (c *amqpConn) next() (m uint32, arguments []byte, err error) {
	for {
		kind, payload, err := c.read()
		if err != nil {
			return 0, nil, err
		}
		if kind != methodFrame {
			continue
		}
		m = binary.BigEndian.Uint32(payload)
		if m == amqpClosed || m == channelClosed {
			return 0, nil, fmt.Errorf("amqp: closed: %q", payload[4:])
		}
		return m, payload[4:], nil
	}
}

// await reads up to a method and returns its arguments.
func (c *amqpConn) await(wanted uint32) ([]byte, error) {
	for {
		m, arguments, err := c.next()
		if err != nil || m == wanted {
			return arguments, err
		}
	}
}

// publish sends a message to a queue and waits until the broker confirms it. Mode 2 is persistent.
func (c *amqpConn) publish(ctx context.Context, queue, text string, mode byte) error {
	if err := c.limit(ctx); err != nil {
		return err
	}
	arguments := amqpArgs{0, 0}.short("").short(queue)
	// mandatory: it comes back where no queue takes it
	out := frame(nil, methodFrame, 1, method(publish, append(arguments, 1)))
	header := binary.BigEndian.AppendUint64([]byte{0, 60, 0, 0}, uint64(len(text)))
	out = frame(out, 2, 1, append(header, 0x10, 0, mode)) // of all properties, the delivery mode
	out = frame(out, bodyFrame, 1, []byte(text))
	if _, err := c.Write(out); err != nil {
		return err
	}
	var refused error
	for {
		switch m, _, err := c.next(); {
		case err != nil:
			return err
		case m == returned:
			refused = errors.New("amqp: no queue took it")
		case m == nacked:
			return errors.New("amqp: the broker did not take it")
		case m == acked:
			return refused
		}
	}
}

// ready is how many messages of a queue can be consumed.
func (c *amqpConn) ready(queue string) (uint32, error) {
	arguments := amqpArgs{0, 0}.short(queue)
	if err := c.send(1, queueDeclare, append(arguments, 1, 0, 0, 0, 0)); err != nil { // passive
		return 0, err
	}
	answer, err := c.await(queueOK)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint32(answer[1+int(answer[0]):]), nil
}

// all reads the messages of a queue, leaves them there, and returns when all of them can be read again.
func (c *amqpConn) all(ctx context.Context, queue string) (texts []string, err error) {
	if err := c.limit(ctx); err != nil {
		return nil, err
	}
	n, err := c.ready(queue)
	if err != nil || n == 0 {
		return nil, err
	}
	const consumer = "reader"
	subscription := amqpArgs{0, 0}.short(queue).short(consumer)
	if err := c.send(1, consume, append(subscription, 0, 0, 0, 0, 0)); err != nil {
		return nil, err
	}
	for len(texts) < int(n) {
		kind, payload, err := c.read()
		if err != nil {
			return nil, err
		}
		if kind == bodyFrame {
			texts = append(texts, string(payload))
		}
	}
	end := amqpArgs{}.short(consumer)
	if err := c.send(1, cancel, append(end, 0)); err != nil {
		return nil, err
	}
	if _, err := c.await(cancelOK); err != nil {
		return nil, err
	}
	if err := c.send(1, nacked, []byte{0, 0, 0, 0, 0, 0, 0, 0, 1 | 2}); err != nil { // all of them, to be delivered again
		return nil, err
	}
	for {
		back, err := c.ready(queue)
		if err != nil || back >= n {
			return texts, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}
