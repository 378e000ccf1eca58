package dial

import (
	"math/bits"
	"time"
)

// firstResend is the time after which a system sends an unanswered SYN again (RFC 6298, section 2). The time to the
// next SYN doubles each time.
const firstResend = time.Second

// unanswered returns how often a SYN was sent again in an attempt that took d without an answer: after 1, 3, 7 ...
// seconds.
func unanswered(d time.Duration) int32 {
	return int32(bits.Len64(uint64((d+firstResend)/firstResend)) - 1)
}
