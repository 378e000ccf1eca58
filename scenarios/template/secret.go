package template

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
)

// shortestSecret is the minimum length in bytes of an encoding that is masked.
const shortestSecret = secret.ShortestGiven

// Limits on values that become known during a run, so that a run with a token for each of its users needs no more
// memory and time for them than a run with a hundred tokens.
const (
	mostLearned     = 1024    // values that are known at a time; the oldest one is forgotten
	mostForms       = 4 << 20 // bytes of their encodings at a time
	longestLearned  = 4 << 10 // bytes of a value; only the beginning of a longer value is learned
	offeredAtFirst  = 256     // values of requests that are learned before the rate is limited
	offeredEvery    = time.Second / 20
	rememberedHints = 1 << 12 // size of the table that remembers which values were offered
)

// Secrets are values that are masked in every output: report, journal, log, samples. Add takes values from the
// environment or a file. Values that are secret because of their name, such as a token in an answer, are learned
// during the run. The zero value masks nothing. It is safe for concurrent use.
type Secrets struct {
	mu      sync.RWMutex
	known   map[string]bool // the values
	forms   formIndex       // all their encodings
	plain   map[string]bool // words that the scenario shows openly
	names   []string        // names of parts of the scenario; a value within such a name is not learned
	learned []string        // a ring of learned values; an empty entry was later given by Add
	places  map[string]int  // position in the ring of each value in it
	entered int             // values added to the ring so far
	left    int             // values removed from the ring so far
	bytes   int             // total length of the encodings of the values in the ring
	some    atomic.Bool     // there is something to mask
	tell    func(v string)  // see Watch; nil: no watcher

	offered offered
}

// offered limits how many values of requests are learned.
type offered struct {
	seen  [rememberedHints]atomic.Uint64 // hashes of values that were offered
	count atomic.Int64
	after atomic.Int64 // ns since the epoch; no value is learned before it
}

var hashSeed = maphash.MakeSeed()

// Add makes v a secret, in all its encodings: unchanged, without surrounding blanks, line by line, inside JSON,
// inside JSON within a JSON string, in base64 at any position of the encoded text, in hex digits, inside a URL, in a
// header's line, and quoted by Go. Texts shorter than [secret.ShortestGiven] are not masked.
func (s *Secrets) Add(v string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(v)
}

// keep adds a value that is never forgotten.
func (s *Secrets) keep(v string) {
	if i, learned := s.places[v]; learned {
		s.learned[i] = ""
		delete(s.places, v)
		s.bytes -= sizeOf(allForms(v))
		return
	}
	if !s.known[v] {
		s.add(v, allForms(v))
	}
}

// add adds a new value with its encodings.
func (s *Secrets) add(v string, forms []string) {
	if s.known == nil {
		s.known = map[string]bool{}
	}
	s.known[v] = true
	for _, f := range forms {
		s.forms.add(f)
	}
	s.some.Store(len(s.forms.count) > 0)
	if s.tell != nil {
		s.tell(v)
	}
}

// Watch calls tell with each value that becomes a secret from now on. Tell must not call methods of s.
func (s *Secrets) Watch(tell func(v string)) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell = tell
}

// Shown makes the names of steps, loads, units, faults and checks known. A value that is one of them, or a part of
// one, is not learned. A value that the scenario or its environment gives stays a secret.
func (s *Secrets) Shown(names ...string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names = append(s.names, names...)
}

// learns reports whether a value should be learned.
func (s *Secrets) learns(v string) bool {
	return !s.known[v] && !s.plain[v] && !slices.ContainsFunc(s.names,
		func(name string) bool { return strings.Contains(name, v) })
}

// Plain makes v a word that the scenario shows openly, such as the name of a unit. If a value that is secret only by
// its name is the same word, it is masked only at its place.
func (s *Secrets) Plain(v string) {
	if len(v) < secret.Shortest || strings.ContainsFunc(v,
		func(r rune) bool { return (r < 'a' || r > 'z') && r != '-' && r != '_' }) {
		return // it is not a word
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.plain == nil {
		s.plain = map[string]bool{}
	}
	s.plain[v] = true
}

// Name makes the value that the scenario gives to a name a secret, if the name is secret and the value is long
// enough, see [secret.IsLong].
func (s *Secrets) Name(name, v string) {
	if !secret.IsName(name) {
		return
	}
	for _, one := range secret.Of(v) {
		s.mu.Lock()
		if !s.plain[one] {
			s.keep(one)
		}
		s.mu.Unlock()
	}
}

// Learn makes values secret that are secret because of their name and that appear during the run. Values that are too
// short are ignored, see [secret.IsLong]. The latest 1024 values are known, or fewer if they are long. Only the first
// 4 KiB of a longer value are learned.
func (s *Secrets) Learn(values ...string) {
	if s == nil {
		return
	}
	for _, v := range values {
		if !secret.IsLong(v) {
			continue
		}
		v = v[:min(len(v), longestLearned)]
		s.mu.RLock()
		fresh := s.learns(v)
		s.mu.RUnlock()
		if !fresh {
			continue
		}
		forms := allForms(v) // computed without the lock, which every request needs
		s.mu.Lock()
		if s.learns(v) {
			s.add(v, forms)
			s.remember(v, sizeOf(forms))
		}
		s.mu.Unlock()
	}
}

// remember puts a value into the ring, and forgets the oldest values that do not fit beside it.
func (s *Secrets) remember(v string, size int) {
	if s.learned == nil {
		s.learned, s.places = make([]string, mostLearned), map[string]int{}
	}
	for s.entered-s.left == mostLearned || s.left < s.entered && s.bytes+size > mostForms {
		if old := s.learned[s.left%mostLearned]; old != "" {
			s.forget(old)
		}
		s.left++
	}
	i := s.entered % mostLearned
	s.learned[i], s.places[v] = v, i
	s.entered++
	s.bytes += size
}

// forget makes a learned value unknown. It is learned again if it is offered again.
func (s *Secrets) forget(v string) {
	delete(s.known, v)
	delete(s.places, v)
	forms := allForms(v)
	s.bytes -= sizeOf(forms)
	for _, f := range forms {
		s.forms.remove(f)
	}
	h := maphash.String(hashSeed, v)
	s.offered.seen[h%rememberedHints].CompareAndSwap(h, 0)
}

func sizeOf(forms []string) (bytes int) {
	for _, f := range forms {
		bytes += len(f)
	}
	return bytes
}

// Offer learns a value of a request: the first 256 values, then 20 a second. It is on the hot path: for a value that
// is known, or is not learned, it takes no lock and allocates nothing. A value that is not learned is masked when a
// request that contains it is kept, see [Iter.Learn].
func (s *Secrets) Offer(v []byte) {
	if s == nil || len(v) < secret.Shortest {
		return
	}
	v = v[:min(len(v), longestLearned)]
	h := maphash.Bytes(hashSeed, v)
	slot := &s.offered.seen[h%rememberedHints]
	if slot.Load() == h {
		return
	}
	if s.offered.count.Add(1) > offeredAtFirst {
		now, after := time.Now().UnixNano(), s.offered.after.Load()
		if now < after || !s.offered.after.CompareAndSwap(after, now+int64(offeredEvery)) {
			return
		}
	}
	slot.Store(h)
	s.Learn(string(v))
}

// Mask returns text with every secret masked, also a beginning of a secret before an ellipsis.
func (s *Secrets) Mask(text string) string {
	if s == nil || !s.some.Load() || len(text) < shortestSecret {
		return text
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if strings.Contains(text, syntax.Ellipsis) {
		rest := strings.Split(text, syntax.Ellipsis)
		for i, r := range rest[:len(rest)-1] {
			if n := s.forms.cutOff(r); n > 0 {
				rest[i] = r[:len(r)-n] + syntax.Masked
			}
		}
		text = strings.Join(rest, syntax.Ellipsis)
	}
	return s.forms.maskEscaped(s.forms.mask(text))
}

// Hide masks values in a line of a user's file and keeps its width in characters.
func (s *Secrets) Hide(line string) string {
	if s == nil {
		return secret.Hide(line)
	}
	s.mu.RLock()
	if len(s.forms.count) > 0 {
		line = secret.Stars(line, s.forms.spans(line))
	}
	s.mu.RUnlock()
	return secret.Hide(line)
}

// MaskFields is Mask for a text that brunt did not write, such as an answer or a line of a log. It also masks values
// whose name makes them secret, whatever their length.
func (s *Secrets) MaskFields(text string) string {
	lines := strings.Split(s.Mask(text), "\n") // by line, so that an open quote does not affect the next lines
	for i, line := range lines {
		lines[i] = secret.Fields(line)
	}
	return strings.Join(lines, "\n")
}

// holdBack returns how many bytes at the end of a part of a text may belong to a secret that continues in the next
// part.
func (s *Secrets) holdBack(text string) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.forms.count) == 0 {
		return 0
	}
	return s.forms.holdBack(text)
}
