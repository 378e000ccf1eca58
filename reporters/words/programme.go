package words

import (
	"strings"
	"time"

	"brunt/scenarios/result"
	"brunt/scenarios/result/programme"
	"brunt/scenarios/syntax"
)

// A ProgrammeRow is a scenario of a programme in words.
type ProgrammeRow struct {
	Mark, Tone, State string // sign, colour and word of its state
	Name              string
	Proof             string // when it was last proved; never, or the reason why there is no proof
	Build             string // software that it was proved on
	Due               string // its cadence, and when the next proof is due
	Last              string // the newest run, if that is not the proof
	Faults            []string
	Attested          []string
}

// stateWords are the states of a scenario, with sign and colour.
var stateWords = map[programme.State][3]string{
	programme.Failed:   {"✗", "bad", "failed"},
	programme.Never:    {"✗", "bad", "never tried"},
	programme.Unproved: {"✗", "bad", "never passed"},
	programme.Overdue:  {"!", "unsure", "overdue"},
	programme.Proved:   {"✓", "good", "proved"},
}

// ProgrammeRows returns the scenarios of a programme.
func ProgrammeRows(p *programme.Programme) (out []ProgrammeRow) {
	for i := range p.Scenarios {
		s := &p.Scenarios[i]
		word := stateWords[s.State]
		row := ProgrammeRow{Mark: word[0], Tone: word[1], State: word[2], Name: Clean(s.Name), Due: due(s, p.At)}
		switch {
		case s.State == programme.Never:
			row.Proof = "no run on file has this name"
			if s.Near != "" {
				row.Proof += "; perhaps it means " + Clean(s.Near)
			}
		case s.Proof == nil:
			row.Proof = "never, in " + Plural(int64(s.Runs), "run", "runs")
		default:
			row.Proof, row.Build = day(s.Proof.Ended), buildOf(s.Proof)
			row.Faults, row.Attested = faultsOf(s.Proof), attestedBy(s.Proof)
		}
		if r := s.Reviewed; r != nil && (s.Proof == nil || r.Folder != s.Proof.Folder) {
			for _, text := range attestedBy(r) {
				row.Attested = append(row.Attested, "run of "+day(r.Ended)+", "+Verdict(r.Verdict)+": "+text)
			}
		}
		if s.Last != nil && (s.Proof == nil || s.Last.Folder != s.Proof.Folder) {
			row.Last = day(s.Last.Ended) + ": " + Verdict(s.Last.Verdict)
		}
		out = append(out, row)
	}
	return out
}

// due says how often a scenario must pass, and when the next proof is due.
func due(s *programme.Scenario, at time.Time) string {
	if !s.Cadence.Known() {
		return "no cadence"
	}
	text := "every " + strings.TrimPrefix(period(s.Cadence.D()), "1 ")
	switch {
	case s.Due == nil:
		return text
	case at.After(*s.Due):
		return text + "; overdue for " + period(at.Sub(*s.Due))
	}
	return text + "; due " + day(*s.Due)
}

// period formats a long time: whole days from two days on, else hours or less.
func period(d time.Duration) string {
	if d >= 48*time.Hour || d%(24*time.Hour) == 0 {
		return Plural(int64(d/(24*time.Hour)), "day", "days")
	}
	return Seconds(result.Sec(d))
}

// day formats the day of a time, in UTC.
func day(t time.Time) string { return t.UTC().Format("2006-01-02") }

// buildOf names the software that a run was made on: what meta says of it, else each image or program with the first
// digits of its SHA-256. It is empty if the run knows neither.
func buildOf(r *programme.Ref) string {
	for _, key := range []string{"build", "version", "commit"} {
		if v := r.Meta[key]; v != "" {
			return Clean(v)
		}
	}
	var names []string
	by := map[string][]string{} // services by software
	for _, p := range r.Build {
		sum := p.SHA256[:min(len(p.SHA256), 12)]
		if p.Image != "" {
			sum = Clean(p.Image) + " " + sum
		}
		if by[sum] == nil {
			names = append(names, sum)
		}
		by[sum] = append(by[sum], Clean(p.Service))
	}
	for i, sum := range names {
		names[i] = strings.Join(by[sum], ", ") + ": " + Clean(sum)
	}
	return strings.Join(names, "; ")
}

// faultsOf describes the faults of a run: what came, and what was expected.
func faultsOf(r *programme.Ref) (out []string) {
	for i := range r.Result.Faults {
		f := &r.Result.Faults[i]
		text := Clean(f.Name) + ": " + FaultOutcome(f) + "."
		if e := FaultExpected(f); e != "" {
			text += " " + e
		}
		out = append(out, text)
	}
	return out
}

func attestedBy(r *programme.Ref) (out []string) {
	for _, a := range r.Attested {
		if a.Problem != "" {
			out = append(out, syntax.Sentence("An attestation of "+quote(a.By)+" does not count: "+Clean(a.Problem)))
			continue
		}
		out = append(out, Clean(a.By)+", "+day(a.At)+": "+Clean(a.States))
	}
	return out
}

// A FailureRow is a failure of a programme in words.
type FailureRow struct {
	Mark, Tone, State string
	Name, When        string
	Reason            string
	After             []string // what followed: who closed it, and who only says so
	Build             string
	Attested          []string
}

// followedWords are what followed a failure, with sign and colour.
var followedWords = map[programme.Followed][3]string{
	programme.Open:   {"✗", "bad", "open"},
	programme.Passed: {"!", "unsure", "passed since"},
	programme.Closed: {"✓", "good", "closed"},
}

// FailureRows returns the failures of a programme.
func FailureRows(p *programme.Programme) (out []FailureRow) {
	for i := range p.Failures {
		f := &p.Failures[i]
		word := followedWords[f.State]
		row := FailureRow{
			Mark: word[0], Tone: word[1], State: word[2], Name: Clean(f.Name), When: day(f.Ended),
			Reason: Clean(f.Reason), Build: buildOf(&f.Ref), Attested: attestedBy(&f.Ref),
		}
		switch f.State {
		case programme.Closed:
			row.After = append(row.After, "closed by "+refText(f.ClosedBy, f.Name))
		case programme.Passed:
			row.After = append(row.After, refText(f.PassedSince, f.Name)+" passed; no run has closes: "+Clean(f.Run))
		case programme.Open:
			row.After = append(row.After, "no later run passed")
		}
		for k := range f.NotClosed {
			n := &f.NotClosed[k]
			row.After = append(row.After,
				refText(n, f.Name)+" says that it closes it, and its verdict is "+Verdict(n.Verdict))
		}
		out = append(out, row)
	}
	return out
}

// refText names a run of another scenario, or one of the same.
func refText(r *programme.Ref, name string) string {
	text := "run " + Clean(r.Run)
	if r.Name != name {
		text += " of " + Clean(r.Name)
	}
	return text + " on " + day(r.Ended)
}

// ClaimTexts describes the claims of a programme that no failed run on file matches.
func ClaimTexts(p *programme.Programme) (out []string) {
	for i := range p.Claims {
		c := &p.Claims[i]
		out = append(out, Clean(c.Finding)+": "+refText(&c.By, "")+", "+Verdict(c.By.Verdict))
	}
	return out
}

// UntriedTexts describes what no run tried, by system.
func UntriedTexts(p *programme.Programme) (out []Pair) {
	for i := range p.Untried {
		u := &p.Untried[i]
		text := strings.Join(UntriedParts(u.Parts, u.Effects), "; ")
		if u.Modes > 0 {
			text = syntax.Sentence("Of "+Plural(int64(u.Modes), "way", "ways")+" to fail, "+
				Int(int64(u.Held))+" held and "+Int(int64(u.Failed))+" failed") + " " + text
		}
		out = append(out, Pair{Clean(u.System), text})
	}
	return out
}

// UntriedParts describes the services and links that lack an effect, such as store: never died, never hung, and the
// effects that no part was tried under.
func UntriedParts(parts []programme.UntriedPart, effects []string) (out []string) {
	for _, p := range parts {
		var lacks []string
		for _, e := range p.Effects {
			lacks = append(lacks, neverHad(e))
		}
		out = append(out, partText(p.Name, p.One)+": "+strings.Join(lacks, ", "))
	}
	if len(effects) > 0 {
		out = append(out, "on no part at all: "+Clean(strings.Join(effects, ", ")))
	}
	return out
}

// partText names a service, one replica of a service, or a link.
func partText(name string, one bool) string {
	if one {
		return "one of " + Clean(name)
	}
	return Clean(name)
}

// DrillReason says why a drill is worth running next: no run tried an effect on a part, or on one replica of it, and a
// clause says why that matters. Unmet means that the last fault with this effect met no traffic, or was not verified.
func DrillReason(part string, one bool, effect, why string, unmet bool) string {
	text := partText(part, one) + " was " + neverHad(effect) + ", and " + Clean(why) + "."
	if unmet {
		text += " The last such fault met no traffic, or was not verified: it wants another load."
	}
	return text
}

// neverHad says that no run tried an effect.
func neverHad(effect string) string {
	switch effect {
	case "dies":
		return "never died"
	case "hangs":
		return "never hung"
	case "errors":
		return "never answered with errors"
	}
	return "never " + Clean(effect) // slow and cut
}

// ProgrammeSummary counts the states of a programme, in sentences.
func ProgrammeSummary(p *programme.Programme) string {
	var parts []string
	all, free := 0, 0
	for _, s := range programme.States() {
		n := p.Count(s, true)
		all += n
		free += p.Count(s, false) - n
		if n > 0 {
			parts = append(parts, Int(int64(n))+" "+stateWords[s][2])
		}
	}
	text := "No scenario has a cadence."
	if all > 0 {
		text = syntax.Sentence("Of " + Plural(int64(all), "scenario", "scenarios") + " with a cadence: " + Join(parts))
	}
	if all > 0 && free > 0 {
		text += " " + syntax.Sentence(Plural(int64(free), "scenario has", "scenarios have")+" no cadence")
	}
	count := map[programme.Followed]int64{}
	for i := range p.Failures {
		count[p.Failures[i].State]++
	}
	if n := int64(len(p.Failures)); n > 0 {
		text += " " + syntax.Sentence("Of "+Plural(n, "failed run", "failed runs")+", "+Int(count[programme.Closed])+
			" closed, "+Int(count[programme.Passed])+" passed since without a run that closes it, "+
			Int(count[programme.Open])+" open")
	}
	return text
}
