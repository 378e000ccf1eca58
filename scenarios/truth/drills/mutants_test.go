//go:build linux

package drills

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
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
	asksAll    = "etcd-all"   // a write needs every member, and not a majority
	readsClock = "etcd-clock" // it takes no answer of a member whose clock is a minute off its own
)

// put writes without the defence.
func (m etcdMutant) put(ctx context.Context, id string) error {
	switch m.lacks {
	case acksEarly:
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), memberPatience)
			defer cancel()
			_ = m.etcdStore.put(ctx, id)
		}()
		return nil
	case asksAll:
		for _, member := range m.rota.members {
			ctx, cancel := context.WithTimeout(ctx, memberPatience)
			err := callJSON(ctx, m.client, "http://"+member+"/v3/kv/put", map[string]string{"key": etcdKey(id), "value": "MQ=="},
				&struct{}{})
			cancel()
			if err != nil {
				return err
			}
		}
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

// A natsMutant is a client of JetStream whose write goes through each member, so that it needs all of them.
type natsMutant struct {
	*natsStore
	each []*natsStore
}

// viaAll is the kind of its front.
const viaAll = "nats-all"

func newNATSMutant(of *natsStore, members []string) natsMutant {
	m := natsMutant{natsStore: of}
	for _, member := range members {
		m.each = append(m.each, newNATSStore([]string{member}))
	}
	return m
}

func (m natsMutant) put(ctx context.Context, id string) error {
	for _, one := range m.each {
		if err := one.put(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// TestMutants: each drill of the library that etcd or JetStream passes in TestDrills convicts a client
// without a defence, by the objective that is about that defence.
func TestMutants(t *testing.T) {
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

// convicts plays a drill on a mutant, which has to fail by an objective whose text begins so.
func (d drill) convicts(t *testing.T, by string) {
	dir := runDir(t)
	defer func() {
		if left := leftBehind(dir); left != "" {
			t.Errorf("left behind: %s", left)
		}
		removeShared(dir)
		os.RemoveAll(dir)
	}()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file, result := filepath.Join(dir, "scenario.yaml"), filepath.Join(dir, "out")
	text := d.scenario(dir, self, unitAddr(dir, d.entry+"[0]"), freePorts(t), freeBase(t))
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	printed, _ := d.command(dir, file, result).CombinedOutput() // the exit code is that of the verdict
	var r struct {
		Verdict, Reason string
		Objectives      []struct {
			Text, Verdict string
			Measured      *float64
		}
	}
	raw, err := os.ReadFile(filepath.Join(result, "result.json"))
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	if err != nil {
		t.Fatalf("%v:\n%s\n%s", err, printed, text)
	}
	keepResult(t, dir)
	failed := false
	for _, o := range r.Objectives {
		failed = failed || o.Verdict == "fail" && strings.HasPrefix(o.Text, by)
		measured := "no value"
		if o.Measured != nil {
			measured = fmt.Sprint(*o.Measured)
		}
		t.Logf("%s: %s, %s", o.Text, o.Verdict, measured)
	}
	if r.Verdict != "fail" || !failed {
		t.Errorf("verdict %s (%s), want a failure by %s:\n%s", r.Verdict, r.Reason, by, printed)
	}
}
