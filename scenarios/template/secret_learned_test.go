package template_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"brunt/scenarios/template"
)

// TestSecrets_Learn: a value that is learned is masked in every encoding; one that is short, a number or a word of
// the scenario is not masked elsewhere.
func TestSecrets_Learn(t *testing.T) {
	var s template.Secrets
	s.Plain("postgres")
	s.Learn("pa ss/w+rd", "1", "123456", "postgres", "short")
	s.Name("password", "wr'itten&")
	s.Name("title", "openly-said")
	s.Name("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("ann:hunter2")))
	for _, text := range []string{
		"pa ss/w+rd", "pa+ss%2Fw%2Brd", "pa+ss%2fw%2brd", "pa%20ss%2Fw%2Brd", `pa ss\/w+rd`, `pa ss/w\u002brd`,
		url.QueryEscape(url.QueryEscape("pa ss/w+rd")),
		"wr&#39;itten&amp;", "wr&#x27;itten&amp;", "wr&apos;itten&amp;", "hunter2", "YW5uOmh1bnRlcjI=",
	} {
		if got := s.Mask("<" + text + ">"); got != "<***>" && text != `pa ss/w\u002brd` {
			t.Errorf("%s is masked as %s", text, got)
		}
	}
	const open = "1 123456 postgres short openly-said"
	if got := s.Mask(open); got != open {
		t.Errorf("%s is masked as %s", open, got)
	}
	if got := s.MaskFields("token=\"abc\nsaid \"no\"\n"); !strings.HasSuffix(got, "\nsaid \"no\"\n") ||
		strings.Contains(got, "abc") {
		t.Errorf("%q: the line after an open quote", got)
	}
	if got := s.MaskFields("password=1 at postgres"); got != "password=*** at postgres" {
		t.Error(got)
	}
}

// TestSecrets_Overlap: secrets that overlap are masked as one.
func TestSecrets_Overlap(t *testing.T) {
	var s template.Secrets
	s.Add("abcdef")
	s.Add("defghi")
	if got := s.Mask("<abcdefghi> <abcdefabcdef>"); got != "<***> <******>" {
		t.Error(got)
	}
}

// TestSecrets_Bounded: of many values the latest are known, what is forgotten costs nothing, and the path of
// a request allocates nothing.
func TestSecrets_Bounded(t *testing.T) {
	var s template.Secrets
	s.Add("given-by-the-environment")
	value := func(i int) string { return fmt.Sprintf("token-%06d-of-a-user", i) }
	for i := range 1500 {
		s.Learn(value(i))
	}
	for i, known := range map[int]bool{0: false, 1500 - 1025: false, 1500 - 1024: true, 1499: true} {
		if got := s.Mask(value(i)); (got == "***") != known {
			t.Errorf("the value %d is shown as %s", i, got)
		}
	}
	if got := s.Mask("given-by-the-environment"); got != "***" {
		t.Error("a secret of the environment is never forgotten")
	}
	if n, forms := s.Sizes(); n != 1025 || forms > 40*1025 {
		t.Errorf("%d values, %d forms", n, forms)
	}
	var o template.Secrets
	one := []byte(value(1))
	o.Offer(one)
	if n := testing.AllocsPerRun(100, func() { o.Offer(one) }); n != 0 {
		t.Errorf("%v allocations for a value that is known", n)
	}
	if o.Mask(value(1)) != "***" {
		t.Error("an offered value is not known")
	}
	for i := range 20_000 {
		o.Offer([]byte(value(i)))
	}
	if n, _ := o.Sizes(); n < 256 || n > 1024 {
		t.Errorf("%d values of 20 000 are known", n)
	}
}

// TestSecrets_InUse: a value that is given after it was learned is never forgotten, and one that was forgotten is
// learned again when it is offered; the filter forgets with it.
func TestSecrets_InUse(t *testing.T) {
	var s template.Secrets
	value := func(i int) string { return fmt.Sprintf("%x-token-of-%d", i*7919, i) }
	s.Offer([]byte("offered-0001"))
	s.Learn("in-use-0001")
	s.Add("in-use-0001")
	for i := range 1024 {
		s.Learn(value(i))
	}
	full := s.Admitted()
	if s.Mask("offered-0001") != "offered-0001" {
		t.Fatal("the ring keeps more than it may")
	}
	s.Offer([]byte("offered-0001"))
	if got := s.Mask("offered-0001 in-use-0001"); got != "*** ***" {
		t.Errorf("masked as %s", got)
	}
	for i := range 8000 {
		s.Learn(value(1024 + i))
	}
	if s.Mask("in-use-0001") != "***" {
		t.Error("a value in use is forgotten")
	}
	if n := s.Admitted(); n > 3*full/2 {
		t.Errorf("the filter has %d bits, and had %d when the ring was full", n, full)
	}
}

// TestSecrets_Long: long values take no more memory than many short ones, and are learned by their beginnings.
func TestSecrets_Long(t *testing.T) {
	var s template.Secrets
	value := func(i int) string { return fmt.Sprintf("token-%06d", i) + strings.Repeat("a1B2", 2000) }
	for i := range 200 {
		s.Learn(value(i))
	}
	if n, _ := s.Sizes(); n > 100 {
		t.Errorf("%d long values are known", n)
	}
	if got := s.Mask(value(199)[:4096]); got != "***" {
		t.Errorf("the latest is shown as %.20s", got)
	}
}

// TestSecrets_Shown: no part of a name is learned; a value that is given stays a secret.
func TestSecrets_Shown(t *testing.T) {
	var s template.Secrets
	s.Shown("GET /posts/latest", "pay-by-card")
	s.Learn("/posts/latest", "GET /posts/latest", "by-card", "other-value")
	s.Add("GET /posts")
	if got := s.Mask("/posts/latest pay-by-card other-value GET /posts"); got != "/posts/latest pay-by-card *** ***" {
		t.Error(got)
	}
}

// TestSecrets_Concurrent is for the race detector.
func TestSecrets_Concurrent(t *testing.T) {
	var s template.Secrets
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 20 {
				v := fmt.Sprintf("token-%d-%d", g, i)
				s.Offer([]byte(v))
				s.Learn(v)
				if got := s.Mask("<" + v + ">"); strings.Contains(got, v) {
					t.Errorf("%s is masked as %s", v, got)
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkSecrets_Mask(b *testing.B) {
	for _, n := range []int{1, 1000} {
		var s template.Secrets
		for i := range n {
			s.Learn(fmt.Sprintf("token-%06d-of-a-user", i*7919))
		}
		text := strings.Repeat(`2026-11-22T03:16:20Z INFO request path=/posts/17 status=200 took=1.2ms id=b7f3c1`+"\n", 50)
		for name, mask := range map[string]func(string) string{"values": s.Mask, "fields": s.MaskFields} {
			b.Run(fmt.Sprintf("%s/secrets=%d", name, n), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					mask(text)
				}
			})
		}
	}
}

func BenchmarkSecrets_Offer(b *testing.B) {
	var s template.Secrets
	for i := range 1000 {
		s.Offer(fmt.Appendf(nil, "token-%06d-of-a-user", i))
	}
	one, fresh := []byte("token-000001-of-a-user"), []byte("token-999999-of-a-user")
	b.Run("known", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Offer(one)
		}
	})
	b.Run("new", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			fresh[6], fresh[7], fresh[8], fresh[9] = byte('a'+i%26), byte('a'+i/26%26), byte('a'+i/676%26), byte('a'+i/17576%26)
			s.Offer(fresh)
		}
	})
}

// TestSecrets_Watch: Watch reports each value that becomes a secret once, whether it is given or learned.
func TestSecrets_Watch(t *testing.T) {
	var s template.Secrets
	var got []string
	s.Add("before-0123456789")
	s.Watch(func(v string) { got = append(got, v) })
	s.Learn("learned-0123456789", "before-0123456789", "short")
	s.Add("given-0123456789")
	s.Offer([]byte("offered-0123456789"))
	s.Learn("learned-0123456789")
	if want := []string{"learned-0123456789", "given-0123456789", "offered-0123456789"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
