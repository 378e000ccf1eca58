package rpc

// Names that the external tests use.

var ErrCallerHung = errCallerHung

// SetLongest sets the maximum length of a line. It returns what puts it back.
func SetLongest(n int) func() {
	was := longest
	longest = n
	return func() { longest = was }
}

// Waiting is the number of calls that wait for a response.
func (c *Client) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting)
}
