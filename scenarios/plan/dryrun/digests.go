package dryrun

import (
	"encoding/hex"

	"brunt/scenarios/disk"
)

// Digests are the SHA-256 digests of files, in hexadecimal, each computed once. The zero value is ready; one goroutine
// uses it.
type Digests struct{ known map[string]string }

// Of returns the digest of a file; ok is false if the file can't be read.
func (d *Digests) Of(file string) (sum string, ok bool) {
	if sum, ok = d.known[file]; ok {
		return sum, sum != ""
	}
	if d.known == nil {
		d.known = map[string]string{}
	}
	if b, err := disk.Digest(file); err == nil {
		sum = hex.EncodeToString(b[:])
	}
	d.known[file] = sum
	return sum, sum != ""
}
