package rpc

// Names that the external tests use.

var ErrCallerHung = errCallerHung

// Waiting is the number of calls that wait for a response.
func (c *Client) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting)
}
