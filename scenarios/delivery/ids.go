package delivery

import (
	"encoding/hex"
	"hash/maphash"
	"time"

	"brunt/scenarios"
)

// An ids is a keyed bijection between the numbers of requests and 64-bit ids: other runs have other ids, and a
// sighting
// finds its number without a table. The low bits of what is mixed are the group of the deliveries, one for each step
// that sends.
type ids struct{ before, after uint64 }

const groupBits = 8

// MostSenders is the maximum number of steps that send what the deliveries of a run expect to see.
const MostSenders = 1 << groupBits

// idLength is the length of an id in hexadecimal digits.
const idLength = 16

// of returns the id of a number.
func (k ids) of(group uint8, n uint64) uint64 {
	return scenarios.MixBits((n<<groupBits|uint64(group))^k.before) ^ k.after
}

// number returns the group and the number of an id. Of an id that was not drawn, they are arbitrary, and the
// number is
// almost certainly beyond those that were drawn: a wrong id of 64 bits passes for one of a million drawn ones with a
// probability of 2^-44.
func (k ids) number(id uint64) (group uint8, n uint64) {
	z := unmix(id^k.after) ^ k.before
	return uint8(z), z >> groupBits
}

// unmix is the inverse of [scenarios.MixBits]: shifts are undone by repeating them, and factors by their inverses
// modulo 2^64.
func unmix(z uint64) uint64 {
	z = (z ^ z>>31 ^ z>>62) * 0x319642b2d24d8ec3
	z = (z ^ z>>27 ^ z>>54) * 0x96de1b173f119089
	return z ^ z>>30 ^ z>>60
}

// appendID appends an id as text.
func appendID(dst []byte, id uint64) []byte {
	var b [8]byte
	for i := range b {
		b[i] = byte(id >> (56 - 8*i))
	}
	return hex.AppendEncode(dst, b[:])
}

// parseID reads an id.
func parseID(text string) (id uint64, ok bool) {
	var b [8]byte
	if len(text) != idLength {
		return 0, false
	}
	if _, err := hex.Decode(b[:], []byte(text)); err != nil {
		return 0, false
	}
	for _, x := range b {
		id = id<<8 | uint64(x)
	}
	return id, true
}

// A table finds the numbers of ids that the target gives. It keeps a hash of each, some 20 bytes. A message may be seen
// before the answer that names its id: such sightings wait until their id is known. If too many wait, the table forgets
// the older ones.
type table struct {
	seed         maphash.Seed
	by           map[uint64]uint64
	early, older sightings     // early has the latest ones
	gone         time.Duration // of forgotten sightings, the time of the latest
}

// sightings holds the sightings of unknown ids, by the hash of the id.
type sightings struct {
	by map[uint64][]sighting
	n  int
}

// mostEarly bounds the sightings whose ids are not known.
const mostEarly = 100_000

func newTable() *table {
	return &table{
		seed: maphash.MakeSeed(), by: map[uint64]uint64{}, early: sightings{by: map[uint64][]sighting{}}, gone: neverBlind,
	}
}

func (t *table) hash(id string) uint64 { return maphash.String(t.seed, id) }

// wait keeps the sighting of an id that is not known. It returns the number of sightings that it forgot instead.
func (t *table) wait(h uint64, see sighting) (forgot int) {
	if t.early.n >= mostEarly/2 {
		for _, all := range t.older.by {
			for _, one := range all {
				t.gone = max(t.gone, one.at)
			}
		}
		forgot, t.older, t.early = t.older.n, t.early, sightings{by: map[uint64][]sighting{}}
	}
	t.early.by[h] = append(t.early.by[h], see)
	t.early.n++
	return forgot
}

// waits counts the waiting sightings of an id.
func (t *table) waits(h uint64) int { return len(t.older.by[h]) + len(t.early.by[h]) }

// take returns the waiting sightings of an id, which is known now.
func (t *table) take(h uint64) (all []sighting) {
	for _, w := range []*sightings{&t.older, &t.early} {
		all = append(all, w.by[h]...)
		w.n -= len(w.by[h])
		delete(w.by, h)
	}
	return all
}
