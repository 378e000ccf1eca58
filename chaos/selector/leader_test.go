//go:build unix

package selector

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos"
	"brunt/chaos/netns"
	"brunt/chaos/probe"
	"brunt/chaos/proc"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// byStep asks units for their role by a step.
func byStep() *Leader {
	return &Leader{Asking: probe.Asking{Ask: &syntax.Node{Kind: syntax.Map}}}
}

// byShell asks units for their role by a script.
func byShell(script string) *Leader {
	return &Leader{
		Asking: probe.Asking{Command: probe.Command{Shell: true, Args: []template.Text{template.Literal(script)}}},
	}
}

// leading is a world in which some units answer that they lead.
func leading(names ...string) chaos.Env {
	env := world(1)
	env.AskStep = func(_ context.Context, _ *syntax.Node, u chaos.Unit, _ time.Duration) (string, error) {
		if slices.Contains(names, u.Name()) {
			return "", nil
		}
		return "", &chaos.NotPassedError{Said: "it says follower"}
	}
	return env
}

func TestLeader(t *testing.T) {
	ask := byStep()
	for _, c := range []struct {
		name   string
		leader *Leader
		env    chaos.Env
		want   string // the unit, or the error
	}{
		{"one", ask, leading("posts[2]"), "posts[2]"},
		{"none", ask, leading(), "none says that it is the leader: posts[0]: it says follower; posts[1]"},
		{"several", ask, leading("posts[1]", "posts[3]"), "posts[1], posts[3] all say"},
		{"of another service", ask, leading("store[0]"), "none says"},
		{"no protocol can ask", ask, world(1), "no protocol can ask"},
		{"command", byShell(`test "$BRUNT_UNIT" = "posts[1]" -a "$BRUNT_RUN" = r1`), world(1), "posts[1]"},
		{"command fails", byShell("echo not me; exit 3"), world(1), "exit status 3: not me"},
		{"no command", &Leader{
			Asking: probe.Asking{Command: probe.Command{Args: []template.Text{template.Literal("/nowhere/at/all")}}},
		}, world(1), "no such file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.env.Run = "r1"
			got := ""
			units, err := (&Selector{Service: "posts", Pick: Pick{Role: chaos.RoleLeader}, Leader: c.leader}).units(t.Context(),
				c.env)
			if len(units) == 1 {
				got = units[0].Name()
			} else if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, c.want) || err != nil && !errors.Is(err, chaos.ErrNoUnit) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// Each unit asks the same page, whose check names the unit that is asked.
func TestLeader_CheckNamesTheUnit(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"leader": 2, "members": ["posts[0]", "posts[2]"]}`))
	}))
	defer srv.Close()
	value := func(text string) *syntax.Node {
		n := &syntax.Node{Kind: syntax.String}
		parts, wrong := syntax.SplitPlaceholders(text)
		if n.SetParts(parts); wrong != nil {
			t.Fatal(wrong)
		}
		return n
	}
	var m syntax.Mistakes
	ask := &syntax.Node{Kind: syntax.Map, Fields: []syntax.Field{
		{Key: "get", Value: &syntax.Node{Kind: syntax.String, Value: srv.URL}},
		{Key: "check", Value: &syntax.Node{Kind: syntax.Map, Fields: []syntax.Field{
			{Key: "$.leader", Value: value("${self.index}")}, {Key: "$.members", Value: value("contains ${self.name}")},
		}}},
	}}
	leader := &Leader{}
	syntax.Decode(ask, leader, &m)
	if leader.ValidateFor(probe.Use{Unit: true}, syntax.Pos{}, chaos.Scope{}, &m); m.Len() > 0 {
		t.Fatal(m.Err())
	}
	s := &Selector{Service: "posts", Pick: Pick{Role: chaos.RoleLeader}, Leader: leader}
	units, err := s.units(t.Context(), world(1))
	if err != nil || len(units) != 1 || units[0].Name() != "posts[2]" {
		t.Errorf("%v, %v", units, err)
	}
}

// Only the links of the leader are hit.
func TestLeaderOfAnEdge(t *testing.T) {
	e := &Edge{Service: "posts", Pick: Pick{Role: chaos.RoleLeader}, Leader: byStep()}
	links, err := e.Links(t.Context(), leading("posts[1]"))
	if err != nil || len(links) != 2 || links[0].Name() != "gateway[0]->posts[1]" ||
		links[1].Name() != "posts[1]->store[0]" {
		t.Errorf("%v, %v", links, err)
	}
	if _, err := e.Links(t.Context(), leading()); !errors.Is(err, chaos.ErrNoUnit) {
		t.Errorf("without a leader: %v", err)
	}
	env := leading()
	env.Dry = true
	if _, err := e.Links(t.Context(), env); err != nil {
		t.Errorf("before the run: %v", err)
	}
	units, err := (&Selector{Service: "posts", Pick: Pick{Role: chaos.RoleLeader}, Leader: byStep()}).units(t.Context(),
		env)
	if err != nil || len(units) != 1 || units[0].Name() != "the leader of posts" {
		t.Errorf("before the run: %v, %v", units, err)
	}
}

// While no unit leads, or two do, the units are asked again until `within` has passed.
func TestLeaderWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		env := world(1)
		env.AskStep = func(_ context.Context, _ *syntax.Node, u chaos.Unit, _ time.Duration) (string, error) {
			if u.Name() == "posts[3]" && time.Since(began) > 1500*time.Millisecond {
				return "", nil
			}
			return "", &chaos.NotPassedError{Said: "follower"}
		}
		s := &Selector{Service: "posts", Pick: Pick{Role: chaos.RoleLeader}, Leader: byStep()}
		s.Leader.Within = quantity.Duration(time.Second)
		if _, err := s.units(t.Context(), env); !errors.Is(err, chaos.ErrNoUnit) || time.Since(began) != time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		if u, err := s.units(t.Context(), env); err != nil || u[0].Name() != "posts[3]" ||
			time.Since(began) > 1700*time.Millisecond {
			t.Errorf("after %s: %v, %v", time.Since(began), u, err)
		}
	})
}

// A command that does not end is killed, with what it started.
func TestLeaderCommandHangs(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	l := byShell("sleep 1000 & echo $! > " + pid + "; wait")
	l.Timeout = quantity.Duration(300 * time.Millisecond)
	env := world(1)
	env.Units = env.Units[:1]
	_, _, err := findLeader(t.Context(), l, env, []string{"posts[0]"})
	if err == nil || !strings.Contains(err.Error(), "did not end within 300ms") {
		t.Fatalf("%v", err)
	}
	b, err := os.ReadFile(pid)
	if err != nil {
		t.Skip("it was ended before it started anything")
	}
	child := 0
	for _, c := range strings.TrimSpace(string(b)) {
		child = child*10 + int(c-'0')
	}
	if err := proc.Await(t.Context(), 10*time.Second,
		func() bool { _, err := proc.StartOf(child); return err != nil || proc.IsZombie(child) },
		"it runs on"); err != nil {
		t.Errorf("pid %d: %v", child, err)
	}
}

// Every occurrence asks again.
func TestLeaderIsAskedEachTime(t *testing.T) {
	var asked atomic.Int64
	env := world(1)
	env.AskStep = func(_ context.Context, _ *syntax.Node, u chaos.Unit, _ time.Duration) (string, error) {
		if n := asked.Add(1); u.Name() == "posts[0]" && n <= 4 || u.Name() == "posts[1]" && n > 4 {
			return "", nil
		}
		return "", &chaos.NotPassedError{Said: "follower"}
	}
	s := &Selector{Service: "posts", Pick: Pick{Role: chaos.RoleLeader}, Leader: byStep()}
	for _, want := range []string{"posts[0]", "posts[1]"} {
		units, err := s.units(t.Context(), env)
		if err != nil || len(units) != 1 || units[0].Name() != want {
			t.Fatalf("%v, %v, want %s", units, err, want)
		}
	}
}

// Followers are the units that answer that they do not lead. What a unit answered when it was picked is noted, so
// that a report never calls another the leader.
func TestFollowers(t *testing.T) {
	steps := byStep()
	lost := byShell(`case $BRUNT_UNIT in posts[[]1]) echo master;; posts[[]2]) redis-cly role;; *) echo slave; exit 1;; esac`)
	lost.Timeout = quantity.Duration(20 * time.Second)
	for _, c := range []struct {
		name string
		pick Pick
		exc  string
		want []string // units
		role string
		said string
		ask  *Leader
	}{
		{"leader", Pick{Role: chaos.RoleLeader}, "", []string{"posts[1]"}, "leader", "master", lost},
		{"a follower", Pick{Role: chaos.RoleFollower}, "", nil, "follower", "slave", lost},
		{"all but the leader", Pick{all: true}, "leader", []string{"posts[0]", "posts[2]", "posts[3]"}, "", "", lost},
		{"one that is not the leader", Pick{}, "leader", nil, "", "", lost},
		{"a follower by a step", Pick{Role: chaos.RoleFollower}, "", nil, "follower", "slave", steps},
		{
			"all but the leader by a step",
			Pick{all: true},
			"leader",
			[]string{"posts[0]", "posts[2]", "posts[3]"},
			"", "",
			steps,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			drawn := map[string]bool{}
			for seed := range uint64(20) {
				env := world(seed)
				env.Roles = new(chaos.Roles)
				env.AskStep = func(_ context.Context, _ *syntax.Node, u chaos.Unit, _ time.Duration) (string, error) {
					switch u.Name() {
					case "posts[1]":
						return "master", nil
					case "posts[2]":
						return "", errors.New("refused")
					}
					return "", &chaos.NotPassedError{Said: "slave"}
				}
				units, err := (&Selector{Service: "posts", Pick: c.pick, Except: c.exc, Leader: c.ask}).units(t.Context(), env)
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, u := range units {
					names = append(names, u.Name())
				}
				if c.pick.Role != chaos.RoleLeader && slices.Contains(names, "posts[1]") {
					t.Errorf("%v has the leader", names)
				}
				drawn[strings.Join(names, " ")] = true
				role, said := env.Roles.Of(names)
				if len(names) == 1 && names[0] != "posts[2]" && c.exc != "" { // it answered
					c.role, c.said = "follower", "slave"
				} else if c.exc != "" {
					c.role, c.said = "", ""
				}
				if role != c.role || !strings.Contains(said, c.said) {
					t.Errorf("%v: %q, %q", names, role, said)
				}
				if testing.Short() && seed > 2 || len(c.want) > 0 {
					break
				}
			}
			if len(c.want) > 0 && !drawn[strings.Join(c.want, " ")] {
				t.Errorf("%v, want %v", drawn, c.want)
			}
			if c.pick.Role == chaos.RoleFollower && drawn["posts[2]"] {
				t.Error("a unit that did not answer is not a follower")
			}
		})
	}
}

// inContainer is a unit in a container.
type inContainer struct{ named }

func (c inContainer) Traits() chaos.UnitTraits     { return chaos.UnitTraits{Contained: c} }
func (inContainer) ContainerID() chaos.ContainerID { return chaos.ContainerID{} }
func (inContainer) Addresses() []netip.Addr        { return nil }
func (inContainer) Listens() []uint16              { return nil }

// The roles of an edge between containers are checked before the run.
func TestLeaderOfPacketsChecked(t *testing.T) {
	sc := worldScope
	sc.Containers = true
	follower := Pick{Role: chaos.RoleFollower}
	for _, c := range []struct {
		edge Edge
		want string
	}{
		{Edge{Service: "posts", Pick: follower, Leader: byStep()}, ""},
		{Edge{Service: "posts", Pick: follower}, "does not say how the leader is found"},
		{Edge{Service: "posts", Except: "leader"}, "does not say how the leader is found"},
		{Edge{Service: "posts", Leader: byStep()}, "it is asked for with"},
		{Edge{Service: "store", Pick: follower, Leader: byStep()}, "store has one unit, so none follows a leader"},
		{Edge{From: "192.0.2.1", To: "posts", Pick: follower, Leader: byStep()}, ""},
	} {
		var m syntax.Mistakes
		c.edge.CheckPackets(syntax.Pos{}, netns.Latency, sc, &m)
		checkMistake(t, c.edge, &m, c.want)
	}
	for _, c := range []struct {
		edge Edge
		want string
	}{
		{Edge{From: "posts", To: "store", Pick: follower, Leader: byStep()}, ""},
		{Edge{From: "posts", To: "store", Pick: follower}, "does not say how the leader is found"},
		{
			Edge{From: "gateway", To: "store", Pick: follower, Leader: byStep()},
			"gateway has one unit, so none follows a leader",
		},
	} {
		var m syntax.Mistakes
		c.edge.CheckEdge(syntax.Pos{}, sc, &m)
		checkMistake(t, c.edge, &m, c.want)
	}
}

func checkMistake(t *testing.T, of Edge, m *syntax.Mistakes, want string) {
	t.Helper()
	got := ""
	if err := m.Err(); err != nil {
		got = err.Error()
	}
	if want == "" && got != "" || !strings.Contains(got, want) {
		t.Errorf("%+v: %q, want %q", of, got, want)
	}
}

// Before the run a container that is picked by its role has packets too.
func TestLeaderOfPacketsDry(t *testing.T) {
	env := world(1)
	env.Dry, env.Units = true, []chaos.Unit{
		inContainer{named{"posts", "posts[0]"}}, inContainer{named{"posts", "posts[1]"}},
	}
	e := &Edge{Service: "posts", Except: "leader", Leader: byStep()}
	points, err := e.InjectionPoints(t.Context(), env, FlowBoth, nil)
	if err != nil || len(points) == 0 || points[0].Target.Contained == nil ||
		points[0].Target.Name() != "those that do not lead of posts" {
		t.Errorf("%v, %v", points, err)
	}
}

// TestPick_PartOfMembers: beside a minority that is hit, the others are a majority, and beside a quorum they are not,
// whether the leader is left out or not.
func TestPick_PartOfMembers(t *testing.T) {
	for _, c := range []struct {
		pick           string
		members        int
		minority, most bool // the fewest that remain are a majority; one more could be hit
	}{
		{"minority", 3, true, false},
		{"minority", 4, true, false},
		{"minority", 5, true, false},
		{"minority", 7, true, false},
		{"quorum", 1, false, false},
		{"quorum", 3, false, false},
		{"quorum", 4, false, true},
		{"quorum", 5, false, false},
	} {
		var p Pick
		var m syntax.Mistakes
		p.DecodeNode(&syntax.Node{Kind: syntax.String, Value: c.pick}, &m)
		hit := p.Of(c.members-1, c.members)
		left := c.members - hit
		if majority := left*2 > c.members; majority != c.minority || m.Len() > 0 {
			t.Errorf("%s of %d hits %d: a majority is left: %v", c.pick, c.members, hit, majority)
		}
		if c.minority && (left-1)*2 > c.members {
			t.Errorf("%s of %d hits %d, and one more would leave a majority", c.pick, c.members, hit)
		}
	}
}

// TestPick_Minority: the record names the leader, which is hit only if it may be.
func TestPick_Minority(t *testing.T) {
	for _, c := range []struct {
		name    string
		s       Selector
		leaders []string
		hit     int
		led     string
		never   string // a unit that is not hit
		err     string
	}{
		{"minority", Selector{Pick: Pick{part: minority}, Leader: byStep()}, []string{"posts[1]"}, 1, "posts[1]", "", ""},
		{
			"minority without the leader",
			Selector{Pick: Pick{part: minority}, Except: "leader", Leader: byStep()},
			[]string{"posts[1]"},
			1, "posts[1]", "posts[1]", "",
		},
		{"quorum", Selector{Pick: Pick{part: quorum}, Leader: byStep()}, []string{"posts[2]"}, 3, "posts[2]", "", ""},
		{"no unit leads", Selector{Pick: Pick{part: quorum}, Leader: byStep()}, nil, 3, "", "", ""},
		{"no unit is asked", Selector{Pick: Pick{part: quorum}}, []string{"posts[2]"}, 3, "", "", ""},
		{
			"leader",
			Selector{Pick: Pick{Role: chaos.RoleLeader}, Leader: byStep()},
			[]string{"posts[2]"},
			1, "posts[2]", "", "",
		},
		{
			"follower",
			Selector{Pick: Pick{Role: chaos.RoleFollower}, Leader: byStep()},
			[]string{"posts[2]"},
			1, "posts[2]", "posts[2]", "",
		},
		{
			"no minority of one",
			Selector{Service: "store", Pick: Pick{part: minority}},
			nil, 0, "", "",
			"a majority of store takes all 1 of them",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(8) {
				env := leading(c.leaders...)
				env.Rand, env.Roles = rand.New(rand.NewPCG(seed, 0)), new(chaos.Roles)
				s := c.s
				s.Service = cmp.Or(s.Service, "posts")
				units, err := s.units(t.Context(), env)
				if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
					t.Fatalf("%v, want %q", err, c.err)
				}
				if len(units) != c.hit || env.Roles.Leader() != c.led {
					t.Errorf("%d are hit and %q led, want %d and %q", len(units), env.Roles.Leader(), c.hit, c.led)
				}
				if slices.ContainsFunc(units, func(u chaos.Unit) bool { return u.Name() == c.never }) {
					t.Errorf("%s is hit", c.never)
				}
			}
		})
	}
}
