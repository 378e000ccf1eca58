package toxics

import (
	"errors"
	"time"

	"brunt/chaos/proxy"
)

// checkShare tells that a share is none.
func checkShare(share float64) error {
	if !(share >= 0 && share <= 1) {
		return errors.New("a share lies between 0 and 1")
	}
	return nil
}

// checkRequests checks what all toxics on requests have: parsed is that the proxy parses HTTP.
func checkRequests(parsed bool, share float64) error {
	var errs []error
	if !parsed {
		errs = append(errs, proxy.ErrNotHTTP)
	}
	if !(share >= 0 && share <= 1) {
		errs = append(errs, errors.New("a share lies between 0 and 1"))
	}
	return errors.Join(errs...)
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
