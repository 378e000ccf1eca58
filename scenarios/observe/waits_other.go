//go:build !linux

package observe

import "time"

// threadWaits knows nothing: only Linux tells how long a thread of another process waited for a processor.
type threadWaits struct{}

func (*threadWaits) of(used) (changed bool) { return false }

func (*threadWaits) read() (all, longest time.Duration, same, known bool) { return 0, 0, false, false }

func likeBrunt(int) bool { return false }

func packetThreads() []int { return nil }
