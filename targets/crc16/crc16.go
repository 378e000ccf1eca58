// Package crc16 computes the CRC-16 of XMODEM: polynomial 0x1021, initial value 0. Redis maps keys to slots by it, and
// NATS protects its keys with it.
package crc16

var table = func() (t [256]uint16) {
	for i := range t {
		sum := uint16(i) << 8
		for range 8 {
			carry := sum&0x8000 != 0
			if sum <<= 1; carry {
				sum ^= 0x1021
			}
		}
		t[i] = sum
	}
	return t
}()

// Of returns the checksum of b.
func Of(b []byte) (sum uint16) {
	for _, x := range b {
		sum = sum<<8 ^ table[byte(sum>>8)^x]
	}
	return sum
}
