package stream

import (
	"time"
)

// A Wire carries the messages of one stream.
//
//	Read    by a goroutine of its own, one message after another, until it fails: the error is why the stream ended
//	Append  by the user: what goes over the wire for a message
//	Write   by the user, meanwhile
//	Leave   by the user: brunt ends the stream, and the other side has a second to do so too
//	Close   ends the stream at once, or, if brunt has left it, within that second
type Wire interface {
	// Read returns the next message.
	Read() (*Message, error)
	// Append appends a message as it goes over the wire. An error says that the message can't be sent; the stream stays open.
	Append(dst, data []byte, binary bool) ([]byte, error)
	// Write writes what Append gave by a deadline, and returns when it was written. What could not be written as a whole ends the stream.
	Write(b []byte, deadline time.Duration) (at time.Duration, err error)
	// Leave says that brunt ends the stream. Answers reports that the other side says so too.
	Leave() (answers bool, err error)
	// Close ends the stream.
	Close(left bool) error
}

// closeTime is how long the other side has to end a stream that brunt closes.
const closeTime = time.Second
