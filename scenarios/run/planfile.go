package run

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
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/targets/stack"
)

// A PlanFile is what a dry run keeps, for a run that is to do just that: all that was
// resolved, and what was found of the world. It shows no secret; digests of what may
// hold one are salted and slow.
type PlanFile struct {
	Version  int               `json:"version"`
	Brunt    string            `json:"brunt"`
	Made     time.Time         `json:"made"`
	Scenario PlannedScenario   `json:"scenario"`
	Seed     uint64            `json:"seed"`
	Policies []PlannedFile     `json:"policies"`
	Target   PlannedTarget     `json:"target"`
	Timeline []PlannedTime     `json:"timeline"`
	Faults   []Foreseen        `json:"faults"`
	Salt     string            `json:"salt"` // of the digests, hex
	Settings map[string]string `json:"settings"`
}

// PlannedScenario is the scenario of a plan.
type PlannedScenario struct {
	File   string            `json:"file"` // relative to the plan's folder
	Name   string            `json:"name"`
	Digest string            `json:"digest"` // as resolved, secrets and all
	Set    map[string]string `json:"set"`    // params given on the command line
	Files  []PlannedFile     `json:"files"`
}

// A PlannedFile is a file that a plan rests on.
type PlannedFile struct {
	File   string `json:"file"`
	Digest string `json:"digest"`
}

// PlannedTarget is what the target was made of.
type PlannedTarget struct {
	Kind      string           `json:"kind"` // stack, processes or url
	Name      string           `json:"name"`
	Entry     string           `json:"entry,omitempty"`
	Services  []PlannedService `json:"services,omitempty"`
	Addresses []string         `json:"addresses,omitempty"` // that the URL's host led to
}

// A PlannedService is a service that brunt would start.
type PlannedService struct {
	Name     string        `json:"name"`
	Replicas int           `json:"replicas"`
	Links    []string      `json:"links,omitempty"`
	Restart  string        `json:"restart"`
	Programs []PlannedFile `json:"programs,omitempty"` // its command, and the files that it is given
}

// PlannedTime is an occurrence of a fault as it is foreseen.
type PlannedTime struct {
	Name  string        `json:"name"`
	At    scenarios.Num `json:"at"` // seconds from t0
	Clear scenarios.Num `json:"clear"`
	Rough bool          `json:"rough,omitempty"` // it follows something whose end is not known beforehand
}

const planVersion = 1

// slow is how often a digest that may be of a secret is made over.
const slow = 100_000

// Foresee finds what a run would do now, for a plan that is kept in dir. Set are the
// params of the command line. The error tells of every fault that would fail.
func (p *Plan) Foresee(ctx context.Context, dir string, set map[string]string) (*PlanFile, error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	return p.planFile(ctx, dir, set, salt)
}

func (p *Plan) planFile(ctx context.Context, dir string, set map[string]string, salt []byte) (*PlanFile, error) {
	sc := p.Scenario
	digest := func(sum [sha256.Size]byte) string {
		key, err := pbkdf2.Key(sha256.New, string(sum[:]), salt, slow, sha256.Size)
		if err != nil {
			panic(err) // of lengths that FIPS 140 does not take; these it does
		}
		return hex.EncodeToString(key)
	}
	f := &PlanFile{
		Version: planVersion, Brunt: Version(), Made: time.Now().UTC().Truncate(time.Second), Seed: sc.Seed, Salt: hex.EncodeToString(salt),
		Scenario: PlannedScenario{File: relative(dir, sc.File), Name: sc.Name, Digest: digest(sc.Sum()), Set: map[string]string{}, Files: []PlannedFile{}},
		Policies: []PlannedFile{}, Timeline: []PlannedTime{}, Settings: map[string]string{},
	}
	for name, value := range set {
		f.Scenario.Set[name] = sc.Secrets.Mask(value)
	}
	for _, s := range sc.Settings() {
		f.Settings[s.Path] = s.Value
	}
	for _, file := range sc.Files() {
		f.Scenario.Files = append(f.Scenario.Files, PlannedFile{relative(dir, file.Path), digest(file.Sum)})
	}
	for _, policy := range p.policies {
		f.Policies = append(f.Policies, PlannedFile{relative(dir, policy.File), policy.Digest})
	}
	for _, e := range chaos.Estimate(p.Faults, p.End()) {
		f.Timeline = append(f.Timeline, PlannedTime{e.Name, scenarios.Sec(e.At), scenarios.Sec(e.Clear), e.Rough})
	}
	var err error
	if f.Target, err = p.plannedTarget(ctx, dir, digest); err != nil {
		return nil, err
	}
	var errs []error
	f.Faults = p.foresee(ctx)
	for i := range f.Faults {
		errs = append(errs, f.Faults[i].err)
	}
	return f, errors.Join(errs...)
}

// relative gives a path as seen from a folder, where that can be said.
func relative(dir, path string) string {
	from, err := filepath.Abs(dir)
	if err != nil {
		return path
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(from, abs); err == nil {
		return filepath.ToSlash(rel)
	}
	return abs
}

// plannedTarget finds what the target is made of now.
func (p *Plan) plannedTarget(ctx context.Context, dir string, digest func([sha256.Size]byte) string) (PlannedTarget, error) {
	t := &p.Scenario.Target
	out := PlannedTarget{Kind: targetKind(t), Name: p.targetName()}
	if p.Stack == nil {
		host, _, err := net.SplitHostPort(p.upstream)
		if err != nil {
			return out, nil // of no URL at all, which is told elsewhere
		}
		out.Addresses, err = addressesOf(ctx, host)
		return out, err
	}
	out.Entry = p.Stack.Entry
	for i := range p.Stack.Services {
		s := &p.Stack.Services[i]
		service := PlannedService{Name: s.Name, Replicas: s.Replicas, Links: s.Links, Restart: s.Restart}
		for _, file := range programs(s) {
			sum, err := sumOf(file)
			if err != nil {
				return out, fmt.Errorf("the command of %s: %w", s.Name, err)
			}
			service.Programs = append(service.Programs, PlannedFile{relative(dir, file), digest(sum)})
		}
		out.Services = append(out.Services, service)
	}
	return out, nil
}

// addressesOf gives the addresses of a host, sorted.
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

// programs lists the files that a service is started from: its command, and what among
// its arguments is a file. Brunt itself is known by its version: where it lies says
// nothing.
func programs(s *stack.Service) []string {
	var out []string
	self, _ := os.Executable()
	for i := range s.Command {
		arg, static := s.Command[i].Static()
		if !static || arg == "" {
			continue
		}
		file := arg
		if i == 0 && !strings.ContainsAny(arg, `/\`) {
			found, err := exec.LookPath(arg)
			if err != nil {
				continue
			}
			file = found
		} else if !filepath.IsAbs(file) {
			file = filepath.Join(s.Dir, file)
		}
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && file != self && !slices.Contains(out, file) {
			out = append(out, file)
		}
	}
	return out
}

// sumOf gives the digest of a file.
func sumOf(file string) (sum [sha256.Size]byte, err error) {
	f, err := os.Open(file)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, err
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// ReadPlan reads what a dry run has kept.
func ReadPlan(text []byte) (*PlanFile, error) {
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("it is no plan: %w", err)
	}
	if head.Version != planVersion {
		return nil, fmt.Errorf("it is of version %d, and this brunt reads version %d: make it anew by `brunt run SCENARIO --dry-run -o FILE`", head.Version, planVersion)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	f := new(PlanFile)
	if err := d.Decode(f); err != nil {
		return nil, fmt.Errorf("it is no plan: %w", err)
	}
	if d.More() {
		return nil, errors.New("it is no plan: something follows it")
	}
	if salt, err := hex.DecodeString(f.Salt); err != nil || len(salt) < 16 {
		return nil, errors.New("it is no plan: its salt is damaged")
	}
	if f.Scenario.File == "" {
		return nil, errors.New("it is no plan: it names no scenario")
	}
	return f, nil
}

// Drift says in words what differs between a plan that was kept in dir and what would
// be done now. A fault that would fail now is among it. An error is that nothing could be
// found out.
func (p *Plan) Drift(ctx context.Context, was *PlanFile, dir string, set map[string]string) ([]string, error) {
	salt, err := hex.DecodeString(was.Salt)
	if err != nil {
		return nil, err
	}
	now, err := p.planFile(ctx, dir, set, salt)
	if now == nil {
		return nil, err
	}
	d := &drift{}
	if err != nil {
		d.add("%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	d.target(was.Target, now.Target)
	for i := range now.Faults {
		f := &now.Faults[i]
		if j := slices.IndexFunc(was.Faults, func(o Foreseen) bool { return o.Fault == f.Fault }); j >= 0 {
			d.fault(&was.Faults[j], f)
		} else {
			d.add("fault %s is not in the plan", f.Fault)
		}
	}
	for i := range was.Faults {
		if name := was.Faults[i].Fault; !slices.ContainsFunc(now.Faults, func(o Foreseen) bool { return o.Fault == name }) {
			d.add("fault %s of the plan is gone", name)
		}
	}
	d.times(was.Timeline, now.Timeline)
	d.settings(was.Settings, now.Settings)
	if was.Seed != now.Seed {
		d.add("the seed is %d, the plan says %d", now.Seed, was.Seed)
	}
	if was.Brunt != now.Brunt {
		d.add("this is brunt %s, the plan was made by brunt %s", now.Brunt, was.Brunt)
	}
	d.files("policy", was.Policies, now.Policies)
	d.files("file", withoutScenario(was), withoutScenario(now))
	if len(d.found) == 0 && was.Scenario.Digest != now.Scenario.Digest {
		d.add("a secret, of the environment or of a file, has another value than when the plan was made, or keys stand in another order")
	}
	return d.found, nil
}

// withoutScenario lists the files of a plan but for the scenario's own text: what that
// says is told by its settings, and a comment is no difference.
func withoutScenario(f *PlanFile) []PlannedFile {
	return slices.DeleteFunc(slices.Clone(f.Scenario.Files), func(p PlannedFile) bool { return p.File == f.Scenario.File })
}

// drift collects differences in words.
type drift struct{ found []string }

func (d *drift) add(format string, args ...any) {
	d.found = append(d.found, fmt.Sprintf(format, args...))
}

func (d *drift) target(was, now PlannedTarget) {
	if was.Kind != now.Kind || was.Name != now.Name {
		d.add("the target is %s, the plan says %s", now.Name, was.Name)
	}
	if was.Entry != now.Entry {
		d.add("the entry is %s, the plan says %s", now.Entry, was.Entry)
	}
	if !slices.Equal(was.Addresses, now.Addresses) {
		d.add("%s leads to %s, the plan says %s", now.Name, listed(now.Addresses), listed(was.Addresses))
	}
	find := func(in []PlannedService, name string) *PlannedService {
		for i := range in {
			if in[i].Name == name {
				return &in[i]
			}
		}
		return nil
	}
	for i := range now.Services {
		s := &now.Services[i]
		o := find(was.Services, s.Name)
		if o == nil {
			d.add("service %s is not in the plan", s.Name)
			continue
		}
		if o.Replicas != s.Replicas {
			d.add("%s has %s, the plan says %d", s.Name, scenarios.Amount(s.Replicas, "replica"), o.Replicas)
		}
		if !slices.Equal(o.Links, s.Links) {
			d.add("%s calls %s, the plan says %s", s.Name, listed(s.Links), listed(o.Links))
		}
		if o.Restart != s.Restart {
			d.add("%s is restarted %s, the plan says %s", s.Name, s.Restart, o.Restart)
		}
		d.files("program of "+s.Name, o.Programs, s.Programs)
	}
	for i := range was.Services {
		if find(now.Services, was.Services[i].Name) == nil {
			d.add("service %s of the plan is gone", was.Services[i].Name)
		}
	}
}

func (d *drift) fault(was, now *Foreseen) {
	for i, p := range now.Processes {
		switch {
		case i >= len(was.Processes) || was.Processes[i].PID != p.PID: // told by the settings
		case p.Start == 0:
			d.add("%s: process %d is no more", now.Fault, p.PID)
		case !p.Same(was.Processes[i]):
			d.add("%s: process %d (%s) is another than the plan's (%s): it began at another time", now.Fault, p.PID, p.Name, was.Processes[i].Name)
		}
	}
	switch steps := func(f *Foreseen) []string {
		var out []string
		for _, s := range f.Steps {
			out = append(out, s.What)
		}
		return out
	}; {
	case now.err != nil: // told already
	case was.Kind != now.Kind:
		d.add("%s is a %s, the plan says %s", now.Fault, now.Kind, was.Kind)
	case !same(was.Steps, now.Steps):
		d.add("%s would %s, the plan says %s", now.Fault, listed(steps(now)), listed(steps(was)))
	}
}

// times tells of faults that come at another time than planned.
func (d *drift) times(was, now []PlannedTime) {
	for _, t := range now {
		i := slices.IndexFunc(was, func(o PlannedTime) bool { return o.Name == t.Name })
		if i < 0 || same(was[i], t) { // one that is not there at all is told already
			continue
		}
		d.add("%s comes at %s, to be over at %s; the plan says %s and %s", t.Name, offset(t.At), offset(t.Clear), offset(was[i].At), offset(was[i].Clear))
	}
}

func offset(n scenarios.Num) string { return scenarios.FormatSeconds(float64(n)) }

func (d *drift) settings(was, now map[string]string) {
	for _, path := range slices.Sorted(maps.Keys(now)) {
		switch old, has := was[path]; {
		case !has:
			d.add("%s is %s, and is not in the plan", path, now[path])
		case old != now[path]:
			d.add("%s is %s, the plan says %s", path, now[path], old)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(was)) {
		if _, has := now[path]; !has {
			d.add("%s is not said, the plan says %s", path, was[path])
		}
	}
}

// files tells of files that are others than planned.
func (d *drift) files(what string, was, now []PlannedFile) {
	for _, f := range now {
		i := slices.IndexFunc(was, func(o PlannedFile) bool { return o.File == f.File })
		switch {
		case i < 0:
			d.add("%s %s is not in the plan", what, f.File)
		case was[i].Digest != f.Digest:
			d.add("%s %s has changed since the plan was made", what, f.File)
		}
	}
	for _, o := range was {
		if !slices.ContainsFunc(now, func(f PlannedFile) bool { return f.File == o.File }) {
			d.add("%s %s of the plan is not used", what, o.File)
		}
	}
}

func listed(items []string) string { return scenarios.ListOr(items, "nothing") }

// targetName says in a word what is loaded.
func (p *Plan) targetName() string {
	t := p.Scenario.Target
	switch targetKind(&t) {
	case "stack":
		return "stack " + t.Stack
	case "processes":
		return "processes"
	}
	return p.Scenario.Secrets.Mask(t.URL.Text())
}
