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

// checkDelay checks the delay of requests and its jitter.
func checkDelay(delay, jitter time.Duration) error {
	var errs []error
	if delay < 0 || jitter < 0 {
		errs = append(errs, errors.New("a delay and its jitter can't be negative"))
	}
	if delay == 0 && jitter == 0 {
		errs = append(errs, errors.New("the delay of a request is missing"))
	}
	return errors.Join(errs...)
}

// swung returns a delay with a uniform deviation; fraction lies from 0 to 1.
func swung(delay, jitter time.Duration, fraction float64) time.Duration {
	return max(0, delay+time.Duration(float64(jitter)*(2*fraction-1)))
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
