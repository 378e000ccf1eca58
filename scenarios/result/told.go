package result

// Told is the answer of a statistical test: yes, no, or untested, which means that the test can't tell. The zero
// value is untested.
//
// A caller handles all three answers: an effect that is not shown is not refuted, and an effect that is not refuted
// is not shown. The callers, and what each does if the answer is untested:
//
//	were good answers slower in a fault? (judge/requests.SlowdownTest, by judge/effect.Slower and Far)
//	  judge     reported, ask            the impact is not certain, with the reasons
//	            required                 require_impact is inconclusive
//	            slowdownBy               a yes becomes untested without evidence that the fault did it
//	            slowUntold               an objective on how long it lasted is inconclusive, except for slower_during
//	                                     with a limit under which the answers stayed
//	            withLagged               requests that brunt sent late are judged both ways
//	            ofOne (incident)         the incident may be slow answers: an objective on it is inconclusive
//	            parts                    the record keeps the reasons; ImpactParts.Slower reads them
//	  words     fault row                "slower, not certain" or "slower meanwhile", with the reasons
//	            likelySlower             advice only if the median took over twice as long
//	  compare   values of a record       no recovery time of the fault
//	  drills    dependency               the need is vague, not apart
//	  result    FaultRecord.meets        an expectation is untested
//	did more answers lack a part in a fault? (judge/requests.Lacking)
//	  words     fault row                "no request failed", without "none seen"
//	did the load offer more than in the baseline? (judge raised)
//	  judge     why not recovered        it is told that this is not known
//	was the machine noisier than in the history? (decide/compare.NoiseNorm.Exceeded)
//	  gate      again, run, Trial.quiet  nothing shows a disturbance: the run counts, with its verdict
//	            Record.exceeded          a yes of one run decides; a no takes all of them
//	was an expectation of the author met? (FaultRecord.meets)
//	  words     expected                 "not certain whether it came"
type Told struct {
	Answer Answer
	Why    Notes // why it is untested; empty otherwise
}

// Answer is one of the three answers of a [Told].
type Answer uint8

// The answers.
const (
	Untested Answer = iota
	No
	Yes
)

// NotTold returns the answer untested, with its reasons.
func NotTold(why ...Note) Told { return Told{Why: why} }

func (a Answer) String() string {
	switch a {
	case Yes:
		return "yes"
	case No:
		return "no"
	}
	return "untested"
}
