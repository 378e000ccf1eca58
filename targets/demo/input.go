package demo

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
)

const mostItems = 100 // of a page that a client asks for

// An input reads what clients send. The zero value checks all of it.
type input struct {
	lax       bool // ids and texts are not checked
	unbounded bool // bodies, texts and pages may have any size
}

func newInput(e *environment) input {
	return input{lax: !e.on("DEMO_VALIDATION"), unbounded: !e.on("DEMO_BOUNDS")}
}

// isID reports whether an id may be a user's.
func (in input) isID(id string) bool { return in.lax || validID(id) }

// maxBody is the largest body, in bytes.
func (in input) maxBody() int64 {
	if in.unbounded {
		return math.MaxInt64
	}
	return maxBody
}

// sizeOf returns how many posts a page has that a request asks for.
func (in input) sizeOf(r *http.Request) (int, error) {
	s := r.URL.Query().Get("size")
	if s == "" {
		return pageItems, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > mostItems && !in.unbounded {
		return 0, &problem{
			status: http.StatusBadRequest, text: fmt.Sprintf("size must be a whole number from 1 to %d", mostItems),
		}
	}
	return n, nil
}
