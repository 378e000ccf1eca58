package dns_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/targets"
	"brunt/targets/dns"
	"brunt/targets/targetstest"

	mdns "github.com/miekg/dns"
)

const long = 30 * time.Second

// open compiles steps and opens a user of a server.
func open(t testing.TB, s *server, change func(*targets.Options), extra string, steps ...string) *targetstest.User {
	t.Helper()
	flow := targetstest.Compile(t, dns.Descriptor(), extra, steps...)
	o := targets.Options{Base: s.Base(), Timeout: time.Second, T0: time.Now()}
	if change != nil {
		change(&o)
	}
	c, err := dns.Descriptor().Client(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return flow.Open(t, c, o.T0, 0)
}

func want(t *testing.T, o scenarios.Outcome, kind scenarios.Kind, cause scenarios.Cause) {
	t.Helper()
	if o.Kind != kind || o.Cause != cause {
		t.Errorf("got %v, cause %#x; want %v, cause %#x", o.Kind, uint32(o.Cause), kind, uint32(cause))
	}
}

// TestCall_Query: the server, with a decoder of its own, sees the query as it is written.
func TestCall_Query(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	s := start(t, "dns", func(q *mdns.Msg, _ string) [][]byte {
		mu.Lock()
		defer mu.Unlock()
		text := fmt.Sprintf("%s %s rd=%v", q.Question[0].Name, mdns.Type(q.Question[0].Qtype), q.RecursionDesired)
		if o := q.IsEdns0(); o != nil {
			text += fmt.Sprintf(" edns=%d do=%v", o.UDPSize(), o.Do())
		}
		seen = append(seen, text)
		return [][]byte{reply(q, mdns.RcodeSuccess)}
	})
	u := open(t, s, nil, "", "dns: www.example.com AAAA", "{dns: www.test, edns: 0, recursion: off}",
		"{dns: a.b.test. txt, dnssec: on, edns: 4096}", `dns: "mail.test TYPE${int(15,15)}"`, `dns: "x${int(7,7)}.test TYPE65"`,
		`dns: 'a\.b.test NS'`)
	for i := range 6 {
		want(t, u.Do(i, long), scenarios.OK, scenarios.NoCause)
	}
	all := []string{
		"www.example.com. AAAA rd=true edns=1232 do=false", "www.test. A rd=false", "a.b.test. TXT rd=true edns=4096 do=true",
		"mail.test. MX rd=true edns=1232 do=false", "x7.test. HTTPS rd=true edns=1232 do=false",
		`a\.b.test. NS rd=true edns=1232 do=false`,
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(seen, all) {
		t.Errorf("the server saw\n%s\nwant\n%s", strings.Join(seen, "\n"), strings.Join(all, "\n"))
	}
}

// TestCall_Checks tests what counts as ok, shed and an error.
func TestCall_Checks(t *testing.T) {
	s := start(t, "dns", func(q *mdns.Msg, _ string) [][]byte {
		name, _, _ := strings.Cut(q.Question[0].Name, ".")
		if code, known := mdns.StringToRcode[strings.ToUpper(name)]; known {
			return [][]byte{reply(q, code)}
		}
		return [][]byte{reply(q, mdns.RcodeSuccess, "192.0.2.1", "192.0.2.7")}
	})
	for _, c := range []struct {
		step  string
		kind  scenarios.Kind
		cause scenarios.Cause
	}{
		{"dns: www.test", scenarios.OK, scenarios.NoCause},
		{
			`{dns: www.test, check: {answers: 2, authority: 0, "$.answers[1].data": 192.0.2.7, "$.answers[0].ttl": "<= 60"}}`,
			scenarios.OK, scenarios.NoCause,
		},
		{`{dns: www.test, check: {answers: "> 2"}}`, scenarios.Error, scenarios.Check(0)},
		{"{dns: www.test, check: {$.authoritative: true}}", scenarios.Error, scenarios.Check(0)},
		{"dns: nxdomain.test", scenarios.Error, dns.RcodeCause("NXDOMAIN")},
		{"{dns: nxdomain.test, check: {rcode: [NOERROR, NXDOMAIN]}}", scenarios.OK, scenarios.NoCause},
		{"{dns: nxdomain.test, check: {rcode: 3}}", scenarios.OK, scenarios.NoCause},
		{"{dns: www.test, check: {rcode: NXDOMAIN}}", scenarios.Error, dns.RcodeCause("NOERROR")},
		{"{dns: refused.test, check: {shed: REFUSED}}", scenarios.Shed, scenarios.NoCause},
		{"dns: servfail.test", scenarios.Error, dns.RcodeCause("SERVFAIL")},
	} {
		want(t, open(t, s, nil, "", c.step).Do(0, long), c.kind, c.cause)
	}
	u := open(t, s, nil, "", "{dns: www.test, extract: {ip: \"$.answers[1].data\"}}")
	if u.Do(0, long); u.Var("ip") != "192.0.2.7" {
		t.Errorf("extracted %q", u.Var("ip"))
	}
}

// TestCall_Truncated: a truncated answer is asked again over TCP, within the service time.
func TestCall_Truncated(t *testing.T) {
	s := start(t, "dns", func(q *mdns.Msg, over string) [][]byte {
		if over == "tcp" {
			time.Sleep(targetstest.SlowTime) // simulates work
			return [][]byte{reply(q, mdns.RcodeSuccess, slices.Repeat([]string{"192.0.2.1"}, 400)...)}
		}
		b := reply(q, mdns.RcodeSuccess)
		b[2] |= 2 // TC
		return [][]byte{b}
	})
	u := open(t, s, nil, "", "{dns: many.test, check: {answers: 400}}")
	for range 2 {
		o := u.Do(0, long)
		want(t, o, scenarios.OK, scenarios.NoCause)
		if o.Attempts != 2 || o.Service() < targetstest.SlowTime || o.Sent > o.First || o.First > o.End-targetstest.SlowTime {
			t.Errorf("%+v", o)
		}
	}
	if got := s.transports(); got != "udp tcp udp tcp" || s.Backend.Connections() != 1 {
		t.Errorf("the server was asked over %s, on %d connections", got, s.Backend.Connections())
	}
}

// TestCall_Stray: datagrams with another number, another question, or a question themselves are no answers.
func TestCall_Stray(t *testing.T) {
	s := start(t, "dns", func(q *mdns.Msg, _ string) [][]byte {
		right := reply(q, mdns.RcodeSuccess, "192.0.2.1")
		number := slices.Clone(right)
		number[1]++
		other := q.Copy()
		other.Question[0].Name = "other.test."
		kind := q.Copy()
		kind.Question[0].Qtype = mdns.TypeAAAA
		question, _ := q.Pack()
		all := [][]byte{
			number, reply(other, mdns.RcodeSuccess, "192.0.2.9"), reply(kind, mdns.RcodeSuccess, "192.0.2.9"), question, {}, {1},
		}
		if strings.HasPrefix(q.Question[0].Name, "never") {
			return all
		}
		upper := q.Copy() // a server may write a name in its own case
		upper.Question[0].Name = strings.ToUpper(q.Question[0].Name)
		return append(all, reply(upper, mdns.RcodeSuccess, "192.0.2.1"))
	})
	u := open(t, s, nil, "", `{dns: www.test, check: {"$.answers[0].data": 192.0.2.1}}`, "dns: never.test")
	want(t, u.Do(0, long), scenarios.OK, scenarios.NoCause)
	o := u.Do(1, 100*time.Millisecond)
	want(t, o, scenarios.Error, scenarios.Timeout)
	if !o.WasSent || o.Answered || o.End != u.It.Deadline {
		t.Errorf("%+v", o)
	}
}

// TestCall_Hostile: bytes of nonsense behind a right header and question are an error of the request.
func TestCall_Hostile(t *testing.T) {
	for _, scheme := range []string{"dns", "dns+tcp"} {
		s := start(t, scheme, func(q *mdns.Msg, _ string) [][]byte {
			r := rand.New(rand.NewPCG(1, uint64(q.Id)))
			q.Response, q.Extra = true, nil
			b, _ := q.Pack()
			binary.BigEndian.PutUint16(b[6:], uint16(1+r.IntN(9))) // records that do not follow
			for range r.IntN(300) {
				b = append(b, byte(r.Uint32()))
			}
			return [][]byte{b}
		})
		u := open(t, s, nil, "", "{dns: www.test, check: {answers: \"> 0\"}}", "dns: www.test")
		for range 50 {
			want(t, u.Do(0, long), scenarios.Error, scenarios.Protocol)
		}
		want(t, u.Do(1, long), scenarios.OK, scenarios.NoCause) // nothing reads the records
	}
	s := start(t, "dns", func(q *mdns.Msg, _ string) [][]byte {
		return [][]byte{append(reply(q, mdns.RcodeSuccess), make([]byte, 2000)...)}
	})
	want(t, open(t, s, nil, "", "dns: www.test").Do(0, long), scenarios.Error, scenarios.Protocol)
	s = start(t, "dns+tcp", func(q *mdns.Msg, _ string) [][]byte {
		q.Id++
		return [][]byte{reply(q, mdns.RcodeSuccess)}
	})
	want(t, open(t, s, nil, "", "dns: www.test").Do(0, long), scenarios.Error, scenarios.Protocol)
}

// TestCall_Sockets: a socket is used again, unless each query is to have its own.
func TestCall_Sockets(t *testing.T) {
	for _, c := range []struct {
		set  func(*targets.Options)
		want int64
	}{
		{nil, 1},
		{func(o *targets.Options) { o.Connections.KeepAlive = new(bool) }, 20},
	} {
		s := start(t, "dns", nil)
		u := open(t, s, c.set, "", "dns: www.test")
		for range 20 {
			want(t, u.Do(0, long), scenarios.OK, scenarios.NoCause)
		}
		if got := s.Connections(); got > c.want || got < c.want-1 { // the system may choose a port twice
			t.Errorf("the server saw %d sockets, want %d", got, c.want)
		}
	}
}

// sampler keeps samples.
type sampler struct{ kept []result.Sample }

func (*sampler) Want(*scenarios.Outcome) bool { return true }

func (s *sampler) Keep(_ *scenarios.Outcome, sm result.Sample) { s.kept = append(s.kept, sm) }

func TestCall_Sample(t *testing.T) {
	s := start(t, "dns", nil)
	k := new(sampler)
	u := open(t, s, func(o *targets.Options) { o.Sampler = k }, "",
		"{dns: fail.test MX, recursion: off, dnssec: on}", "{dns: www.test, check: {answers: 3}}")
	u.Do(0, long)
	u.Do(1, long)
	host, port, _ := strings.Cut(s.addr, ":")
	for i, want := range []string{
		"dig '@" + host + "' '-p' '" + port + "' '+tries=1' 'fail.test.' MX '+dnssec' '+norecurse'",
		"dig '@" + host + "' '-p' '" + port + "' '+tries=1' 'www.test.' A",
	} {
		if got := k.kept[i].Sent.Command(k.kept[i].Sent); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if got := k.kept[0].Message; got != "the rcode is NXDOMAIN, and NOERROR was wanted" {
		t.Error(got)
	}
	if got := k.kept[1].Message; got != `number of answers was "1", and "3" was wanted` {
		t.Error(got)
	}
}

// TestCompile_Mistakes: a mistake in a step says where it is and how to mend it.
func TestCompile_Mistakes(t *testing.T) {
	for _, c := range []struct{ step, want string }{
		{"dns: www.test AAAAA", `"AAAAA" is not a type of records; did you mean "AAAA"?`},
		{"dns: www.test AXFR", "AXFR transfers a zone"},
		{`dns: "${int(1,9)}.test XY"`, `"XY" is not a type of records`},
		{"dns: a..b A", `"a..b" is not a domain name`},
		{"dns: www test A", `"www test A" is not a name and a type`},
		{"{dns: www.test, edns: 100}", "want 0, or 512 to 65535"},
		{"{dns: www.test, edns: 0, dnssec: on}", "dnssec needs EDNS"},
		{"{dns: www.test, check: {rcode: NXDOMAN}}", `did you mean "NXDOMAIN"?`},
		{"{dns: www.test, check: {answer: 1}}", `did you mean "answers"?`},
		{"{dns: www.test, check: 1}", "check wants a map"},
		{"{dns: www.test, extract: {a: ip}}", "want a path of the answer"},
	} {
		if _, err := targetstest.Try(dns.Descriptor(), "", c.step); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", c.step, err, c.want)
		}
	}
}
