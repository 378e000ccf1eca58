package truth

import "time"

// An Act is what the server does with a request.
type Act struct {
	Delay  time.Duration // before the answer
	Status int           // zero is 200
	Reset  bool          // resets the connection in place of an answer
	Hang   bool          // answers never; the client gives up
}

// Good reports whether the act is an answer under status 400.
func (a Act) Good() bool { return !a.Reset && !a.Hang && a.Status < 400 }

// A Script says what becomes of request n, counted from 0.
type Script func(n int) Act

// Healthy answers every request after delay.
func Healthy(delay time.Duration) Script {
	return func(int) Act { return Act{Delay: delay} }
}

// Between replaces what becomes of the requests from first up to, and without, end.
func (s Script) Between(first, end int, a Act) Script {
	return func(n int) Act {
		if n >= first && n < end {
			return a
		}
		return s(n)
	}
}

// EveryIn replaces what becomes of each k-th request from first up to, and without, end.
func (s Script) EveryIn(first, end, k int, a Act) Script {
	return func(n int) Act {
		if n >= first && n < end && (n-first)%k == 0 {
			return a
		}
		return s(n)
	}
}
