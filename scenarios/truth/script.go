package truth

import "time"

// An Act is the server's reaction to a request.
type Act struct {
	Delay  time.Duration // before the answer
	Status int           // zero means 200
	Reset  bool          // resets the connection instead of answering
	Hang   bool          // never answers; the client gives up
}

// Good reports whether the act is an answer with a status below 400.
func (a Act) Good() bool { return !a.Reset && !a.Hang && a.Status < 400 }

// A Script returns the act for request n, counted from 0.
type Script func(n int) Act

// Healthy answers every request after delay.
func Healthy(delay time.Duration) Script {
	return func(int) Act { return Act{Delay: delay} }
}

// Between returns s with another act for the requests from first up to, but not including, end.
func (s Script) Between(first, end int, a Act) Script {
	return func(n int) Act {
		if n >= first && n < end {
			return a
		}
		return s(n)
	}
}

// EveryIn returns s with another act for each k-th request from first up to, but not including, end.
func (s Script) EveryIn(first, end, k int, a Act) Script {
	return func(n int) Act {
		if n >= first && n < end && (n-first)%k == 0 {
			return a
		}
		return s(n)
	}
}
