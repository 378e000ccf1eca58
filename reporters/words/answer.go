package words

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// An Answer is what a report says of a run before anything else: whether to ship, why, what to change, how objectives
// and faults stand, how far to trust it, and what differs from the run before. Every form of a report shows it, so
// that its words are made once, and from typed data alone. [AnswerOf] makes it:
//
//	Result -> Answer -> page, terminal, Markdown, JUnit, summary of a job, text to copy
type Answer struct {
	Verdict  scenarios.Verdict // verdict of the run
	Mark     string            // sign of the verdict: ✓ ✗ ? or ▶; it is never shown without the head
	Tone     string            // colour of the verdict: good, bad, unsure or going
	Head     string            // Ship, Don't ship, Not certain, Not judged, or Says nothing of the target
	Name     string            // name of the scenario
	Sentence Text              // the reason for the head, in one to three sentences
	Trust    *Trust            // how far brunt's own time leaves the figures certain; nil if brunt made no load

	WhyTitle string // heading of why, such as Why it failed; empty without points
	Why      []Text // how it came to that, in a few points: the outages that count most first

	ChangeTitle string   // heading of change, such as What to change; empty without advice
	Change      []Advice // what would give another verdict, the most useful first
	Keep        Text     // what needs no change, such as faults that did no harm; empty if nothing is known
	Curl        string   // command that repeats the first request that failed; empty if none is known

	ObjectivesTitle string          // such as Objectives: 3 failed, 5 held
	Objectives      []ObjectiveLine // all objectives: those that failed first, then those that are open
	FaultsTitle     string          // such as Faults: all verified, all taken back; empty without faults
	Faults          []FaultLine     // all faults in the order of their injection
	FaultsNote      string          // says how times of faults differ from those of objectives; empty if hardly

	Past *Past // earlier runs of the scenario; nil if none is known
}

// Advice is one thing to change. It is made by a rule of [changeRules].
type Advice struct {
	Rule    string // name of the rule
	Likely  bool   // the data makes it likely, and does not prove it; the text says so
	Text    Text   // what to change and what it would bring
	Command string // a command that tries it, such as brunt run scenario.yaml --set replicas=2; empty if there is none
}

// An ObjectiveLine is an objective as one row: its value and how far it is from its limit.
type ObjectiveLine struct {
	Index   int               // index in [result.Result.Objectives]
	Verdict scenarios.Verdict // verdict of the objective
	Mark    string            // ✓ ✗ ? or ·
	Tone    string            // good, bad or unsure
	Word    string            // held, failed, not certain or not judged
	Title   string            // the objective as written, with its phase if that is not in it
	Value   string            // measured value, such as 3.67%
	Margin  Margin            // distance from the limit
	Sure    string            // the limits of the value, such as at most 3.9% (95% sure); empty if none is known
	Note    string            // why it is not certain, or what a reader should know; may be empty
}

// A Margin is the distance of an objective's value from its limit.
type Margin struct {
	Kind   MarginKind
	Figure result.Num // over: the value as a multiple of the limit; left: the unused share of the limit; else unknown
	Text   string     // such as 3.7x the limit, 57% left or no outage; may be empty
}

// A MarginKind is the kind of a [Margin].
type MarginKind string

// The kinds of margins.
const (
	MarginNone     MarginKind = ""          // a margin has no meaning, such as for an objective with =
	MarginOver     MarginKind = "over"      // beyond the limit
	MarginLeft     MarginKind = "left"      // within the limit
	MarginNoOutage MarginKind = "no_outage" // there was nothing to recover from
	MarginOpen     MarginKind = "open"      // the value is not certain
)

// A FaultLine is a fault as one row: its outcome and what it did.
type FaultLine struct {
	Index   int    // index in [result.Result.Faults]
	Name    string // name of the fault
	Mark    string // ✓ ✗ ! or ?
	Tone    string // good, bad or unsure
	Outcome string // such as outage of 2.1s, 21x slower or survived
	Text    string // what it did, such as 681 requests failed; good again 1.02s after posts was back
	Times   bool   // the outcome and the text have response times of good answers
	Outage  bool   // the outcome is an outage
	// what the author expected of it, and whether that came, as a sentence; empty if the scenario states nothing
	Expected string
	// what people did about it, and how its time divides among them and the machine, in sentences; may be empty
	People []string
}

// Trust says how far brunt's own time leaves the figures of a run certain.
type Trust struct {
	Mark  string     // ✓ or !
	Tone  string     // good or unsure
	Title string     // such as Busy machine
	Late  result.Num // p99 of the time by which brunt itself was late, seconds
	Text  string     // what follows from it for the verdict and the response times
}

// A Past holds the earlier runs of a scenario that a run knows.
type Past struct {
	Runs  []PastRun    // the last ten runs, the oldest first; the last of them is this run
	Since []Difference // what differs from the run before
}

// A PastRun is a run in a row of runs.
type PastRun struct {
	Run     string // id of the run
	Folder  string // its folder, relative to the folder of this run, with slashes; empty for this run
	Beside  bool   // its page is in that folder
	Verdict scenarios.Verdict
	Mark    string // ✓ ✗ or ?
	Tone    string // good, bad or unsure
	When    string // when it began, such as 24 Nov 2026 07:30 UTC
	Now     bool   // it is this run
}

// A Difference is a figure or a setting that differs from the run before.
type Difference struct {
	Name   string // failed, p95 before faults, or the name of a setting
	Before string
	Now    string
	Word   string // worse, better, about the same, not certain; empty for a setting
	Mark   string // ▲ ▼ ? or empty
	Tone   string // good, bad or unsure; empty for a setting
}

// The heads of an answer.
const (
	headShip    = "Ship"
	headNot     = "Don't ship"
	headOpen    = "Not certain"
	headNothing = "Says nothing of the target"
	headUntried = "Not judged"
	headNoAsk   = "Nothing to decide by"
)

// AnswerOf makes the answer of a run.
func AnswerOf(r *result.Result) *Answer {
	a := &Answer{Verdict: r.Verdict, Mark: Mark(r.Verdict), Tone: Tone(r.Verdict), Name: Clean(r.Name)}
	a.Head, a.Sentence = sentence(r)
	a.Trust = trust(r)
	f := find(r)
	a.WhyTitle, a.Why = f.why()
	a.ChangeTitle, a.Change = f.change()
	a.Keep, a.Curl = f.keep(), f.firstCurl()
	a.ObjectivesTitle, a.Objectives = objectiveLines(r)
	a.FaultsTitle, a.Faults = faultLines(r)
	a.FaultsNote = faultsNote(r, a.Faults)
	a.Past = past(r)
	return a
}

// Line returns the head and the sentence in one line.
func (a *Answer) Line() string {
	said := a.Sentence.String()
	if a.Head == "" || said == "" {
		return a.Head + said
	}
	return a.Head + ". " + said
}

// Because returns why the run has its verdict, what to change and how far to trust it, in lines of text. A heading
// has no mark before it.
func (a *Answer) Because() []string {
	var out []string
	section := func(title string, points []string) {
		if title != "" && len(points) > 0 {
			out = append(append(out, title), points...)
		}
	}
	var why, change []string
	for _, p := range a.Why {
		why = append(why, "- "+p.String())
	}
	for i := range a.Change {
		change = append(change, fmt.Sprintf("%d. %s", i+1, a.Change[i].Line()))
	}
	if len(a.Keep) > 0 {
		change = append(change, "- "+a.Keep.String())
	}
	section(a.WhyTitle, why)
	section(a.ChangeTitle, change)
	if a.Past != nil {
		out = append(out, a.Past.Line())
	}
	if a.Trust != nil {
		out = append(out, a.Trust.Line())
	}
	return out
}

// Line returns the advice with its command in one line.
func (a *Advice) Line() string {
	if a.Command == "" {
		return a.Text.String()
	}
	return a.Text.String() + " Try: " + a.Command
}

// Text returns the whole answer as lines of text, to be copied into a message.
func (a *Answer) Text() string {
	lines := []string{a.Mark + " " + a.Name, a.Line()}
	lines = append(lines, a.Because()...)
	lines = append(lines, a.ObjectivesTitle)
	for i := range a.Objectives {
		o := &a.Objectives[i]
		lines = append(lines, strings.TrimRight(o.Mark+" "+o.Title+"  "+o.Value+"  "+o.Margin.Text, " "))
	}
	if a.FaultsTitle != "" {
		lines = append(lines, a.FaultsTitle)
	}
	for i := range a.Faults {
		lines = append(lines, a.Faults[i].Mark+" "+a.Faults[i].Line())
	}
	if a.FaultsNote != "" {
		lines = append(lines, a.FaultsNote)
	}
	return strings.Join(lines, "\n") + "\n"
}

// Line returns the fault with its outcome and what it did in one line.
func (l *FaultLine) Line() string {
	s := l.Name + "  " + l.Outcome
	if l.Text != "" {
		s += ": " + l.Text
	}
	if l.Expected != "" {
		s = strings.TrimSuffix(s, ".") + ". " + l.Expected
	}
	return s
}

// sentence returns the head of a run's answer, and its reason. It tells the worst outage that no fault is shown to have
// done, whatever the verdict, unless the reason is about that outage or the run says nothing of the target.
func sentence(r *result.Result) (head string, said Text) {
	head, said = reasonFor(r)
	switch text := unblamed(r); {
	case text == "", strings.Contains(said.String(), text):
	case r.Verdict == scenarios.Fail && (!anyFault(r) || outageSentence(r) != nil && worstUnblamed(r)):
	case slices.Contains([]scenarios.Verdict{
		scenarios.Pass, scenarios.None, scenarios.Fail, scenarios.Inconclusive, scenarios.Stopped, scenarios.Interrupted,
	}, r.Verdict):
		said = said.say(" " + syntax.Sentence(text))
	}
	return head, said
}

// anyFault reports whether a fault was injected.
func anyFault(r *result.Result) bool {
	return slices.ContainsFunc(r.Faults, func(f result.FaultRecord) bool { return f.Injected.Known() })
}

// worstUnblamed reports whether no fault is shown to have done the outage that counts most against the objectives.
func worstUnblamed(r *result.Result) bool {
	in, by := worstOutage(r)
	return in != nil && by == nil
}

// reasonFor returns the head of a run's answer, and why it is so.
func reasonFor(r *result.Result) (head string, said Text) {
	reason := Text{}.say(Clean(r.Reason))
	switch r.Verdict {
	case scenarios.Pass:
		return sentenceOnPass(r)
	case scenarios.None:
		if r.ExitCode != scenarios.ExitPass {
			return "Don't ship by this run", reason
		}
		return headNoAsk, reason
	case scenarios.Fail:
		return headNot, sentenceOnFail(r)
	case scenarios.Inconclusive, scenarios.Interrupted, scenarios.Broken:
		return headOpen, reason
	case scenarios.Invalid:
		if r.Untried() != "" {
			return headUntried, reason
		}
		return headNothing, reason
	case scenarios.Stopped, scenarios.Regression:
		return headNot, reason
	case scenarios.NotReverted:
		return "Don't ship, and look at the target first", reason
	}
	return "", reason
}

func sentenceOnPass(r *result.Result) (head string, said Text) {
	held := "all " + Plural(int64(len(r.Objectives)), "objective", "objectives") + " held"
	switch len(r.Objectives) {
	case 1:
		held = "the objective held"
	case 2:
		held = "both objectives held"
	}
	switch {
	case r.Control:
		return "", Text{}.say(Capitalize(held) +
			", but in this control run nothing was broken, so that it says little about failures.")
	case r.Imported != "":
		return "Ship, as far as the imported requests go", Text{}.say(syntax.Sentence(held))
	}
	text := held + faultsOutcome(r) + lateOnPass(r)
	if own := unblamed(r); own != "" {
		text += "; " + own
	}
	text += slowdownOnPass(r) + brokenOnPass(r) + partlyShown(r) + cutOnPass(r)
	return headShip, Text{}.say(syntax.Sentence(text))
}

// partlyShown names the faults that did no harm, and the conditions, whose effect was shown only in part; empty
// without.
func partlyShown(r *result.Result) string {
	names := conditionsInPart(r)
	for i := range r.Faults {
		if f := &r.Faults[i]; f.Impact == result.NotImpacted && f.NotShown != "" {
			names = append(names, quote(f.Name))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; " + shownInPart(names)
}

// sentenceOnFail says first what broke the service and for how long, then the objective that was missed by most.
func sentenceOnFail(r *result.Result) Text {
	t := outageSentence(r)
	missed := missedObjectives(r, t != nil)
	switch {
	case missed == "":
		return Text{}.say(Clean(r.Reason))
	case t == nil:
		return t.say(syntax.Sentence(missed))
	case oneReason(r):
		missed += ", all for this one reason"
	}
	return t.say(" " + syntax.Sentence(missed))
}

// brokenOnPass says what a run that passed broke in data: writes and messages that were lost, and registers that were
// not linearizable. An objective on the same ledger, delivery or registers allows it, or none asks about it.
func brokenOnPass(r *result.Result) (text string) {
	var allowed, unasked []string
	asks := func(of func(o slo.Objective) bool) *[]string {
		if slices.ContainsFunc(r.Objectives, func(x result.ObjectiveResult) bool {
			o, ok := x.Asks()
			return ok && of(o)
		}) {
			return &allowed
		}
		return &unasked
	}
	ledgers := r.AllLedgers()
	for _, l := range ledgers {
		if l.Lost == 0 {
			continue
		}
		list := asks(func(o slo.Objective) bool { return o.Metric.Row().OfLosses && ofLedger(r, o, l) })
		of := ""
		if len(ledgers) > 1 && l.Name != "" {
			of = " of " + quote(l.Name)
		}
		*list = append(*list, Plural(l.Lost, "acknowledged write", "acknowledged writes")+of+wasOrWere(l.Lost)+" lost")
	}
	for _, d := range r.Deliveries {
		if d.Lost > 0 {
			list := asks(func(o slo.Objective) bool { return o.Metric.Row().OfLosses && ofDelivery(o, d) })
			*list = append(*list, lostIn(d)+" of "+quote(d.Name)+wasOrWere(d.Lost)+" never seen")
		}
	}
	for _, c := range r.Consistency {
		if c.Anomalies > 0 {
			list := asks(func(o slo.Objective) bool { return ofRegisters(r, o, c) })
			*list = append(*list, quote(c.Name)+" was not linearizable")
		}
	}
	if len(allowed) > 0 {
		text = ", though " + Join(allowed) + ", as " + pick(len(allowed) > 1, "objectives allow", "an objective allows")
	}
	if len(unasked) > 0 {
		text += ", yet " + Join(unasked) + ", which no objective asks about"
	}
	return text
}

// ofLedger reports whether an objective is about the writes of a ledger.
func ofLedger(r *result.Result, o slo.Objective, l *result.LedgerRecord) bool {
	return o.Metric.OfLedger() && !o.OfDelivery() && ofSource(o, l.Name, len(r.AllLedgers()))
}

// ofDelivery reports whether an objective is about what became of the messages of a delivery.
func ofDelivery(o slo.Objective, d *result.DeliveryRecord) bool {
	return o.OfDelivery() && o.Step == d.Name
}

// ofRegisters reports whether an objective is about a set of registers.
func ofRegisters(r *result.Result, o slo.Objective, c *result.ConsistencyRecord) bool {
	return o.Metric.OfRegister() && ofSource(o, c.Name, len(r.Consistency))
}

// ofSource reports whether an objective is about one of so many sources. Without a name it is about the only one.
func ofSource(o slo.Objective, name string, all int) bool {
	return o.Metric.Source == name || o.Metric.Source == "" && all == 1
}

// failedOn reports whether the value of one of the objectives that are meant made it fail.
func failedOn(r *result.Result, meant func(o slo.Objective) bool) bool {
	return slices.ContainsFunc(r.Objectives, func(x result.ObjectiveResult) bool {
		o, ok := x.Asks()
		return ok && failedByValue(&x) && meant(o)
	})
}

// faultsOutcome says how the target withstood its faults.
func faultsOutcome(r *result.Result) string {
	var others []*result.FaultRecord
	var slow []string // what faults did that made answers too slow, and no request fail
	for i := range r.Faults {
		switch f := &r.Faults[i]; {
		case f.Impact == result.Impacted && onlyTooSlow(r, f) && !f.NoOutage():
			slow = append(slow, quote(f.Name)+" made "+slowingOf(r, f).clause(" ")+" for "+harmLength(f, outagesOf(r, f)))
		case f.Injected.Known() && !toldByOutage(r, f):
			others = append(others, f)
		}
	}
	joint, said := outcomeOf(r, others, len(slow) > 0)
	switch {
	case len(slow) == 0 && said == "":
		return ""
	case len(slow) == 0:
		return ", " + joint + " " + said
	case said == "":
		return ", though " + slightly(slow) + "; " + failedNoRequest(r, len(slow) > 1)
	}
	return ", though " + slightly(slow) + "; " + said
}

// toldByOutage reports whether [unblamed] tells the harm of a fault, as that of an outage that nothing shows to be
// the fault's. That the target recovered from the fault is then not known.
func toldByOutage(r *result.Result, f *result.FaultRecord) (told bool) {
	if f.Impact != result.Impacted || f.NoOutage() {
		return false
	}
	for i := range r.Incidents {
		in := &r.Incidents[i]
		if in.By == f.Name {
			return false
		}
		told = told || in.By == "" && in.Bad > 0 && slices.Contains(in.Faults, f.Name)
	}
	return told
}

// failedNoRequest says of one fault, or of several, that they failed no request, or that no request of the run failed.
func failedNoRequest(r *result.Result, many bool) string {
	if run := PhaseRowOf(r, slo.Phase{Kind: slo.RunPhase}); run != nil && run.Bad > 0 {
		return pick(many, "they", "it") + " failed no request"
	}
	return "no request failed"
}

// outcomeOf says how the target withstood faults, and returns the word that joins that to the objectives. Besides means
// that a sentence on other faults comes before.
func outcomeOf(r *result.Result, faults []*result.FaultRecord, besides bool) (joint, said string) {
	var in, recovered, harmless, slight, lasting, lossy int64
	var mildly, unknown []string // what slight effects were, and the faults whose effect is not known
	slower := true               // of those it is not known whether they made answers slower, and nothing else
	broken, least := "", ""
	var down []string // steps that alone had an outage
	meanwhile := ""   // answers that were slower during a fault, without evidence that it made them so
	slowest, rejoining := result.Num(0), result.Num(0)
	for _, f := range faults {
		in++
		out := stepOutage(f)
		if out != nil {
			down = append(down, Clean(out.Phrase())+" during "+quote(f.Name))
		}
		switch {
		case OnlySlower(f):
			harmless++
			slight++
			slowed := quote(f.Name) + " made " + slowingOf(r, f).clause(" ")
			if shedMore(f.Parts) {
				slowed += ", and " + shedShare(f.Parts, " of requests")
			}
			if out != nil {
				slowed += ", and " + Clean(out.Phrase())
			}
			mildly = append(mildly, slowed)
		case f.NoOutage(): // the fault lost writes, and there was nothing to recover from
			lossy++
		case notTold(f):
			open := onlySlownessOpen(f)
			unknown, slower = append(unknown, quote(f.Name)), slower && open
			if out != nil {
				mildly = append(mildly, down[len(down)-1])
			}
			if shedMore(f.Parts) {
				mildly = append(mildly, shedShare(f.Parts, " of requests")+" during "+quote(f.Name))
			}
			if open && slowerDuring(f) {
				meanwhile = slowingOf(r, f).clause(" were ") + " during " + quote(f.Name) +
					", and nothing shows that it made them so"
			}
		case f.Impact == result.Impacted:
			recovered++
			took := f.Recover
			if laterOutage(r, f) != nil {
				if own := outagesOf(r, f); !late(r, own[0], f) {
					took = own[len(own)-1].End - HarmedFrom(f)
				}
			}
			if cost, rejoined := Rejoined(f); rejoined && cost.Known() {
				rejoining = max(rejoining, cost)
				if took = f.Back; took == 0 { // all of its harm
					took = cost
				}
			}
			if took.Known() {
				slowest = max(slowest, took)
			}
			if waitsUntold(f) {
				least = "at least "
			}
		case f.Impact == result.NotImpacted:
			harmless++
			p := f.Parts
			switch {
			case out != nil:
				slight++
				mildly = append(mildly, down[len(down)-1])
			case p != nil && (p.Bad() > 0 || shedMore(p) || p.Lacking || p.LackingUntold):
				slight++
				mildly = append(mildly, mildHarm(p)+" during "+quote(f.Name))
			case shifted(p):
				slight++
				mildly = append(mildly, quote(f.Name)+" may have raised p50 from "+Seconds(p.P50Before)+" to "+
					Seconds(p.P50)+" (too few answers to tell)")
			}
		case f.Impact == result.NotRecovered:
			if lasting++; lasting == 1 {
				broken = quote(f.Name)
			}
		}
	}
	in -= lossy
	rejoined := ""
	if rejoining > 0 {
		rejoined = "; rejoining cost " + Seconds(rejoining)
		if recovered > 1 {
			rejoined = "; rejoining cost up to " + Seconds(rejoining)
		}
	}
	other := ""
	if lossy > 0 || besides {
		other = "other "
	}
	count := Plural(in, other+"fault", other+"faults")
	switch {
	case in == 0:
		return "", ""
	case lasting > 0:
		if lasting > 1 {
			broken += " and " + Plural(lasting-1, "fault more", "faults more")
		}
		return "yet", "the target did not recover from " + broken + ", which no objective asks it to"
	case slight == 1 && in == 1:
		return "and", "the share of bad requests stayed within the limit during the " + other +
			"fault, though " + mildly[0]
	case harmless == in && slight > 0:
		return "and", "the share of bad requests stayed within the limit during " + count +
			", though " + slightly(mildly)
	case harmless == in && in == 1:
		return "and", "the " + other + "fault did no harm that could be seen"
	case harmless == in:
		return "and", "none of " + count + " did harm that could be seen"
	case recovered+harmless < in:
		if len(unknown) == 1 && meanwhile != "" {
			return "though", meanwhile + alsoMild(mildly)
		}
		return "though", notKnown(unknown, slower) + alsoMild(mildly)
	case in == 1:
		return "and", "the target recovered from the " + other + "fault in " + least + Seconds(slowest) + rejoined
	case harmless == 0:
		return "and", "the target recovered from " + count + ", the slowest time in " + least + Seconds(slowest) + rejoined
	}
	var mild []string
	if n := harmless - slight; n > 0 {
		mild = append(mild, fmt.Sprintf("%d had no effect seen", n))
	}
	if slight > 0 {
		mild = append(mild, fmt.Sprintf("%d stayed within the limit", slight))
	}
	return "and", fmt.Sprintf("of %s %s and the target recovered from %d, the slowest time in %s%s",
		count, strings.Join(mild, ", "), recovered, least+Seconds(slowest), rejoined) + alsoMild(down)
}

// mildHarm counts the requests of a fault that failed or were too slow, and the partial answers, and says which share
// was shed.
func mildHarm(p *result.ImpactParts) string {
	var harm []string
	if p.Bad() > 0 {
		harm = append(harm, badKinds(p))
	}
	if shedMore(p) {
		harm = append(harm, shedShare(p, " of requests"))
	}
	if p.Lacking || p.LackingUntold {
		harm = append(harm, Plural(p.Partial, "good answer", "good answers")+" lacked parts"+
			pick(p.LackingUntold, ", which may be chance,", ""))
	}
	return Join(harm)
}

// notKnown names the faults whose effect is not known. slower is true if the only open question is whether they made
// answers slower.
func notKnown(faults []string, slower bool) string {
	if len(faults) > 2 {
		faults = []string{Plural(int64(len(faults)), "fault", "faults")}
	}
	if slower {
		return "whether " + Join(faults) + " made answers slower is not certain"
	}
	return "what " + Join(faults) + " did is not known"
}

// alsoMild adds slight effects of other faults to a sentence.
func alsoMild(effects []string) string {
	if len(effects) == 0 {
		return ""
	}
	return "; " + slightly(effects)
}

// slightly joins the slight effects of faults; of more than two it gives the number.
func slightly(effects []string) string {
	if len(effects) > 2 {
		return "requests were slower, failed, were shed or answered in part during " + Int(int64(len(effects))) + " of them"
	}
	return Join(effects)
}

// missedObjectives names the failed objective that tells an outsider most: the steady state first, else the one
// missed by most. Beside the sentence about an outage, whole is true and an objective on the whole run comes before
// others. It is empty where the run failed for another reason.
func missedObjectives(r *result.Result, whole bool) string {
	if otherReason(r) != nil {
		return ""
	}
	var worst *result.ObjectiveResult
	by, unheld := 0.0, 0
	for i := range r.Objectives {
		o := &r.Objectives[i]
		switch o.Verdict {
		case scenarios.Inconclusive, scenarios.Invalid:
			unheld++
			continue
		case scenarios.Fail:
			unheld++
		default:
			continue
		}
		if !failedByValue(o) {
			continue
		}
		u, ok := LimitUsed(o, o.Measured)
		if !ok || math.IsInf(u, 1) && o.Of().Latency() { // so many requests failed: their share says that more plainly
			u = 1
		}
		if o.List == "steady" || whole && o.Phase.Kind == slo.RunPhase && o.Of().Row().CountsBad {
			u = math.Inf(1)
		}
		if worst == nil || u > by {
			worst, by = o, u
		}
	}
	if worst == nil {
		return ""
	}
	s := missedObjective(worst)
	if said, of := rejoinedIn(r, worst); of {
		s += ": " + said
	}
	if worst.List == "steady" {
		s = "the target was not well before anything was broken: " + s
	}
	if !worst.Of().Row().OfLosses {
		s += lossFailed(r)
	}
	if unheld > 1 {
		s += "; " + r.HowMany(scenarios.Fail)
	}
	return s
}

// lossFailed counts the acknowledged writes and messages that were lost, as a clause, in the ledgers and deliveries on
// whose losses an objective failed.
func lossFailed(r *result.Result) (said string) {
	writes, messages, unsure := int64(0), int64(0), int64(0)
	for _, l := range r.AllLedgers() {
		if lossesFailed(r, l) {
			writes += l.Lost
		}
	}
	for _, d := range r.Deliveries {
		if messagesFailed(r, d) {
			messages, unsure = messages+d.SurelyLost(), unsure+d.Lost-d.SurelyLost()
		}
	}
	if writes+messages == 0 {
		return ""
	}
	said = "; " + pick(unsure > 0 && writes == 0, "at least ", "") + lostWere(writes+messages, messages) + " lost"
	if unsure > 0 && writes > 0 {
		said += ", and perhaps " + Plural(unsure, "more message", "more messages")
	}
	return said
}

// lossesFailed reports whether an objective on the lost writes of a ledger failed.
func lossesFailed(r *result.Result, l *result.LedgerRecord) bool {
	return failedOn(r, func(o slo.Objective) bool { return o.Metric.Row().OfLosses && ofLedger(r, o, l) })
}

// messagesFailed reports whether an objective on the lost messages of a delivery failed.
func messagesFailed(r *result.Result, d *result.DeliveryRecord) bool {
	return failedOn(r, func(o slo.Objective) bool { return o.Metric.Row().OfLosses && ofDelivery(o, d) })
}

// rejoinedIn says what the end of the fault cost whose time to recovery an objective asks about.
func rejoinedIn(r *result.Result, o *result.ObjectiveResult) (said string, ok bool) {
	if def, asked := o.Asks(); !asked || !def.Metric.OfFault() || !def.Metric.Row().Recovers {
		return "", false
	}
	for i := range r.Faults {
		if f := &r.Faults[i]; f.Phase() == o.Phase {
			return rejoinText(f)
		}
	}
	return "", false
}

// missedObjective says what an objective required and what was measured.
func missedObjective(o *result.ObjectiveResult) string {
	def, ok := o.Asks()
	if !ok || !o.Target.Known() {
		return quotedObjective(o) + " did not hold"
	}
	if def.Share > 0 {
		return missedShare(o)
	}
	got := ObjectiveMeasured(o)
	missed := def.Metric.Row().Missed
	if missed == nil {
		return quotedObjective(o) + " did not hold: it was " + got
	}
	of := ""
	if def.Step != "" {
		of = " of " + quote(def.Step)
	} else if def.Load != "" {
		of = " of the load " + quote(def.Load)
	}
	when := during(o, def)
	counted := "requests"
	if def.Metric.Of != "" {
		counted = "good answers"
	}
	if def.Relative() {
		def.Value = float64(o.Target)
	}
	return missed(slo.Miss{
		Objective: def,
		Got:       got, Asked: bound(def), Limit: limit(def), Requests: counted + of + when, Of: of, During: when,
		Fault: quote(def.After.String()),
		Share: Percent(def.Metric.Quantile), Span: Seconds(result.Sec(def.Metric.Span)),
		Endless: !o.Measured.Known(),
	})
}

// quotedObjective returns the text of an objective for a sentence, whose begin is then no capital letter.
func quotedObjective(o *result.ObjectiveResult) string { return "`" + Clip(Clean(o.Text), 100) + "`" }

// missedShare says how many occurrences of a fault met an objective on a share of them.
func missedShare(o *result.ObjectiveResult) string {
	met, unknown := 0, 0
	for i := range o.Drills {
		switch o.Drills[i].Verdict {
		case scenarios.Pass:
			met++
		case scenarios.Fail:
		default:
			unknown++
		}
	}
	noun := "occurrence"
	if unknown > 0 {
		noun = "known occurrence"
	}
	return fmt.Sprintf("%s was met in %d of %s", quotedObjective(o), met, syntax.Amount(len(o.Drills)-unknown, noun))
}

// during names the phase of an objective, unless it is the whole run.
func during(o *result.ObjectiveResult, def slo.Objective) string {
	switch o.Phase.Kind {
	case slo.NoPhase, slo.RunPhase:
		return ""
	case slo.BaselinePhase:
		return " before anything was broken"
	case slo.RecoveryPhase:
		return " after " + quote(o.Phase.Of(slo.FaultPhase).String())
	}
	if def.Phase != (slo.Phase{}) {
		return " during " + quote(o.Phase.String())
	}
	return ""
}

// quote formats a name of the scenario for a sentence.
func quote(name string) string {
	name = Clip(Clean(name), 60)
	if strings.ContainsAny(name, " \"") {
		return "“" + name + "”"
	}
	return name
}

// limit returns the bound of an objective without its operator.
func limit(o slo.Objective) string { return o.Metric.FormatValue(o.Value) }

// bound returns the bound of an objective in
func bound(o slo.Objective) string {
	if o.Value == 0 && (o.Op == "=" || o.Op == "<=") {
		return "none"
	}
	return map[string]string{
		"<": "less than ", "<=": "at most ", ">": "more than ", ">=": "at least ", "=": "just ",
	}[o.Op] + limit(o)
}
