package dryrun

import (
	"bytes"
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"brunt/chaos/timeline"
	"brunt/scenarios/disk"
	"brunt/scenarios/machine"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
)

// A PlanFile is the result of a dry run, kept for a run that must do exactly that: everything
// resolved, and the state of the machine. It contains no secret; digests of data that may hold one
// are salted and slow.
type PlanFile struct {
	Version  int               `json:"version"`
	Brunt    string            `json:"brunt"`
	Made     time.Time         `json:"made"`
	Scenario PlannedScenario   `json:"scenario"`
	Seed     uint64            `json:"seed"`
	Policies []PlannedFile     `json:"policies"`
	Target   PlannedTarget     `json:"target"`
	Timeline []PlannedTime     `json:"timeline"`
	Faults   []Forecast        `json:"faults"`
	Salt     string            `json:"salt"` // salt of the digests, in hex
	Settings map[string]string `json:"settings"`
}

// PlannedScenario is the scenario of a plan.
type PlannedScenario struct {
	File   string            `json:"file"` // relative to the plan's folder
	Name   string            `json:"name"`
	Digest string            `json:"digest"`         // digest of the resolved scenario, including secrets
	Set    map[string]string `json:"set"`            // params given on the command line
	Meta   map[string]string `json:"meta,omitempty"` // metadata from the command line, not from the scenario
	Files  []PlannedFile     `json:"files"`
}

// A PlannedFile is a file that a plan depends on: one that brunt has read, or that the scenario names.
type PlannedFile struct {
	File   string `json:"file"`
	Digest string `json:"digest"`
}

// PlannedTarget describes the target.
type PlannedTarget struct {
	Kind      string           `json:"kind"` // stack, processes, containers, compose or url
	Name      string           `json:"name"`
	Entry     string           `json:"entry,omitempty"`
	Services  []PlannedService `json:"services,omitempty"`
	Addresses []string         `json:"addresses,omitempty"` // addresses of the URL's host
	Cluster   *PlannedCluster  `json:"cluster,omitempty"`   // the cluster of the pods that faults hit
}

// A PlannedCluster is the cluster that a context of the kubeconfig led to.
type PlannedCluster struct {
	Name string `json:"name"` // name, as in guard.allow.chaos
	UID  string `json:"uid"`  // UID of its namespace kube-system
}

// A PlannedService is a service that brunt would start.
type PlannedService struct {
	Name     string        `json:"name"`
	Replicas int           `json:"replicas"`
	Links    []string      `json:"links,omitempty"`
	Restart  string        `json:"restart"`
	Programs []PlannedFile `json:"programs,omitempty"` // its command, and the files among its arguments
}

// PlannedTime is when a fault is expected to occur.
type PlannedTime struct {
	Name  string     `json:"name"`
	At    result.Num `json:"at"` // seconds from t0
	Clear result.Num `json:"clear"`
	Rough bool       `json:"rough,omitempty"` // it follows an event whose end is not known beforehand
}

const planVersion = 1

// slow is the number of iterations of a digest whose data may hold a secret.
const slow = 100_000

// NewPlanFile resolves what a run would do now, for a plan file that is kept in dir. set has the params of the
// command line. The error joins the errors of faults that would fail.
func NewPlanFile(ctx context.Context, p *plan.Plan, dir string, set map[string]string) (*PlanFile, error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	return planFile(ctx, p, dir, set, salt)
}

func planFile(ctx context.Context, p *plan.Plan, dir string, set map[string]string, salt []byte) (*PlanFile, error) {
	sc := p.Scenario
	digest := func(sum [sha256.Size]byte) string {
		key, err := pbkdf2.Key(sha256.New, string(sum[:]), salt, slow, sha256.Size)
		if err != nil {
			panic(err) // only for lengths that FIPS 140 does not allow
		}
		return hex.EncodeToString(key)
	}
	f := &PlanFile{
		Version: planVersion, Brunt: machine.Version(), Made: time.Now().UTC().Truncate(time.Second), Seed: sc.Seed,
		Salt: hex.EncodeToString(salt),
		Scenario: PlannedScenario{
			File: RelativePath(dir, sc.File), Name: sc.Name, Digest: digest(sc.Sum()),
			Set: map[string]string{}, Files: []PlannedFile{},
		},
		Policies: []PlannedFile{}, Timeline: []PlannedTime{}, Settings: map[string]string{},
	}
	for name, value := range set {
		f.Scenario.Set[name] = sc.Given(name, value)
	}
	for _, s := range sc.Settings() {
		f.Settings[s.Path] = s.Value
	}
	for _, file := range sc.Files() {
		f.Scenario.Files = append(f.Scenario.Files, PlannedFile{RelativePath(dir, file.Path), digest(file.Sum)})
	}
	for _, policy := range p.Policies {
		f.Policies = append(f.Policies, PlannedFile{RelativePath(dir, policy.File), policy.Digest})
	}
	for _, e := range timeline.Estimate(p.Faults, p.End()) {
		f.Timeline = append(f.Timeline, PlannedTime{e.Name, result.Sec(e.At), result.Sec(e.Clear), e.Rough})
	}
	var err error
	if f.Target, err = plannedTarget(ctx, p, dir, digest); err != nil {
		return nil, err
	}
	known := slices.Clone(f.Scenario.Files)
	for i := range f.Target.Services {
		known = append(known, f.Target.Services[i].Programs...)
	}
	for _, path := range named(sc) {
		at := RelativePath(dir, path)
		if slices.ContainsFunc(known, func(o PlannedFile) bool { return o.File == at }) {
			continue
		}
		planned := PlannedFile{File: at} // without a digest if brunt may not read it
		if sum, err := disk.Digest(path); err == nil {
			planned.Digest = digest(sum)
		}
		f.Scenario.Files = append(f.Scenario.Files, planned)
	}
	var wrong error
	f.Faults, f.Target.Cluster, wrong = forecasts(ctx, p)
	errs := []error{wrong}
	for i := range f.Faults {
		errs = append(errs, f.Faults[i].err())
	}
	return f, errors.Join(errs...)
}

// plannedTarget resolves the target.
func plannedTarget(
	ctx context.Context, p *plan.Plan, dir string, digest func([sha256.Size]byte) string,
) (PlannedTarget, error) {
	t := &p.Scenario.Target
	out := PlannedTarget{Kind: t.Kind(), Name: p.TargetName()}
	if p.Stack == nil {
		host, _, err := net.SplitHostPort(p.Upstream)
		if err != nil {
			return out, nil // no valid URL; that is reported elsewhere
		}
		out.Addresses, err = addressesOf(ctx, host)
		return out, err
	}
	out.Entry = p.Stack.Entry
	for i := range p.Stack.Services {
		s := &p.Stack.Services[i]
		service := PlannedService{Name: s.Name, Replicas: s.Replicas, Links: s.Links, Restart: s.Restart}
		for _, file := range Programs(s) {
			sum, err := disk.Digest(file)
			if err != nil {
				return out, fmt.Errorf("the command of %s: %w", s.Name, err)
			}
			service.Programs = append(service.Programs, PlannedFile{RelativePath(dir, file), digest(sum)})
		}
		out.Services = append(out.Services, service)
	}
	return out, nil
}

// addressesOf returns the addresses of a host, sorted.
func addressesOf(ctx context.Context, host string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, ip := range ips {
		out = append(out, ip.Unmap().String())
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// ReadPlan parses a plan file.
func ReadPlan(text []byte) (*PlanFile, error) {
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("it is not a plan: %w", err)
	}
	if head.Version != planVersion {
		return nil, fmt.Errorf("it is of version %d, and this brunt reads version %d: make it again by "+
			"`brunt run SCENARIO --dry-run -o FILE`", head.Version, planVersion)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	f := new(PlanFile)
	if err := d.Decode(f); err != nil {
		return nil, fmt.Errorf("it is not a plan: %w", err)
	}
	if d.More() {
		return nil, errors.New("it is not a plan: something follows it")
	}
	if salt, err := hex.DecodeString(f.Salt); err != nil || len(salt) < 16 {
		return nil, errors.New("it is not a plan: its salt is damaged")
	}
	if f.Scenario.File == "" {
		return nil, errors.New("it is not a plan: it names no scenario")
	}
	return f, nil
}
