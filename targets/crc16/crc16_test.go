package crc16_test

import (
	"testing"

	"brunt/targets/crc16"
)

// TestOf: the check value of the catalogue of parametrised CRC algorithms (reveng.sourceforge.io), which the
// specification of Redis cluster has too.
func TestOf(t *testing.T) {
	if got := crc16.Of([]byte("123456789")); got != 0x31c3 {
		t.Errorf("got %#x", got)
	}
	if got := crc16.Of(nil); got != 0 {
		t.Errorf("of nothing it is %#x", got)
	}
}
