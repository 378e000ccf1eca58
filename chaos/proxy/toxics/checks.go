package toxics

import (
	"errors"
	"time"

	"brunt/chaos/proxy"
)

// checkShare returns an error unless the share lies between 0 and 1.
func checkShare(share float64) error {
	if !(share >= 0 && share <= 1) {
		return errors.New("a share lies between 0 and 1")
	}
	return nil
}

// checkRequests checks the settings that all toxics on requests share. Parsed reports whether the proxy
// parses HTTP.
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
