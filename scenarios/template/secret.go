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

// shortestSecret is the minimum length in bytes of a form that is masked.
const shortestSecret = secret.ShortestGiven

// Bounds of the values that became known while a run goes on, so that a run with a token for each
// of its users needs no more memory and time for them than one with a hundred.
const (
	mostLearned     = 1024    // values that are known at a time; the oldest is forgotten
	mostForms       = 4 << 20 // bytes of their forms, likewise
	longestLearned  = 4 << 10 // bytes of a value; a longer one is learned by its beginning
	offeredAtFirst  = 256     // values of requests that are learned at first
	offeredEvery    = time.Second / 20
	rememberedHints = 1 << 12 // values of which it is remembered that they were offered
)

// Secrets are values that are masked in every output: report, journal, log, samples. Those that
// came from the environment or a file are given by Add. Those that are secret because of their
// name, such as a token in an answer, are learned while the run goes on. The zero value masks
// nothing. Any goroutine may use it.
type Secrets struct {
	mu      sync.RWMutex
	known   map[string]bool // the values
	forms   formIndex       // all their encodings
	plain   map[string]bool // words that the scenario shows openly
	names   []string        // of the parts of the scenario, of which no part is learned
	learned []string        // a ring of the values that were learned; empty: it was given since
	places  map[string]int  // in the ring, of the values in it
	entered int             // values that came into the ring
	left    int             // values that went from it
	bytes   int             // length of the forms of those in it
	some    atomic.Bool     // there is a form to mask
	tell    func(v string)  // see Watch; nil: it is not watched

	offered offered
}

// offered bounds how many values of requests are learned.
type offered struct {
	seen  [rememberedHints]atomic.Uint64 // hashes of values that were offered
	count atomic.Int64
	after atomic.Int64 // ns since the epoch; no value is learned before
}

var hashSeed = maphash.MakeSeed()

// Add makes v a secret, in all its encodings: as it is, without surrounding blanks, line by line,
// inside JSON, inside JSON within a JSON string, in base64 at any position of the encoded text, in hex digits,
// inside a URL, in a header's line, and quoted by Go. Texts shorter than [secret.ShortestGiven] are not
// masked.
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

// add adds a value that is not known, in these forms.
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

// Watch calls tell with each value that becomes a secret from now on. Tell uses no method of s.
func (s *Secrets) Watch(tell func(v string)) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell = tell
}

// Shown makes the names of steps, loads, units, faults and checks known. No value that is one of
// them, or a part of one, is learned; one that the scenario or its environment gives stays a secret.
func (s *Secrets) Shown(names ...string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.names = append(s.names, names...)
}

// learns reports whether a value is to be learned.
func (s *Secrets) learns(v string) bool {
	return !s.known[v] && !s.plain[v] && !slices.ContainsFunc(s.names,
		func(name string) bool { return strings.Contains(name, v) })
}

// Plain makes v a word that the scenario shows openly, such as the name of a unit. A value that is
// secret by its name alone, and is the same word, is masked at its place only.
func (s *Secrets) Plain(v string) {
	if len(v) < secret.Shortest || strings.ContainsFunc(v,
		func(r rune) bool { return (r < 'a' || r > 'z') && r != '-' && r != '_' }) {
		return // it is no word
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.plain == nil {
		s.plain = map[string]bool{}
	}
	s.plain[v] = true
}

// Name makes the value of a name that the scenario writes a secret, if the name says that it is one
// and the value is long enough, see [secret.IsLong].
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

// Learn makes values secret that are so because of their name, and that came into being while the
// run goes on. Values that are too short, see [secret.IsLong], are left out. The latest 1024 are known,
// and fewer where they are long; of one over 4 KiB its first 4 KiB.
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
		forms := allForms(v) // without the lock, which the path of every request takes
		s.mu.Lock()
		if s.learns(v) {
			s.add(v, forms)
			s.remember(v, sizeOf(forms))
		}
		s.mu.Unlock()
	}
}

// remember puts a value into the ring, and forgets the oldest that have no place beside it.
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

// forget makes a learned value unknown, so that it is learned again where it is offered again.
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

// Offer learns a value of a request: the first 256, then 20 a second. It is for the path of a
// request: it takes no lock and allocates nothing for a value that is known or is not learned. A
// value that is not learned is masked where a request that holds it is kept, see [Iter.Learn].
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

// Mask returns text with every secret masked, and every beginning of a secret before an ellipsis.
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

// Hide is MaskFields for a line of a file of the user's, with as many stars as a value has characters.
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

// MaskFields is Mask for a text that brunt did not write, such as an answer or a line of a log:
// values that are secret because of the name before them are masked as well, whatever their length.
func (s *Secrets) MaskFields(text string) string {
	lines := strings.Split(s.Mask(text), "\n") // a quote that a line leaves open does not hide the next ones
	for i, line := range lines {
		lines[i] = secret.Fields(line)
	}
	return strings.Join(lines, "\n")
}

// holdBack returns how many bytes at the end of a part of a text may belong to a secret that the next part goes on
// with.
func (s *Secrets) holdBack(text string) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.forms.count) == 0 {
		return 0
	}
	return s.forms.holdBack(text)
}
