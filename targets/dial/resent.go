package dial

import (
	"math/bits"
	"time"
)

// firstResend is when a system sends a SYN again if none was answered (RFC 6298, section 2); the
// distance to the next doubles each time.
const firstResend = time.Second

// unanswered is how often a SYN was sent again in an attempt that took d and got no answer: after 1, 3, 7 ...
// seconds.
func unanswered(d time.Duration) int32 {
	return int32(bits.Len64(uint64((d+firstResend)/firstResend)) - 1)
}
