package websocket

import (
	"bufio"
	"fmt"
	"slices"

	"brunt/scenarios"
	"brunt/targets"
)

// MostMessage is the maximum size of a message that is read, in bytes.
const MostMessage = 64 << 20

// ErrLong means that a message is larger than MostMessage.
var ErrLong = &targets.Error{Cause: scenarios.Protocol, Text: fmt.Sprintf("a message is over %d MiB", MostMessage>>20)}

// ReadN appends n bytes to data. The memory grows with the received bytes: a length alone must not claim it.
func ReadN(br *bufio.Reader, data []byte, n uint64) ([]byte, error) {
	const most = 64 << 10
	if n > MostMessage || uint64(len(data))+n > MostMessage {
		return nil, ErrLong
	}
	for n > 0 {
		some := int(min(n, most))
		from := len(data)
		data = slices.Grow(data, some)[:from+some]
		for b := data[from:]; len(b) > 0; {
			k, err := br.Read(b)
			if err != nil {
				return nil, Half(err)
			}
			b = b[k:]
		}
		n -= uint64(some)
	}
	return data, nil
}
