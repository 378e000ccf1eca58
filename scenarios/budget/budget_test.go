package budget

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"brunt/scenarios/suite"
)

// TestClaim: what is small takes nothing of the budget, what is large does, and everything comes back.
func TestClaim(t *testing.T) {
	var little, large, other Claim
	if err := errors.Join(little.Take(small), large.Take(small), large.Take(1), other.Take(1<<20)); err != nil {
		t.Fatal(err)
	}
	if little.held != nil || Held() != small+1+1<<20 {
		t.Errorf("%d bytes are held, and a small claim has %v", Held(), little.held)
	}
	if err := large.Join(other.Move()); err != nil || other.held != nil || Held() != small+1+1<<20 {
		t.Errorf("%d bytes are held after a claim joined another: %v", Held(), err)
	}
	large.Give(1 << 20)
	if Held() > 2*small {
		t.Errorf("%d bytes are held after most were given back", Held())
	}
	large.Release()
	little.Release()
	if Held() != 0 {
		t.Errorf("%d bytes are held at the end", Held())
	}
}

// TestClaim_Full: what exceeds the budget is an error that says the bound, takes nothing, and is none any more when
// another claim has ended. A claim that is not given back comes back with its memory.
func TestClaim_Full(t *testing.T) {
	var a, b Claim
	if err := a.Take(whole - 1<<20); err != nil {
		t.Fatal(err)
	}
	err := b.Take(2 << 20)
	if Over(err) == nil || !strings.Contains(err.Error(), "at most 64MiB of answers") {
		t.Errorf("over the budget: %v", err)
	}
	if Held() != whole-1<<20 {
		t.Errorf("%d bytes are held after a refusal", Held())
	}
	if err := b.Wait(whole + 1); Over(err) == nil {
		t.Error("more than the whole budget was given")
	}
	done := make(chan error)
	go func() { done <- b.Wait(2 << 20) }()
	a.Release()
	if err := <-done; err != nil || Held() != 2<<20 {
		t.Errorf("%d bytes are held after a wait: %v", Held(), err)
	}
	b.Release()
	func() { _ = new(Claim).Take(1 << 20) }()
	suite.Until(t, "a lost claim to come back", func() bool {
		runtime.GC()
		return Held() == 0
	})
}

// endless has no end.
type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// TestClaim_ReadAll: it reads at most one byte more than is allowed, and no more than the budget has.
func TestClaim_ReadAll(t *testing.T) {
	var c Claim
	defer c.Release()
	for _, n := range []int{0, 1, 511, 512, 513, 1 << 20} {
		c.Release()
		want := bytes.Repeat([]byte("x"), n)
		if got, err := c.ReadAll(bytes.NewReader(want), 2<<20); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %d, %v", n, len(got), err)
		}
	}
	c.Release()
	if got, err := c.ReadAll(endless{}, 1<<20); err != nil || len(got) != 1<<20+1 {
		t.Errorf("%d bytes: %v", len(got), err)
	}
	c.Release()
	if got, err := c.ReadAll(endless{}, 1<<30); Over(err) == nil || cap(got) > whole || Held() > whole {
		t.Errorf("%d bytes of memory: %v", cap(got), err)
	}
	c.Release()
	if _, err := c.ReadAll(io.MultiReader(strings.NewReader("a"), errorReader{}), 9); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a broken reader: %v", err)
	}
}

// TestClaim_Beside: an answer that fits by itself lacks room because of others; one that never fits does not.
func TestClaim_Beside(t *testing.T) {
	var held, late Claim
	defer held.Release()
	if err := held.Take(int(whole) - 1<<20); err != nil {
		t.Fatal(err)
	}
	if err := late.Take(2 << 20); !Beside(err) {
		t.Errorf("an answer of 2 MiB beside one that leaves 1 MiB: %v", err)
	}
	if err := late.Take(int(whole) + 1); err == nil || Beside(err) {
		t.Errorf("an answer that is over the whole budget: %v", err)
	}
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

// BenchmarkClaim is what a small answer costs.
func BenchmarkClaim(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var c Claim
		_ = c.Take(1 << 10)
		c.Release()
	}
}
