//go:build linux

package drills

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

// An etcdMutant is a client of etcd without one of the defences that the drills of replicated stores ask for.
type etcdMutant struct {
	*etcdStore
	lacks string
}

// The mutants, by the kind of front.
const (
	acksEarly  = "etcd-early" // it acknowledges a write before the store has it
	readsClock = "etcd-clock" // it takes no answer of a member whose clock is a minute off its own
	asksAll    = "etcd-all"   // a write needs every member, and not a majority
	viaAll     = "nats-all"   // the same of JetStream
)

// put writes without the defence.
func (m etcdMutant) put(ctx context.Context, id string) error {
	if m.lacks == acksEarly {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), memberPatience)
			defer cancel()
			_ = m.etcdStore.put(ctx, id)
		}()
		return nil
	}
	for _, member := range m.rota.members {
		if err := m.onTime(ctx, member); err != nil {
			return err
		}
	}
	return m.etcdStore.put(ctx, id)
}

// onTime compares the clock in an answer of a member with this one.
func (m etcdMutant) onTime(ctx context.Context, member string) error {
	ctx, cancel := context.WithTimeout(ctx, memberPatience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+member+"/version", http.NoBody)
	if err != nil {
		return err
	}
	resp, err := m.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	at, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return err
	}
	if off := time.Since(at); off > time.Minute || off < -time.Minute {
		return fmt.Errorf("the clock of %s is %v off", member, off)
	}
	return nil
}

// An eachStore is a client of a replicated store whose write goes through each member, so that it needs all of them.
type eachStore struct {
	store
	each []store
}

// newEachStore asks of for what is stored. One is a client of the members given.
func newEachStore(of store, members []string, one func(members []string) store) eachStore {
	s := eachStore{store: of}
	for i := range members {
		s.each = append(s.each, one(members[i:i+1]))
	}
	return s
}

func (s eachStore) put(ctx context.Context, id string) error {
	for _, one := range s.each {
		if err := one.put(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// TestMutants: each drill of the library that etcd or JetStream passes in TestDrills convicts a client
// without a defence, by the objective that is about that defence.
func TestMutants(t *testing.T) {
	suite.Needs(t, suite.In("drills"))
	for _, c := range []struct {
		drill, front, fails string
		seconds             int
		set                 []string
	}{
		{"leader-lost", asksAll, "recover < ", 26, []string{"recover=3s"}}, // the member is back after 4 s
		{"leader-lost", acksEarly, "lost = 0", 26, nil},
		{"quorum-lost", acksEarly, "lost = 0", 28, []string{"heal=8s"}},
		{"skew", readsClock, "errors < ", 26, nil},
		{"rejoin", asksAll, "errors < ", 30, nil},
		{"leader-cut", viaAll, "recover < ", 36, nil},
		{"minority-cut", viaAll, "errors < ", 30, nil},
	} {
		t.Run(c.drill+"/"+c.front, func(t *testing.T) {
			if !suite.Full() {
				t.Skip("it takes 40 s: BRUNT_FULL=1 runs it")
			}
			d := drill{seconds: c.seconds, recover: 5 * time.Second, set: c.set}
			if c.front == viaAll {
				d.processes = strings.Replace(jetstreams, "front, nats]", "front, "+viaAll+"]", 1)
				d = streamDrill(c.drill, d)
			} else {
				d = memberDrill(c.drill, d)
				d.processes = strings.Replace(d.processes, "front, etcd,", "front, "+c.front+",", 1)
			}
			suite.Needs(t, suite.Programs(d.needs...))
			d.convicts(t, c.fails)
		})
	}
}

// A judged run is its verdict and that of each objective.
type judged struct {
	Verdict, Reason string
	Objectives      []struct {
		Text, Verdict string
		Measured      *float64
	}
}

// failed reports whether an objective failed whose text begins so.
func (j *judged) failed(by string) bool {
	for _, o := range j.Objectives {
		if o.Verdict == "fail" && strings.HasPrefix(o.Text, by) {
			return true
		}
	}
	return false
}

func (j *judged) String() string {
	var b strings.Builder
	b.WriteString(j.Verdict)
	for _, o := range j.Objectives {
		measured := "no value"
		if o.Measured != nil {
			measured = fmt.Sprintf("%.4g", *o.Measured)
		}
		fmt.Fprintf(&b, "; %s: %s, %s", o.Text, o.Verdict, measured)
	}
	return b.String()
}

// judge plays a drill once without a prober.
func (d drill) judge(t *testing.T) (j judged, printed []byte) {
	t.Helper()
	d.rate = cmp.Or(d.rate, 100)
	printed = runToEnd(t, func(dir, self string) string {
		return d.scenario(dir, self, unitAddr(dir, d.entry+"[0]"), freePorts(t), freeBase(t))
	}, d.command, &j)
	t.Log(j.String())
	return j, printed
}

// convicts plays a drill on a mutant, which has to fail by an objective whose text begins so.
func (d drill) convicts(t *testing.T, by string) {
	j, printed := d.judge(t)
	if j.Verdict != "fail" || !j.failed(by) {
		t.Errorf("verdict %s (%s), want a failure by %s:\n%s", j.Verdict, j.Reason, by, printed)
	}
}
