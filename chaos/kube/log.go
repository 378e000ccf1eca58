package kube

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// A Life says whose output is meant: the present container's, or that of the one before its last restart.
type Life bool

// The lives of a container whose outputs a cluster keeps.
const (
	Present Life = false
	Former  Life = true
)

// Log writes the output of a container of a pod since a time, in whole seconds, from stdout and stderr, and at most a
// number of bytes. cut says that there was more. If there was no such life, the error has the reason [NotFound], or is
// of a bad request.
func (c *Cluster) Log(
	ctx context.Context, namespace, pod, container string, of Life, since time.Time, to io.Writer, most int64,
) (cut bool, err error) {
	res, err := c.send(ctx, call{method: http.MethodGet, path: Pods(c, namespace).at(pod) + "/log", query: url.Values{
		"container": {container}, "previous": {strconv.FormatBool(bool(of))}, "sinceTime": {since.UTC().Format(time.RFC3339)},
	}})
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
		return false, errorOf(res.StatusCode, text)
	}
	if _, err := io.CopyN(to, res.Body, most); err != nil {
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		return false, c.unreachable(ctx, err)
	}
	n, _ := res.Body.Read(make([]byte, 1))
	return n > 0, nil
}
