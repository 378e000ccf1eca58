package child

import (
	"bufio"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"
)

// A Control is the address at which a process of proxies removes toxics for a caller that has the token.
type Control struct {
	Addr  string `json:"addr"` // host:port, on loopback
	Token string `json:"token"`
}

// clearWithin bounds a call of Clear.
const clearWithin = 5 * time.Second

type clearRequest struct {
	Token string `json:"token"`
	Key   string `json:"key"`
}

type clearResponse struct {
	Removed int    `json:"removed"`
	Error   string `json:"error,omitempty"`
}

// Clear removes the toxics that were added under a key, and makes the process refuse later ones under that key. It
// returns how many were on a link. An error says that the process does not answer, or could not remove one.
func (c Control) Clear(ctx context.Context, key string) (removed int, err error) {
	ctx, cancel := context.WithTimeout(ctx, clearWithin)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.Addr)
	if err != nil {
		return 0, fmt.Errorf("the process of the proxies: %w", err)
	}
	defer conn.Close()
	if end, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(end)
	}
	var a clearResponse
	err = json.NewEncoder(conn).Encode(clearRequest{c.Token, key})
	if err == nil {
		err = json.NewDecoder(conn).Decode(&a)
	}
	if err == nil && a.Error != "" {
		err = errors.New(a.Error)
	}
	if err != nil {
		return 0, fmt.Errorf("the process of the proxies: %w", err)
	}
	return a.Removed, nil
}

const (
	mostCalls   = 8 // calls of Clear that are answered at once; later ones wait
	acceptPause = 50 * time.Millisecond
)

// control answers calls of Clear until the listener is closed. It continues after any other error, such as a lack of
// descriptors: without it no toxic could be removed.
func (s *server) control(l net.Listener) {
	places := make(chan struct{}, mostCalls)
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(acceptPause)
			continue
		}
		places <- struct{}{} // a call holds its place for at most clearWithin
		s.wg.Go(func() {
			defer func() { <-places }()
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(clearWithin))
			line, err := bufio.NewReaderSize(c, 4<<10).ReadSlice('\n')
			var q clearRequest
			if err != nil || json.Unmarshal(line, &q) != nil || q.Key == "" ||
				subtle.ConstantTimeCompare([]byte(q.Token), []byte(s.token)) != 1 {
				return
			}
			var a clearResponse
			if a.Removed, err = s.effects.clear(q.Key); err != nil {
				a.Error = err.Error()
			}
			_ = json.NewEncoder(c).Encode(a)
		})
	}
}
