package template

import (
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
)

// shortestSecret is the minimum length in bytes of a masked secret. Masking shorter texts, such
// as every 1 or on, would make a report unreadable and protect nothing.
const shortestSecret = 3

// Bounds of the values that became known while a run goes on, so that a run with a token for each
// of its users needs no more memory and time for them than one with a hundred.
const (
	mostLearned     = 1024 // values that are known at a time; the oldest is forgotten
	offeredAtFirst  = 256  // values of requests that are learned at first
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
	learned []string        // a ring of the values that were learned
	next    int             // place in the ring of the next one
	some    atomic.Bool     // there is a form to mask

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
// inside a URL, in a header's line, and quoted by Go. Texts shorter than three bytes are not
// masked.
func (s *Secrets) Add(v string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(v)
}

func (s *Secrets) add(v string) bool {
	if s.known[v] {
		return false
	}
	if s.known == nil {
		s.known = map[string]bool{}
	}
	s.known[v] = true
	for _, f := range allForms(v) {
		s.forms.add(f)
	}
	s.some.Store(len(s.forms.count) > 0)
	return true
}

// Plain makes v a word that the scenario shows openly, such as the name of a unit. A value that is
// secret by its name alone, and is the same word, is masked at its place only.
func (s *Secrets) Plain(v string) {
	if len(v) < secret.Shortest || strings.ContainsFunc(v, func(r rune) bool { return (r < 'a' || r > 'z') && r != '-' && r != '_' }) {
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
			s.add(one)
		}
		s.mu.Unlock()
	}
}

// Learn makes values secret that are so because of their name, and that came into being while the
// run goes on. Values that are too short, see [secret.IsLong], are left out. The latest 1024 are known.
func (s *Secrets) Learn(values ...string) {
	if s == nil {
		return
	}
	for _, v := range values {
		if !secret.IsLong(v) {
			continue
		}
		s.mu.Lock()
		if !s.plain[v] && s.add(v) {
			s.remember(v)
		}
		s.mu.Unlock()
	}
}

// remember puts a value into the ring, and forgets the one whose place it takes.
func (s *Secrets) remember(v string) {
	if len(s.learned) < mostLearned {
		s.learned = append(s.learned, v)
		return
	}
	old := s.learned[s.next]
	delete(s.known, old)
	for _, f := range allForms(old) {
		s.forms.remove(f)
	}
	s.learned[s.next] = v
	s.next = (s.next + 1) % mostLearned
}

// Offer learns a value of a request: the first 256, then 20 a second. It is for the path of a
// request: it takes no lock and allocates nothing for a value that is known or is not learned. A
// value that is not learned is masked where a request that holds it is kept, see [Iter.Learn].
func (s *Secrets) Offer(v []byte) {
	if s == nil || len(v) < secret.Shortest {
		return
	}
	h := maphash.Bytes(hashSeed, v)
	slot := &s.offered.seen[h%rememberedHints]
	if slot.Load() == h {
		return
	}
	if s.offered.count.Load() >= offeredAtFirst {
		now, after := time.Now().UnixNano(), s.offered.after.Load()
		if now < after || !s.offered.after.CompareAndSwap(after, now+int64(offeredEvery)) {
			return
		}
	}
	s.offered.count.Add(1)
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
	return s.forms.mask(text)
}

// MaskFields is Mask for a text that brunt did not write, such as an answer or a line of a log:
// values that are secret because of the name before them are masked as well, whatever their length.
func (s *Secrets) MaskFields(text string) string { return secret.Fields(s.Mask(text)) }

// holdBack returns how many bytes at the end of a part of a text may belong to a secret that the next part goes on with.
func (s *Secrets) holdBack(text string) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.forms.count) == 0 {
		return 0
	}
	return s.forms.holdBack(text)
}
