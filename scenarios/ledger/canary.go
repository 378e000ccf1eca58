package ledger

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"

	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

const (
	shapesRead = 200 // ids of writes whose common shape a canary has
	canaryBits = 40  // randomness of a canary, in bits, so that no write has its id by chance
)

// errEnough ends the reading of the log.
var errEnough = errors.New("enough")

// neverWritten returns an id that no write has, in the shape of those that writes have: a request that says how long it
// is, or a column of UUIDs, takes it.
func (l *Ledger) neverWritten(r Run) (string, error) {
	random := r.Rand()
	refs := l.spec.ID.Refs()
	if len(refs) == 1 && refs[0].Kind == syntax.RefLedger {
		it := template.Iter{Rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), Env: r.Env}
		it.NewWrite()
		return string(it.Write), nil
	}
	var ids []string
	err := l.kept.Each(func(w loggedWrite) error {
		if ids = append(ids, w.ID); len(ids) == shapesRead {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return "", err
	}
	return canary(ids, random), nil
}

// classes are the characters that replace one of them in a canary.
var classes = []string{"0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}

// hexadecimal are the classes of ids of hexadecimal digits, by the letters among them.
var hexadecimal = map[string]string{"abcdef": "0123456789abcdef", "ABCDEF": "0123456789ABCDEF"}

// canary returns a random id in the shape of ids. It keeps the characters that all of them have at a place, such as the
// prefix of an id or the version of a UUID, and replaces others by characters of the same class. If that leaves too few
// possible ids, it also replaces common characters, the last first, and then makes the id longer: short ids are
// mostly numbers, and another number of as many digits may be the id of an old write.
func canary(ids []string, r *rand.Rand) string {
	if len(ids) == 0 {
		return "never-written"
	}
	like := []byte(ids[0])
	fresh, vary := make([]bool, len(like)), ""
	for i, c := range like {
		for _, id := range ids {
			if len(id) == len(like) && id[i] != c {
				fresh[i] = true
				vary += id[i : i+1]
			}
		}
	}
	kinds := classes
	for letters, k := range hexadecimal {
		if strings.ContainsAny(vary, "0123456789") && strings.ContainsAny(vary, letters) && strings.Trim(vary, k) == "" {
			kinds = append([]string{k}, classes...)
		}
	}
	class := func(c byte) string {
		for _, k := range kinds {
			if strings.IndexByte(k, c) >= 0 {
				return k
			}
		}
		return ""
	}
	bits := func(k string) float64 {
		if k == "" {
			return 0
		}
		return math.Log2(float64(len(k)))
	}
	sum := 0.
	for i, c := range like {
		if fresh[i] {
			sum += bits(class(c))
		}
	}
	for i := len(like) - 1; i >= 0 && sum < canaryBits; i-- {
		if !fresh[i] {
			fresh[i] = true
			sum += bits(class(like[i]))
		}
	}
	more := classes[0]
	for i := len(like) - 1; i >= 0; i-- {
		if k := class(like[i]); k != "" {
			more = k
			break
		}
	}
	for ; sum < canaryBits; sum += bits(more) {
		like, fresh = append(like, more[1]), append(fresh, true)
	}
	for i, c := range like {
		k := class(c)
		if !fresh[i] || k == "" {
			continue
		}
		if like[i] = k[r.IntN(len(k))]; i == 0 && like[i] == '0' && c != '0' { // a number does not begin with 0
			like[i] = k[1+r.IntN(9)]
		}
	}
	return string(like)
}
