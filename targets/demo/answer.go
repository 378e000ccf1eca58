package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"
)

// maxBody is the largest request body in bytes.
const maxBody = 64 << 10

// A problem is an error response to a client.
type problem struct {
	status int
	text   string
	after  time.Duration // when to retry; 0: not sent
}

func (p *problem) Error() string { return p.text }

// A handler answers a request, or returns the problem to send.
type handler func(w http.ResponseWriter, r *http.Request) error

func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h(w, r); err != nil {
		writeProblem(w, err)
	}
}

func writeProblem(w http.ResponseWriter, err error) {
	p, ok := errors.AsType[*problem](err)
	if !ok {
		p = &problem{status: http.StatusInternalServerError, text: "internal error"}
	}
	if p.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(p.after.Seconds()))))
	}
	if p.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	writeJSON(w, p.status, map[string]string{"error": p.text})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"internal error"}`)
	}
	writeBody(w, status, append(body, '\n'))
}

// writeBody sends encoded JSON.
func writeBody(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	w.Write(body) // an error means that the client is gone
}

// readJSON reads a request body, which must be one JSON value of at most most bytes.
func readJSON(w http.ResponseWriter, r *http.Request, most int64, into any) error {
	body, err := readBody(w, r, most)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &problem{status: http.StatusBadRequest, text: "the body is not the JSON that is wanted: " + err.Error()}
	}
	return nil
}

// readBody reads a request body of at most most bytes.
func readBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, &problem{
			status: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("a body may have %d bytes at most", most),
		}
	}
	if err != nil {
		return nil, &problem{status: http.StatusBadRequest, text: "the body ended early"}
	}
	return body, nil
}

// pageOf returns the page number that a request asks for, from 1.
func pageOf(r *http.Request) (int, error) {
	s := r.URL.Query().Get("page")
	if s == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, &problem{status: http.StatusBadRequest, text: "page must be a whole number from 1"}
	}
	return n, nil
}
