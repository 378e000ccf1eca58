package mysql

import (
	"slices"
	"testing"
)

// packet returns a packet of the protocol.
func packet(number byte, body ...byte) []byte {
	return append([]byte{byte(len(body)), byte(len(body) >> 8), byte(len(body) >> 16), number}, body...)
}

// FuzzReplies: the same bytes give the same status however a socket divides them, and no byte makes it panic.
func FuzzReplies(f *testing.F) {
	login := packet(0, append([]byte{10, '8', 0}, make([]byte, 20)...)...)
	f.Add(slices.Concat(login, packet(2, 0, 0, 0, 2, 0, 0, 0)), 3, byte(3))
	f.Add(slices.Concat(login, packet(2, 0, 0, 0, 3, 0), packet(1, 1),
		packet(2, 3, 'd', 'e', 'f'), packet(3, 0xfe, 0, 0, 3, 0)), 7, byte(3))
	f.Add([]byte{0xff, 0xff, 0xff, 0, 0xfe, 0xfe}, 1, byte(0x17))
	f.Fuzz(func(t *testing.T, b []byte, size int, command byte) {
		if size < 1 || size > len(b) {
			return
		}
		var whole, divided replies
		for _, r := range []*replies{&whole, &divided} {
			r.asks(packet(1, make([]byte, 40)...))
			r.asks(packet(0, command))
			r.wanted = wanted(command) % (nothing + 1)
		}
		whole.take(slices.Clone(b), false)
		for part := range slices.Chunk(slices.Clone(b), size) {
			divided.take(part, false)
		}
		if whole.within() != divided.within() || whole.known != divided.known || whole.wanted != divided.wanted ||
			whole.left != divided.left {
			t.Errorf("whole: %+v, in parts of %d: %+v", whole, size, divided)
		}
	})
}
