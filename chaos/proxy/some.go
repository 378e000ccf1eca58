package proxy

import (
	"errors"

	"brunt/chaos/seed"
)

// some chooses connections: a share of them, by the seed, the toxic and the number of
// the connection. 0 is all.
func some(share float64, s spot) bool {
	return share == 0 || seed.Chosen(share, s.m.l.p.c.Seed, s.m.x.n, s.m.l.n)
}

func checkShare(share float64) error {
	if !(share >= 0 && share <= 1) {
		return errors.New("a share lies between 0 and 1")
	}
	return nil
}
