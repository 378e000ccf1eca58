package auth

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"
)

// A token is replaced before it expires. A failed fetch is retried with growing delays and
// reported once; meanwhile the last token is sent.
func TestTokens_Keep(t *testing.T) {
	for _, c := range []struct {
		name     string
		life     time.Duration
		fail     map[int]bool    // fetches that fail, by number from 0
		over     time.Duration   // how long it is watched at least
		at       []time.Duration // of the fetches; without the randomness of the pauses after failures
		reported int
	}{
		{
			"an hour", time.Hour, nil, 3 * time.Hour,
			[]time.Duration{0, 59 * time.Minute, 118 * time.Minute, 177 * time.Minute},
			0,
		},
		{
			"ten seconds", 10 * time.Second, nil, 30 * time.Second,
			[]time.Duration{0, 8 * time.Second, 16 * time.Second, 24 * time.Second},
			0,
		},
		{"no end", 0, nil, 100 * time.Hour, []time.Duration{0}, 0},
		{
			"failures", 10 * time.Second,
			map[int]bool{1: true, 2: true, 3: true},
			0,
			[]time.Duration{
				0, 8 * time.Second, 8500 * time.Millisecond, 9500 * time.Millisecond, 11500 * time.Millisecond,
				19500 * time.Millisecond,
			},
			2,
		},
		{
			"no more", 10 * time.Second,
			map[int]bool{1: true, 2: true, 3: true, 4: true, 5: true, 6: true, 7: true, 8: true},
			0,
			[]time.Duration{
				0, 8 * time.Second, 8500 * time.Millisecond, 9500 * time.Millisecond, 11500 * time.Millisecond,
				15500 * time.Millisecond, 23500 * time.Millisecond,
				33500 * time.Millisecond, 43500 * time.Millisecond,
			},
			1,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				t0 := time.Now()
				var at []time.Duration
				all := make(chan struct{}) // closed at the last fetch that is expected
				k := &Tokens{learn: func(string) {}, fetch: func(context.Context) (*oauth2.Token, error) {
					n := len(at)
					if at = append(at, time.Since(t0)); len(at) == len(c.at) {
						close(all)
					}
					if c.fail[n] {
						return nil, errors.New("no")
					}
					tok := &oauth2.Token{AccessToken: string(rune('a' + n))}
					if c.life > 0 {
						tok.Expiry = time.Now().Add(c.life)
					}
					return tok, nil
				}}
				if err := k.Fetch(t.Context()); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				asked, reported, done := 0, 0, make(chan struct{})
				go func() {
					defer close(done)
					k.Keep(ctx, func() { asked++ }, func(error) { reported++ })
				}()
				time.Sleep(c.over)
				select {
				case <-all:
				case <-time.After(4 * time.Hour):
				}
				synctest.Wait()
				last := 0
				for n := range at {
					if !c.fail[n] {
						last = n
					}
				}
				if got := string(k.token()); got != string(rune('a'+last)) {
					t.Errorf("the token is %q, want that of fetch %d", got, last)
				}
				cancel()
				<-done
				same := len(at) == len(c.at)
				for n := 1; same && n < len(at); n++ {
					got, want := at[n]-at[n-1], c.at[n]-c.at[n-1]
					if same = got == want; c.fail[n-1] { // the pause before another try is random
						same = got >= want/2 && got <= want*3/2
					}
				}
				if !same || asked != len(at)-1 || reported != c.reported {
					t.Errorf("fetched at %v, asked %d times, reported %d; want %v, %d, %d", at, asked, reported, c.at, len(c.at)-1,
						c.reported)
				}
			})
		})
	}
}

// A fetch that hangs ends when the token expires; the failure is reported, and the fetch is
// retried.
func TestTokens_KeepTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		t0, hangs := time.Now(), true
		k := &Tokens{learn: func(string) {}}
		k.fetch = func(ctx context.Context) (*oauth2.Token, error) {
			if hangs {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return &oauth2.Token{AccessToken: "b"}, nil
		}
		k.held.Store(&heldToken{[]byte("a"), t0.Add(10 * time.Second)})
		var reported []time.Duration
		k.Keep(t.Context(), func() {}, func(err error) {
			reported = append(reported, time.Since(t0))
			if hangs != (err != nil) {
				t.Errorf("reported of %v", err)
			}
			hangs = false
		})
		const failed, least, most = 10 * time.Second, 10*time.Second + firstRetry/2, 10*time.Second + firstRetry*3/2
		if len(reported) != 2 || reported[0] != failed || reported[1] < least || reported[1] > most ||
			string(k.token()) != "b" {
			t.Errorf("reported at %v, the token is %q", reported, k.token())
		}
	})
}

// The end of the run ends a hanging fetch.
func TestTokens_KeepEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &Tokens{learn: func(string) {}, fetch: func(ctx context.Context) (*oauth2.Token, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		k.held.Store(&heldToken{[]byte("a"), time.Now().Add(10 * time.Second)})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			k.Keep(ctx, func() {}, func(err error) { t.Errorf("reported of %v", err) })
		}()
		time.Sleep(9 * time.Second)
		cancel()
		<-done
	})
}

// TestTokens_Panic checks that a panic on what a token server sent is an error of the fetch.
func TestTokens_Panic(t *testing.T) {
	k := &Tokens{y: &OAuth2{}, fetch: func(context.Context) (*oauth2.Token, error) { panic("nonsense") }}
	if err := k.Fetch(t.Context()); err == nil || !strings.Contains(err.Error(), "made its reader panic: nonsense") {
		t.Error(err)
	}
}
