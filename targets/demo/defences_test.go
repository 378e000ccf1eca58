package demo

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// atOnce sends n requests at the same moment, and returns their answers, the fastest first.
func atOnce(n int, ask func() answer) []answer {
	answers := make([]answer, n)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() { answers[i] = ask() })
	}
	all.Wait()
	slices.SortFunc(answers, func(a, b answer) int { return int(a.took - b.took) })
	return answers
}

// counts returns how many answers have each status, such as 200:8 503:4.
func counts(answers []answer) string {
	n := map[int]int{}
	for _, a := range answers {
		n[a.status]++
	}
	return strings.TrimSuffix(strings.TrimPrefix(fmt.Sprint(n), "map["), "]")
}

// TestShedding sends 12 reads of 100 ms at once to a gateway that works on 4.
func TestShedding(t *testing.T) {
	for _, tt := range []struct {
		name    string
		with    *bool
		want    string
		slowest time.Duration
	}{
		{"on", nil, "200:8 503:4", 200 * time.Millisecond},
		{"off", off(), "200:12", 300 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Capacity: 4, Shedding: tt.with, Work: 100e6})
				got := atOnce(12, func() answer { return s.ask("GET", "/posts?page=1", "", sec) })
				if counts(got) != tt.want || got[11].took != tt.slowest {
					t.Errorf("%s, the slowest took %s; want %s and %s", counts(got), got[11].took, tt.want, tt.slowest)
				}
				if a := got[0]; tt.with == nil && (a.took != 0 || a.header.Get("Retry-After") != "1") {
					t.Errorf("a refusal took %s, Retry-After %q", a.took, a.header.Get("Retry-After"))
				}
				shed := float64(strings.Count(tt.want, "503")) * 4
				if n := s.metric("gateway[0]", "socialconnect_shed_total"); n != shed {
					t.Errorf("%v counted", n)
				}
				if a := s.ask("GET", "/posts?page=1", "", sec); a.status != http.StatusOK {
					t.Errorf("after all that: %d", a.status)
				}
			})
		})
	}
}

// TestDegrade fills the gateway, and one place of its queue, before an extra comes.
func TestDegrade(t *testing.T) {
	for _, tt := range []struct {
		name, priority string
		with           *bool
		want           int
	}{
		{"off", "u=7", nil, 200},
		{"on", "u=7", on(), 503},
		{"on, with other parameters", "i, u=4", on(), 503},
		{"on, of usual urgency", "u=3", on(), 200},
		{"on, without urgency", "", on(), 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Capacity: 4, Degrade: tt.with, Work: 100e6})
				var before sync.WaitGroup
				before.Go(func() { atOnce(5, func() answer { return s.ask("GET", "/posts?page=1", "", sec) }) })
				synctest.Wait()
				if a := s.ask("GET", "/posts?page=1", "", sec, "Priority", tt.priority); a.status != tt.want {
					t.Errorf("%d, want %d", a.status, tt.want)
				}
				before.Wait()
			})
		})
	}
}

// TestBulkhead_Features fills the gateway with slow reads of posts, and asks for a user.
func TestBulkhead_Features(t *testing.T) {
	for _, tt := range []struct {
		name string
		with *bool
		want int
	}{{"off", nil, 503}, {"on", on(), 200}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Capacity: 4, Bulkhead: tt.with, Work: 100e6})
				var before sync.WaitGroup
				before.Go(func() { atOnce(8, func() answer { return s.ask("GET", "/posts?page=1", "", sec) }) })
				synctest.Wait()
				if a := s.ask("GET", "/users/ann", "", sec); a.status != tt.want {
					t.Errorf("%d, want %d", a.status, tt.want)
				}
				before.Wait()
			})
		})
	}
}

// TestHashPool fills the gateway with logins, and asks for a page.
func TestHashPool(t *testing.T) {
	for _, tt := range []struct {
		name   string
		with   *bool
		logins string
		want   int
	}{{"on", nil, "200:2 503:6", 200}, {"off", off(), "200:8", 503}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Capacity: 4, Passwords: on(), HashPool: tt.with})
				var before sync.WaitGroup
				before.Go(func() {
					got := counts(atOnce(8, func() answer {
						return s.ask("POST", "/login", `{"user":"ann","password":"ann-secret"}`, sec)
					}))
					if got != tt.logins {
						t.Errorf("logins: %s, want %s", got, tt.logins)
					}
				})
				synctest.Wait()
				if a := s.ask("GET", "/posts?page=1", "", sec); a.status != tt.want {
					t.Errorf("%d, want %d", a.status, tt.want)
				}
				before.Wait()
			})
		})
	}
}

// TestRetryBudget sends 100 reads while the store answers nothing, so that each could be retried twice.
func TestRetryBudget(t *testing.T) {
	for _, tt := range []struct {
		name string
		with *bool
		want float64
	}{{"on", nil, 100/budgetShare + budgetExtra}, {"off", off(), 100 * maxRetries}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{RetryBudget: tt.with, Breaker: off(), Ejection: off()})
				s.Break("kill", nil, []string{"store[0]"}, 0)
				s.Break("kill", []string{"posts[0]", "posts[1]"}, []string{"store[0]"}, 0)
				if got := counts(s.load(100, sec, "/posts?page=3", 3*sec)); got != "502:100" {
					t.Fatal(got)
				}
				if n := s.metric("gateway[0]", `socialconnect_retries_total{result="sent"}`); n != tt.want {
					t.Errorf("%v retries, want %v", n, tt.want)
				}
			})
		})
	}
}

// TestPool sends 6 requests of 600 ms at once to a replica with 2 connections to the store.
func TestPool(t *testing.T) {
	for _, tt := range []struct {
		name    string
		config  Config
		want    string
		slowest time.Duration
	}{
		{"with a limit of the wait", Config{}, "200:2 503:4", 600 * time.Millisecond},
		{"without", Config{PoolWait: off()}, "200:6", 1800 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.config.Pool, tt.config.Timeouts = 2, off()
				s := start(t, tt.config)
				s.net.edge("posts[0]", "store[0]").slow(300 * time.Millisecond)
				got := atOnce(6, func() answer {
					return s.askUnit(context.Background(), "posts[0]", "GET", "/posts/17", "")
				})
				if counts(got) != tt.want || got[5].took != tt.slowest {
					t.Errorf("%s, the slowest took %s; want %s and %s", counts(got), got[5].took, tt.want, tt.slowest)
				}
				if a := got[0]; a.status == 503 && (a.took != poolWait || a.header.Get("Retry-After") != "1") {
					t.Errorf("a refusal took %s, Retry-After %q", a.took, a.header.Get("Retry-After"))
				}
			})
		})
	}
}

// TestPool_Leak: a connection that was in use for over a second is lost with the leak, and no other.
func TestPool_Leak(t *testing.T) {
	for _, tt := range []struct {
		name  string
		with  *bool
		delay time.Duration
		want  int
	}{
		{"off", nil, 600 * time.Millisecond, 200},
		{"on, fast calls", on(), 400 * time.Millisecond, 200},
		{"on, slow calls", on(), 600 * time.Millisecond, 503},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Pool: 2, PoolLeak: tt.with, Timeouts: off()})
				ask := func() answer { return s.askUnit(context.Background(), "posts[0]", "GET", "/posts/17", "") }
				link := s.net.edge("posts[0]", "store[0]")
				link.slow(tt.delay)
				if got := counts(atOnce(2, ask)); got != "200:2" {
					t.Fatal(got)
				}
				link.slow(0)
				if a := ask(); a.status != tt.want {
					t.Errorf("%d, want %d", a.status, tt.want)
				}
			})
		})
	}
}

// TestIndex_Scan: without the index each of three pages at once waits for a look at all posts before it.
func TestIndex_Scan(t *testing.T) {
	for _, tt := range []struct {
		name    string
		config  Config
		slowest time.Duration
	}{
		{"with", Config{}, 0},
		{"without", Config{Index: off()}, 3 * seedPosts * scanTime},
		{"with work", Config{Work: 50e6}, 50 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, tt.config)
				got := atOnce(3, func() answer { return s.ask("GET", "/posts?page=1", "", sec) })
				if counts(got) != "200:3" || got[2].took != tt.slowest {
					t.Errorf("%s, the slowest took %s, want %s", counts(got), got[2].took, tt.slowest)
				}
			})
		})
	}
}

// TestInput: what is too large or malformed is refused, unless the check is switched off.
func TestInput(t *testing.T) {
	long := `{"author":"ann","text":"` + strings.Repeat("a", maxText+1) + `"}`
	huge := `{"author":"ann","text":"hi","more":"` + strings.Repeat("a", maxBody) + `"}`
	tests := []struct {
		name, method, path, body string
		strict, unbounded, lax   int // status
	}{
		{"a usual page", "GET", "/posts?page=2&size=100", "", 200, 200, 200},
		{"a large page", "GET", "/posts?page=1&size=101", "", 400, 200, 400},
		{"a page of none", "GET", "/posts?page=1&size=0", "", 400, 400, 400},
		{"a page of words", "GET", "/posts?page=1&size=all", "", 400, 400, 400},
		{"a long text", "POST", "/posts", long, 400, 201, 400},
		{"a huge body", "POST", "/posts", huge, 413, 201, 413},
		{"an author who can't be", "POST", "/posts", `{"author":"<b>","text":"hi"}`, 400, 400, 201},
		{"no text", "POST", "/posts", `{"author":"ann"}`, 400, 400, 201},
		{"a user who can't be", "POST", "/login", `{"user":"a b"}`, 400, 400, 200},
	}
	for i, c := range []Config{{}, {Bounds: off()}, {Validation: off()}} {
		synctest.Test(t, func(t *testing.T) {
			c.Limiter = off()
			s := start(t, c)
			token := "Bearer " + s.login("ann")
			for _, tt := range tests {
				want := [...]int{tt.strict, tt.unbounded, tt.lax}[i]
				a := s.ask(tt.method, tt.path, tt.body, sec, "Authorization", token)
				if a.status != want {
					t.Errorf("%s, config %d: %d %.80s, want %d", tt.name, i, a.status, a.body, want)
				}
				if strings.Contains(tt.path, "size=10") && a.status == 200 && strings.Count(a.body, `"text"`) < 100 {
					t.Errorf("%s: %d posts", tt.name, strings.Count(a.body, `"text"`))
				}
			}
		})
	}
}

// TestLoginLimit: after ten wrong passwords of a user the right one is refused for a minute, and other users log in.
func TestLoginLimit(t *testing.T) {
	for _, tt := range []struct {
		name         string
		with         *bool
		eleventh, ok int
	}{{"on", nil, 429, 429}, {"off", off(), 401, 200}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Passwords: on(), LoginLimit: tt.with})
				login := func(user, password string) answer {
					return s.ask("POST", "/login", fmt.Sprintf(`{"user":%q,"password":%q}`, user, password), sec)
				}
				for range mostGuesses {
					if a := login("ann", "x"); a.status != 401 || a.took != hashTime {
						t.Fatalf("%d %s", a.status, a.took)
					}
				}
				a := login("ann", "y")
				if a.status != tt.eleventh || a.status == 429 && a.header.Get("Retry-After") != "60" {
					t.Errorf("one too many: %d, Retry-After %q", a.status, a.header.Get("Retry-After"))
				}
				if a := login("ann", "ann-secret"); a.status != tt.ok {
					t.Errorf("the right one: %d, want %d", a.status, tt.ok)
				}
				if a := login("bob", "bob-secret"); a.status != 200 {
					t.Errorf("another user: %d", a.status)
				}
				time.Sleep(limitWindow)
				if a := login("ann", "ann-secret"); a.status != 200 {
					t.Errorf("a minute later: %d", a.status)
				}
			})
		})
	}
}

// TestLimitBy: an address without a token has the limit of a token, if addresses count.
func TestLimitBy(t *testing.T) {
	for _, tt := range []struct {
		by   string
		want int
	}{{"", 200}, {limitByToken, 200}, {limitByAddress, 429}} {
		t.Run("by "+tt.by, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{LimitBy: tt.by})
				for range limitRequests {
					if a := s.ask("GET", "/posts/1", "", sec); a.status != 200 {
						t.Fatal(a.status)
					}
				}
				if a := s.ask("GET", "/posts/1", "", sec); a.status != tt.want {
					t.Errorf("one too many: %d, want %d", a.status, tt.want)
				}
				if a := s.ask("GET", "/posts/1", "", sec, "Authorization", "Bearer "+s.login("ann")); a.status != 200 {
					t.Errorf("with a token: %d", a.status)
				}
			})
		})
	}
}

// TestTokens: each check refuses its bad tokens, and a gateway without the check accepts them.
func TestTokens(t *testing.T) {
	const life = 10 * time.Minute
	for _, unchecked := range []string{"", uncheckedSignature, uncheckedExpiry, uncheckedRole} {
		t.Run("without "+unchecked, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{TokenLife: 10 * 60e9, Unchecked: unchecked, Limiter: off()})
				ann, admin := s.login("ann"), s.login(administrator)
				get := func(path, token string) int {
					return s.ask("GET", path, "", sec, "Authorization", "Bearer "+token).status
				}
				except := func(check string, otherwise int) int {
					if unchecked == check {
						return 200
					}
					return otherwise
				}
				now := time.Now()
				forged := fmt.Sprintf("ann.NONCE.%d.%d.SIGNATURE", now.UnixMilli(), now.Add(life).UnixMilli())
				for _, tt := range []struct {
					name, path, token string
					want              int
				}{
					{"a member", "/posts/1", ann, 200},
					{"forged", "/posts/1", forged, except(uncheckedSignature, 401)},
					{"a member as administrator", "/admin", ann, except(uncheckedRole, 403)},
					{"the administrator", "/admin", admin, 200},
				} {
					if got := get(tt.path, tt.token); got != tt.want {
						t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
					}
				}
				if a := s.ask("GET", "/admin", "", sec); a.status != 401 {
					t.Errorf("without a token as administrator: %d", a.status)
				}
				time.Sleep(life + leeway - sec)
				if got := get("/posts/1", ann); got != 200 {
					t.Errorf("within the leeway: %d", got)
				}
				time.Sleep(2 * sec)
				if got := get("/posts/1", ann); got != except(uncheckedExpiry, 401) {
					t.Errorf("expired: %d", got)
				}
			})
		})
	}
}

// TestCurrent: a token is valid between its times, give or take the leeway.
func TestCurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		token := signer{life: time.Hour}.issue("ann")
		began := time.Now()
		for _, tt := range []struct {
			name  string
			other string
			at    time.Duration // after the token was issued
			allow time.Duration
			want  bool
		}{
			{"at once", "", 0, 0, true},
			{"just before its end", "", time.Hour - sec, 0, true},
			{"after its end", "", time.Hour, 0, false},
			{"after its end, within the leeway", "", time.Hour, leeway, true},
			{"beyond the leeway", "", time.Hour + leeway, leeway, false},
			{"without times", "ann.NONCE.SIGNATURE", 0, 0, true},
			{"issued in a minute", "later", time.Hour + leeway, 0, false},
			{"issued in a minute, within the leeway", "later", time.Hour + leeway, leeway, true},
			{"times that are no numbers", "a.b.x.y.c", 0, leeway, false},
		} {
			time.Sleep(time.Until(began.Add(tt.at)))
			of := cmp.Or(tt.other, token)
			if of == "later" {
				now := time.Now()
				of = fmt.Sprintf("a.b.%d.%d.c", now.Add(time.Minute).UnixMilli(), now.Add(time.Hour).UnixMilli())
			}
			if got := current(of, tt.allow); got != tt.want {
				t.Errorf("%s: %v", tt.name, got)
			}
		}
	})
}

// TestNonce: a write that comes again within a minute is refused.
func TestNonce(t *testing.T) {
	for _, tt := range []struct {
		name        string
		with        *bool
		again, bare int
	}{{"off", nil, 201, 201}, {"on", on(), 409, 400}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Nonce: tt.with})
				token := "Bearer " + s.login("ann")
				write := func(nonce string) int {
					return s.ask("POST", "/posts", `{"author":"ann","text":"hi"}`, sec,
						"Authorization", token, "Nonce", nonce).status
				}
				for i, want := range []int{201, tt.again, tt.again} {
					if got := write("n1"); got != want {
						t.Errorf("time %d: %d, want %d", i+1, got, want)
					}
				}
				if got := write("n2"); got != 201 {
					t.Errorf("another: %d", got)
				}
				if got := write(""); got != tt.bare {
					t.Errorf("without: %d, want %d", got, tt.bare)
				}
			})
		})
	}
}

// TestLeak: a leak keeps memory of each request, or a file of each fourth. A nil leak keeps nothing.
func TestLeak(t *testing.T) {
	var none *leak
	none.next()
	memory, handles := &leak{kind: leakMemory}, &leak{kind: leakHandles}
	for range 3 * leakFile {
		memory.next()
		handles.next()
	}
	defer func() {
		for _, f := range handles.files {
			f.Close()
		}
	}()
	if n := len(memory.memory); n != 3*leakFile || len(memory.files) != 0 {
		t.Errorf("%d pieces of memory, %d files", n, len(memory.files))
	}
	if n := len(handles.files); n != 3 || len(handles.memory) != 0 {
		t.Errorf("%d files, %d pieces of memory", n, len(handles.memory))
	}
}

// TestDrain stops a replica during writes, which are not retried.
func TestDrain(t *testing.T) {
	for _, tt := range []struct {
		name      string
		with      *bool
		low, high int // failed writes
	}{{"off", nil, 1, 10}, {"on", on(), 0, 0}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Drain: tt.with, Limiter: off()})
				token := "Bearer " + s.login("ann")
				at(sec, s.stop["posts[1]"])
				var all sync.WaitGroup
				var mu sync.Mutex
				failed := 0
				for range 600 {
					time.Sleep(5 * time.Millisecond) // simulates the pauses between arrivals
					all.Go(func() {
						a := s.ask("POST", "/posts", `{"author":"ann","text":"hi"}`, sec, "Authorization", token)
						if a.status != 201 {
							mu.Lock()
							failed++
							mu.Unlock()
						}
					})
				}
				all.Wait()
				if failed < tt.low || failed > tt.high {
					t.Errorf("%d failed, want %d to %d", failed, tt.low, tt.high)
				}
			})
		})
	}
}

// TestConfig_Own: each setting reaches the services that have it, and one that is not written reaches none.
func TestConfig_Own(t *testing.T) {
	tests := []struct{ with, service, key, value string }{
		{"capacity: 8", gatewayName, "CAPACITY", "8"},
		{"shedding: off", gatewayName, "SHEDDING", "off"},
		{"degrade: on", gatewayName, "DEGRADE", "on"},
		{"bulkhead: on", gatewayName, "BULKHEAD", "on"},
		{"hash_pool: off", gatewayName, "HASH_POOL", "off"},
		{"retry_budget: off", gatewayName, "RETRY_BUDGET", "off"},
		{"passwords: on", gatewayName, "PASSWORDS", "on"},
		{"login_limit: off", gatewayName, "LOGIN_LIMIT", "off"},
		{"limit_by: address", gatewayName, "LIMIT_BY", "address"},
		{"leeway: off", gatewayName, "LEEWAY", "off"},
		{"unchecked: role", gatewayName, "UNCHECKED", "role"},
		{"nonce: on", gatewayName, "NONCE", "on"},
		{"leak: handles", gatewayName, "LEAK", "handles"},
		{"token_life: 2s", gatewayName, "TOKEN_LIFE", "2s"},
		{"identity: on, token_life: 2s", identityName, "TOKEN_LIFE", "2s"},
		{"posts: {queue: 30}", postsName, "QUEUE", "30"},
		{"pool: 3", postsName, "POOL", "3"},
		{"pool_wait: off", postsName, "POOL_WAIT", "off"},
		{"pool_leak: on", postsName, "POOL_LEAK", "on"},
		{"drain: on", postsName, "DRAIN", "on"},
		{"work: 50ms", storeName, "WORK", "50ms"},
		{"index: off", storeName, "INDEX", "off"},
		{"sessions: local", postsName, "SESSIONS", "local"},
		{"outbox: on", postsName, "OUTBOX", "on"},
		{"outbox: on", storeName, "OUTBOX", "on"},
		{"outbox: on", notificationsName, "DEDUP", "on"},
		{"outbox: on, dedup: off", notificationsName, "DEDUP", "off"},
		{"max_tries: off", postsName, "MAX_TRIES", "off"},
		{"batch: free", storeName, "BATCH", "free"},
		{"lock_order: off", usersName, "LOCK_ORDER", "off"},
		{"cache: on, cache_life: 5s", cacheName, "CACHE_LIFE", "5s"},
		{"cache: on, cache_size: 9", cacheName, "CACHE_SIZE", "9"},
		{"cache: on, eviction: off", cacheName, "EVICTION", "off"},
		{"cache: on, expiry_jitter: on", cacheName, "EXPIRY_JITTER", "on"},
		{"shards: 4", storeName, "SHARDS", "4"},
		{"replicate_hot: on", storeName, "REPLICATE_HOT", "on"},
		{"versions: mixed", postsName, "VERSIONS", "mixed"},
		{"newer: slow", postsName, "NEWER", "slow"},
		{"threads: own", postsName, "THREADS", "own"},
		{"canary: 10", gatewayName, "CANARY", "10"},
		{"reader: strict", gatewayName, "READER", "strict"},
		{"bounds: off", storeName, "BOUNDS", "off"},
		{"bounds: off", gatewayName, "BOUNDS", "off"},
		{"validation: off", postsName, "VALIDATION", "off"},
		{"validation: off", gatewayName, "VALIDATION", "off"},
	}
	for _, tt := range tests {
		for _, with := range []string{tt.with, "identity: on, cache: on"} {
			c, err := decode(t, "{"+with+"}")
			if err != nil {
				t.Fatal(err)
			}
			want := tt.value
			if with != tt.with {
				want = ""
			}
			all := c.Services()
			i := slices.IndexFunc(all, func(s Service) bool { return s.Name == tt.service })
			if got := all[i].Env["DEMO_"+tt.key]; got != want {
				t.Errorf("%s gives %s %q, want %q", with, tt.service, got, want)
			}
		}
	}
}

// TestCache_Settings: how long an entry lives, and what becomes of a new one in a full cache.
func TestCache_Settings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{Cache: on(), CacheLife: 4e9, CacheSize: 2, Eviction: off()})
		entry := func(method, key string) int {
			return s.askUnit(context.Background(), "cache[0]", method, "/entry?key="+key, `{"x":1}`).status
		}
		for _, tt := range []struct {
			method, key string
			want        int
		}{
			{"PUT", "a", 200},
			{"PUT", "b", 200},
			{"PUT", "c", 507},
			{"PUT", "a", 200},
			{"GET", "a", 200},
			{"GET", "c", 404},
		} {
			if got := entry(tt.method, tt.key); got != tt.want {
				t.Errorf("%s %s: %d, want %d", tt.method, tt.key, got, tt.want)
			}
		}
		time.Sleep(4*sec - time.Millisecond)
		if got := entry("GET", "a"); got != 200 {
			t.Errorf("just before its end: %d", got)
		}
		time.Sleep(time.Millisecond)
		if got := entry("GET", "a"); got != 404 {
			t.Errorf("after its end: %d", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{Cache: on(), CacheSize: 2})
		for _, key := range []string{"a", "b", "c"} {
			if a := s.askUnit(context.Background(), "cache[0]", "PUT", "/entry?key="+key, "{}"); a.status != 200 {
				t.Errorf("%s: %d", key, a.status)
			}
		}
	})
}

// TestCache_Jitter: lifetimes are spread over three quarters of the longest.
func TestCache_Jitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all = 400
		s := start(t, Config{Cache: on(), CacheLife: 4e9, ExpiryJitter: on()})
		alive := func() (n int) {
			for i := range all {
				a := s.askUnit(context.Background(), "cache[0]", "GET", fmt.Sprintf("/entry?key=%d", i), "")
				if a.status == 200 {
					n++
				}
			}
			return n
		}
		for i := range all {
			s.askUnit(context.Background(), "cache[0]", "PUT", fmt.Sprintf("/entry?key=%d", i), "{}")
		}
		for _, tt := range []struct {
			after     time.Duration
			low, high int
		}{{sec - time.Millisecond, all, all}, {1500 * time.Millisecond, 140, 260}, {1501 * time.Millisecond, 0, 0}} {
			time.Sleep(tt.after)
			if n := alive(); n < tt.low || n > tt.high {
				t.Errorf("%d are alive, want %d to %d", n, tt.low, tt.high)
			}
		}
	})
}

// TestOutbox sends 20 writes while notifications refuses all, and then lets it take them.
func TestOutbox(t *testing.T) {
	for _, tt := range []struct {
		name     string
		config   Config
		low, top int // notices
	}{
		{"off", Config{}, 0, 0},
		{"on", Config{Outbox: on()}, 20, 20},
		{"on, without dedup: both replicas send them", Config{Outbox: on(), Dedup: off()}, 21, 40},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := StartParsed(t, tt.config)
				refuse := func(string, string) RequestEffect { return RequestEffect{Status: 503} }
				undo := s.Requests([]string{"posts[0]", "posts[1]"}, []string{"notifications[0]"}, refuse)
				for i := range 20 {
					idOf(t, s.write(`{"author":"ann","text":"hi"}`, "Idempotency-Key", fmt.Sprint("k", i)))
				}
				time.Sleep(2 * sec)
				undo()
				// Without it, a replica may send all before the other reads the outbox.
				slow := func(string, string) RequestEffect { return RequestEffect{Delay: time.Millisecond} }
				defer s.Requests([]string{"posts[0]", "posts[1]"}, []string{"notifications[0]"}, slow)()
				time.Sleep(2 * sec)
				if n := s.received().Count; n < tt.low || n > tt.top {
					t.Errorf("%d notices arrived, want %d to %d", n, tt.low, tt.top)
				}
				if tt.low > 0 {
					a := s.askUnit(context.Background(), "notifications[0]", "GET", "/notifications?key=k7", "")
					if n := strings.Count(a.body, `"key":"k7"`); n < 1 {
						t.Errorf("by its key: %s", a.body)
					}
					left := s.askUnit(context.Background(), "store[0]", "GET", "/outbox", "")
					if !strings.Contains(left.body, `"items":[]`) {
						t.Errorf("the outbox has %s", left.body)
					}
				}
			})
		})
	}
}

// TestOutbox_Crash: notices that wait when posts dies are sent by its next life.
func TestOutbox_Crash(t *testing.T) {
	for _, tt := range []struct {
		name string
		with *bool
		want int
	}{{"off", nil, 0}, {"on", on(), 5}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Outbox: tt.with})
				units := []string{"posts[0]", "posts[1]"}
				mend := s.Break("slow", units, []string{"notifications[0]"}, 200*time.Millisecond)
				for range 5 {
					idOf(t, s.write(`{"author":"ann","text":"hi"}`))
				}
				restart := s.Crash(units)
				mend()
				time.Sleep(sec)
				restart()
				time.Sleep(2 * sec)
				if n := s.received().Count; n != tt.want {
					t.Errorf("%d notices arrived, want %d", n, tt.want)
				}
			})
		})
	}
}

// TestMailers crashes one of two mailers while both work on 100 notices, and starts it again while the other still
// works. A crash loses at most the notices that the mailer has taken. Each of the two works at most on as many while
// they become the other's.
func TestMailers(t *testing.T) {
	for _, tt := range []struct {
		name     string
		config   Config
		low, top int // notices
	}{
		{"good", Config{}, 100, 100},
		{"taken off before the work", Config{Commit: beforeWork}, 100 - mailItems, 99},
		{"without dedup", Config{Dedup: off()}, 101, 100 + 2*mailItems},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.config.Outbox, tt.config.Mailers, tt.config.Limiter = on(), 2, off()
				s := start(t, tt.config)
				for i := range 100 {
					idOf(t, s.write(`{"author":"ann","text":"hi"}`, "Idempotency-Key", fmt.Sprint("k", i)))
				}
				time.Sleep(250 * time.Millisecond)
				if n := s.received().Count; n < 1 || n > 50 {
					t.Errorf("%d notices had arrived before the crash", n)
				}
				restart := s.Crash([]string{"mailer[1]"})
				time.Sleep(400 * time.Millisecond)
				restart()
				time.Sleep(6 * sec)
				if n := s.received().Count; n < tt.low || n > tt.top {
					t.Errorf("%d notices arrived, want %d to %d", n, tt.low, tt.top)
				}
				if left := s.askUnit(t.Context(), "store[0]", "GET", "/outbox", ""); !strings.Contains(left.body, `"items":[]`) {
					t.Errorf("the outbox has %s", left.body)
				}
			})
		})
	}
}

// TestOutbox_Poison: a notice that is refused again and again does not hold up the others.
func TestOutbox_Poison(t *testing.T) {
	for _, tt := range []struct {
		name string
		with *bool
		want int
	}{{"on", nil, 3}, {"off", off(), 0}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Outbox: on(), MaxTries: tt.with})
				for _, author := range []string{poisonAuthor, "ann", "ann", "ann"} {
					idOf(t, s.write(fmt.Sprintf(`{"author":%q,"text":"hi"}`, author)))
				}
				time.Sleep(3 * sec)
				if n := s.received().Count; n != tt.want {
					t.Errorf("%d notices arrived, want %d", n, tt.want)
				}
			})
		})
	}
}

// TestFriends makes 10 friendships one way and 10 the other way, at once.
func TestFriends(t *testing.T) {
	for _, tt := range []struct {
		name string
		with *bool
		want string
	}{{"in one order", nil, "201:20"}, {"in the order of the request", off(), "0:20"}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{LockOrder: tt.with, Timeouts: off(), Limiter: off()})
				token := "Bearer " + s.login("ann")
				var mu sync.Mutex
				n := 0
				got := atOnce(20, func() answer {
					mu.Lock()
					path := [...]string{"/users/ann/friends/bob", "/users/bob/friends/ann"}[n%2]
					n++
					mu.Unlock()
					return s.ask("POST", path, "", sec, "Authorization", token)
				})
				if counts(got) != tt.want {
					t.Errorf("%s, want %s", counts(got), tt.want)
				}
				time.Sleep(sec) // simulates the time until the requests have ended whose clients are gone
				if a := s.ask("POST", "/users/ann/friends/cid", "", sec, "Authorization", token); a.status != 201 {
					t.Errorf("after that: %d %s", a.status, a.body)
				}
				if a := s.ask("POST", "/users/ann/friends/ann", "", sec, "Authorization", token); a.status != 404 {
					t.Errorf("with oneself: %d", a.status)
				}
				if a := s.ask("POST", "/users/ann/friends/cid", "", sec); a.status != 401 {
					t.Errorf("without a token: %d", a.status)
				}
			})
		})
	}
}

// TestDrafts: drafts outlive the replica that took them, unless they are local.
func TestDrafts(t *testing.T) {
	for _, tt := range []struct {
		sessions string
		kept     int
	}{{"", 20}, {sharedSessions, 20}, {localSessions, 10}} {
		t.Run("sessions "+tt.sessions, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Sessions: tt.sessions})
				tokens := make([]string, 20)
				for i := range tokens {
					tokens[i] = "Bearer " + s.login(fmt.Sprint("user", i))
					a := s.ask("POST", "/draft", `{"text":"hello"}`, sec, "Authorization", tokens[i])
					if a.status != 200 {
						t.Fatalf("%d %s", a.status, a.body)
					}
				}
				kept := func() (n int) {
					for _, token := range tokens {
						a := s.ask("GET", "/draft", "", sec, "Authorization", token)
						if strings.Contains(a.body, "hello") {
							n++
						}
					}
					return n
				}
				if n := kept(); n != 20 {
					t.Errorf("%d are there at once", n)
				}
				s.Crash([]string{"posts[1]"})()
				time.Sleep(sec)
				if n := kept(); n != tt.kept {
					t.Errorf("%d are there after a crash, want %d", n, tt.kept)
				}
				if a := s.ask("GET", "/draft", "", sec); a.status != 401 {
					t.Errorf("without a token: %d", a.status)
				}
			})
		})
	}
}

// TestBatch reads a page in the midst of an export.
func TestBatch(t *testing.T) {
	for _, tt := range []struct {
		batch       string
		status      int
		low, slower time.Duration
	}{
		{"", 404, 0, 0},
		{throttledBatch, 200, readTime, readTime + exportStep},
		{freeBatch, 200, exportTime / 2, exportTime + readTime},
	} {
		t.Run("batch "+tt.batch, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Batch: tt.batch})
				var export sync.WaitGroup
				export.Go(func() {
					if a := s.ask("GET", "/export", "", 5*sec); a.status != tt.status {
						t.Errorf("the export: %d %s", a.status, a.body)
					}
				})
				time.Sleep(exportTime / 3)
				a := s.ask("GET", "/posts?page=1", "", 5*sec)
				if a.status != 200 || a.took < tt.low || a.took > tt.slower {
					t.Errorf("%d after %s, want %s to %s", a.status, a.took, tt.low, tt.slower)
				}
				export.Wait()
			})
		})
	}
}

// TestShards reads one post four times at once.
func TestShards(t *testing.T) {
	for _, tt := range []struct {
		name    string
		config  Config
		slowest time.Duration
	}{
		{"none", Config{}, 0},
		{"the post has one", Config{Shards: 4}, 4 * shardTime},
		{"all have the post", Config{Shards: 4, ReplicateHot: on()}, shardTime},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, tt.config)
				// one after the other, so that each sees where the others wait
				got := make([]answer, 4)
				var all sync.WaitGroup
				for i := range got {
					all.Go(func() { got[i] = s.askUnit(context.Background(), "store[0]", "GET", "/posts/7", "") })
					synctest.Wait()
				}
				all.Wait()
				slowest := max(got[0].took, got[1].took, got[2].took, got[3].took)
				if counts(got) != "200:4" || slowest != tt.slowest {
					t.Errorf("%s, the slowest took %s, want %s", counts(got), slowest, tt.slowest)
				}
			})
		})
	}
}

// TestVersions: a strict reader fails at the pages of the newer replica.
func TestVersions(t *testing.T) {
	for _, tt := range []struct {
		name   string
		config Config
		want   string
	}{
		{"same", Config{Reader: strictReader}, "200:10"},
		{"mixed", Config{Versions: mixedVersions}, "200:10"},
		{"mixed, strict", Config{Versions: mixedVersions, Reader: strictReader}, "200:5 502:5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, tt.config)
				if got := counts(s.load(10, sec, "/posts?page=3", sec)); got != tt.want {
					t.Errorf("%s, want %s", got, tt.want)
				}
			})
		})
	}
}

// TestCanary: each tenth request gets a page of the newer version, which says so in a header, whatever state it is in.
func TestCanary(t *testing.T) {
	for _, tt := range []struct {
		name    string
		config  Config
		newer   int           // of 20 requests
		took    time.Duration // of a page of the newer version
		without int           // pages without posts
	}{
		{"half", Config{}, 10, 0, 0},
		{"a tenth", Config{Canary: 10}, 2, 0, 0},
		{"slow", Config{Canary: 10, Newer: slowNewer}, 2, newerTime, 0},
		{"broken", Config{Canary: 5, Newer: brokenNewer}, 4, 0, 4},
		{"three replicas", Config{Canary: 4, Posts: Scale{Replicas: 3}}, 5, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.config.Versions = mixedVersions
				s := start(t, tt.config)
				newer, without := 0, 0
				for range 20 {
					began := time.Now()
					status, body, header := s.Ask(t.Context(), "gateway[0]", "GET", "/posts?page=3", "")
					if status != 200 {
						t.Fatalf("%d %s", status, body)
					}
					want := time.Duration(0)
					switch header.Get(versionHeader) {
					case "v2":
						newer++
						want = tt.took
					case "v1":
					default:
						t.Errorf("the header is %v", header)
					}
					if took := time.Since(began); took != want {
						t.Errorf("%s took %s, want %s", header.Get(versionHeader), took, want)
					}
					if !strings.Contains(body, `"author"`) {
						without++
					}
				}
				if newer != tt.newer || without != tt.without {
					t.Errorf("%d of the newer version, %d without posts, want %d and %d", newer, without, tt.newer, tt.without)
				}
			})
		})
	}
}
