//go:build !linux

package proxy

const canSplice = false

type (
	pipes  struct{}
	bridge struct{}
)

func (*pipes) close()       {}
func (*bridge) holds() bool { return false }

func (f *flow) splice() error { panic("proxy: no splice on this system") }
