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

// A Life says of which life of a container an output is: of the present one, or of the one before it.
type Life bool

// The lives of a container whose outputs a cluster keeps.
const (
	Present Life = false
	Former  Life = true
)

// Log writes what a container of a pod has printed since a time, in whole seconds, on both of its outputs, and at most
// that many bytes. Cut says that there was more. An error with the reason [NotFound] or of a bad request says that
// there was no such life.
func (c *Cluster) Log(
	ctx context.Context, namespace, pod, container string, of Life, since time.Time, to io.Writer, most int64,
) (cut bool, err error) {
	res, err := c.send(ctx, call{method: http.MethodGet, path: c.Pods(namespace).at(pod) + "/log", query: url.Values{
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
