package result

// A NoteKind says what a [Note] is.
type NoteKind string

// The kinds of notes on objectives on requests.
const (
	FewRequests       NoteKind = "few_requests"         // fewer than can show that it holds
	TooManyBad        NoteKind = "too_many_bad"         // few, of which so many were bad that it failed
	AtTarget          NoteKind = "strict"               // a strict run, whose target lies within the interval
	NotShown          NoteKind = "bound"                // it holds for the requests, and its bound is beyond the target
	OwnLagFails       NoteKind = "own_lag_fails"        // as measured, and not without brunt's own time
	OwnLagHolds       NoteKind = "own_lag_holds"        // as measured, and not without brunt's own time
	NotTheLoad        NoteKind = "not_the_load"         // brunt failed at too many requests
	SentAfter         NoteKind = "sent_after"           // requests of a fault were, and decide if they were bad
	UsersWaited       NoteKind = "users_waited"         // value is with the requests that they did not send
	UsersWaitedByTime NoteKind = "users_waited_by_time" // value is the share over time
	LostWorker        NoteKind = "lost_worker"          // the requests of one decide
	RequestsNone      NoteKind = "no_request"           // in a phase
	RequestsUnsent    NoteKind = "no_request_sent"      // in a phase
	IterationsNone    NoteKind = "no_iteration"         // began in a phase
	PhaseEmpty        NoteKind = "phase_empty"          // it has no length
	PhaseAbsent       NoteKind = "no_phase"             // it did not occur
)

// The kinds of notes on relative objectives.
const (
	ReferenceIs       NoteKind = "reference"          // what it was held against
	ReferenceDecides  NoteKind = "reference_decides"  // the interval of the reference
	ReferenceInfinite NoteKind = "reference_infinite" // too many of its requests failed
	ReferenceUnknown  NoteKind = "reference_unknown"  // it has no value
	ReferenceUndone   NoteKind = "reference_because"  // it could not be judged; the next notes say why
	ReferenceAbsent   NoteKind = "no_reference"       // its phase did not occur
	ReferenceLost     NoteKind = "reference_lost"     // requests of a lost worker belong to it
	ReferenceSame     NoteKind = "reference_same"     // no multiple of both values is another one
)

// The kinds of notes on objectives on faults.
const (
	FaultAbsent      NoteKind = "no_fault"         // it was not injected
	FaultPartly      NoteKind = "partly_injected"  // steps of the group were not
	FaultUnverified  NoteKind = "unverified"       // that it was in
	FaultUnmet       NoteKind = "no_traffic"       // it affected none
	FaultSkipped     NoteKind = "skipped"          // nothing matched its selection
	FaultOver        NoteKind = "over_early"       // before its time
	FaultVoid        NoteKind = "void"             // another cause voids it
	FaultBrief       NoteKind = "over_sooner"      // than its phase is, which is judged
	ImpactMissing    NoteKind = "no_impact"        // of one that requires it
	ImpactUntold     NoteKind = "impact_unknown"   // of one that requires it; the next notes say why
	OnsetNone        NoteKind = "no_onset"         // as nothing went bad
	RecoveryNone     NoteKind = "not_recovered"    // by the end, for so long
	RelapsedThen     NoteKind = "relapsed"         // it had recovered before
	RecoveryLast     NoteKind = "last_recovery"    // it relapsed, so that counts
	FailoverNone     NoteKind = "no_failover"      // no recovery while the fault was in
	WithinLimit      NoteKind = "within_limit"     // bad requests stayed
	EndsDecide       NoteKind = "ends_decide"      // the interval of a time, in seconds
	Together         NoteKind = "together"         // several faults were taken for one
	TogetherFails    NoteKind = "together_fails"   // which of them did it is unknown
	FewOccurrences   NoteKind = "few_occurrences"  // of a fault
	OccurrencesUnfit NoteKind = "effects_unknown"  // of occurrences, which decides; the next notes say why
	IncidentNone     NoteKind = "no_incident"      // overlaps a fault
	IncidentUntold   NoteKind = "incident_unknown" // whether a fault had one; the next notes say why
	IncidentOpen     NoteKind = "incident_open"    // it is not shown to be over
	IncidentWas      NoteKind = "incident"         // from when to when
	OwnSentAfter     NoteKind = "own_sent_after"   // brunt sent most requests of the fault after it
	OwnSawNothing    NoteKind = "own_saw_nothing"  // brunt stood still for most of the fault
	OwnSentNone      NoteKind = "own_sent_none"    // nor did it send a request then
	OwnUnseen        NoteKind = "unseen"           // brunt saw nothing, and an outage then would decide
	OwnLate          NoteKind = "own_late"         // nearly all requests around the fault were sent late
	OwnSlow          NoteKind = "own_slow"         // brunt was late by as much as answers were slow
	SlowUnlimited    NoteKind = "slow_unlimited"   // no limit tells which answers are slow
	SlowUnderLimit   NoteKind = "slow_under_limit" // answers were slower than before, under the limit
	SlowUntold       NoteKind = "slow_uncertain"   // whether answers were slower; the next notes say why
)

// The kinds of notes on effects of faults.
const (
	BaselineNone     NoteKind = "no_baseline"         // no request ended before the first injection
	BeforeUnsteady   NoteKind = "unsteady_windows"    // before the injection
	BeforeStuck      NoteKind = "stuck_before"        // requests hung before the injection
	BeforeFailed     NoteKind = "errors_before"       // with answers that took longer than for, if there are such
	BeforeFailedStep NoteKind = "errors_before_steps" // with answers over the limit of their step
	EndWithinHold    NoteKind = "ended_within_hold"   // of the injection; of names the next fault
	EndAfterBad      NoteKind = "ended_after_bad"     // after a bad window; of names the next fault
	EndBeforeHold    NoteKind = "ended_before_hold"   // that proves recovery; of names the next fault
	FewAfter         NoteKind = "few_after"           // requests after the injection; of names the next fault
	UsualBad         NoteKind = "usual_rate"          // requests were also bad without a fault: base before, value after
	OtherIn          NoteKind = "other_in"            // another fault was in as well
	OtherOpen        NoteKind = "other_open"          // another fault had not been recovered from
	OtherNext        NoteKind = "other_next"          // another fault was injected too soon
	FaultIn          NoteKind = "in"                  // of a run that goes on
	FaultHarms       NoteKind = "harms"               // of a run that goes on: so many failed
	FaultOpen        NoteKind = "open"                // of a run that goes on: cleared, and not recovered from
	FaultFresh       NoteKind = "fresh"               // of a run that goes on: it is too early to tell
	FaultTakenBack   NoteKind = "taken_back"          // before its time, as the run ended
	FaultFailed      NoteKind = "failed"              // an error of it
	FaultLate        NoteKind = "late"                // it came late
	FaultMissing     NoteKind = "absent"              // what it selects and was not there
)

// The kinds of notes on whether answers were slower.
const (
	SlowerOwn     NoteKind = "slower_own"      // brunt itself was later, which may be all of it
	SlowerFew     NoteKind = "slower_few"      // there are too few good answers
	SlowerSteps   NoteKind = "slower_steps"    // they are of steps with too few answers before
	SlowerHalf    NoteKind = "slower_half"     // that half were far slower is not excluded
	SlowerTail    NoteKind = "slower_tail"     // that one in 20 was far slower is not excluded
	SlowerVaried  NoteKind = "slower_varied"   // their times varied as much before
	SlowerNoFault NoteKind = "slower_no_fault" // none was injected
	SlowerThis    NoteKind = "slower_this"     // this fault was not injected
	SlowerLater   NoteKind = "slower_later"    // it is tested when the run is over
	SlowerSome    NoteKind = "slower_some"     // there are too few good answers; of former results
)

// The kinds of notes on objectives on monitoring, on values over time, on writes, and of any kind.
const (
	MonitorUnasked   NoteKind = "not_queried"       // the monitoring was not asked
	MonitorFailed    NoteKind = "monitoring"        // what it answered instead
	NoticedNone      NoteKind = "not_noticed"       // for so long
	ReachedNone      NoteKind = "not_reached"       // for so long
	FiringStill      NoteKind = "still_firing"      // for so long
	NoticedWhich     NoteKind = "noticed_which"     // another fault was in as well
	FiredWhich       NoteKind = "fired_which"       // another fault was in as well
	FaultUncleared   NoteKind = "not_cleared"       // so that nothing resolves
	StageAbsent      NoteKind = "no_stage"          // it did not begin
	PodsBefore       NoteKind = "pods_before"       // as many were ready
	PodsFewer        NoteKind = "pods_fewer"        // were ready again
	ValueUnknown     NoteKind = "no_value"          // none of a series
	ValueUnknownThen NoteKind = "no_value_then"     // none of a series from an instant on
	ValuesNone       NoteKind = "no_value_known"    // in a phase
	ValuesUnread     NoteKind = "no_value_read"     // in a phase
	ValuesUnreadFor  NoteKind = "no_value_read_for" // in a phase that lasted so long
	ValuesMissing    NoteKind = "values_missing"    // the worst may be
	FewValues        NoteKind = "few_values"        // to judge growth
	ProcessRestarted NoteKind = "restarted"         // too often to judge growth
	GrowthBetween    NoteKind = "growth_between"    // which decides
	FewReadings      NoteKind = "few_readings"      // of a counter that is read every so often
	GrowthNone       NoteKind = "no_growth"         // of what it is divided by
	GrowthFor        NoteKind = "growth_for"        // one growth for another
	LedgerAbsent     NoteKind = "no_ledger"         // none is declared
	LedgerUnread     NoteKind = "ledger_unread"     // why writes were not read back
	LedgerUnreported NoteKind = "ledger_unreported" // why writes are not known
	WritesNone       NoteKind = "no_write"          // was acknowledged
	WritesUnread     NoteKind = "writes_unread"     // could not be read back, and decide
	WritesBounds     NoteKind = "writes_bounds"     // lie on both sides of the target
	FewWrites        NoteKind = "few_writes"        // fewer than can show that it holds
	WritesNotShown   NoteKind = "writes_bound"      // it holds for the writes, and its bound is beyond the target
	ReadsNone        NoteKind = "no_read"           // was answered
	ReadsUnanswered  NoteKind = "reads_unanswered"  // some
	LoadUnbegun      NoteKind = "not_started"       // it never began
	ThresholdMillis  NoteKind = "milliseconds"      // the unit of a script's value
	ThresholdEmpty   NoteKind = "no_sample"         // of a script's metric
	OfOne            NoteKind = "of"                // the unit, series or fault that the next notes are about
	Worded           NoteKind = "text"              // a sentence
)

// ownSockets is [OwnLag] with the requests for which brunt had no socket, if there are such.
const ownSockets = OwnLag + "[ or without a socket for <part> of <count> requests|]"

// ownTime ends what only brunt's own time decides.
const ownTime = " as measured, but not with brunt's own time taken off"

// noteSentences has the sentence of each kind of [Note], with a place in angle brackets for each figure, by its key and
// format. Of "[A|B]", B is said where a figure of A is zero or empty. After a sentence that ends with a colon the next
// note continues it; one that begins with a comma continues the sentence before.
var noteSentences = map[NoteKind]string{
	FewRequests: "<count> requests, but at least <need> are needed",
	TooManyBad:  "too many of only <count> requests were bad",
	AtTarget:    "strict: the target lies within the 95 % interval",
	NotShown: "<value> of <count> requests, which show no better than <high>" +
		"[: about <need> are needed at this share|]",
	OwnLagFails: ownSockets + ": it fails" + ownTime,
	OwnLagHolds: ownSockets + ": it holds" + ownTime,
	NotTheLoad:  ownSockets + "[ during <of>|], so the load was not the scheduled one",
	SentAfter: OwnLag + ": it sent <count> requests of <phase> after that was over, and the objective does not hold if " +
		"those were bad",
	UsersWaited:       "users waited instead of sending: it is <value> with the <count> requests that they did not send",
	UsersWaitedByTime: "users waited instead of sending: it is <value> by time",
	LostWorker:        "<text>",
	RequestsNone:      "no request in <phase>",
	RequestsUnsent:    "no request was sent in <phase>",
	IterationsNone:    "no iteration began in <phase>",
	PhaseEmpty:        "<phase> is empty: another fault was injected, or the load ended, before the fault was cleared",
	PhaseAbsent:       "the phase did not occur",

	ReferenceIs: "<of> was <value>",
	ReferenceDecides: "<metric> of <of> lies between <low> and <high> (95 %), which decides: more requests in it tell " +
		"it more exactly",
	ReferenceInfinite: "<metric> of <of> is infinite, as too many of its requests failed",
	ReferenceUnknown:  "<metric> of <of> is not known",
	ReferenceUndone:   "nothing to compare with: ",
	ReferenceAbsent:   "there was no <phase> to compare with",
	ReferenceLost:     "a worker was lost, whose requests <phase> lacks",
	ReferenceSame:     "<metric> is <value> in both phases, and so is any multiple of it: want <op>=",

	FaultAbsent:      "the fault was not injected",
	FaultPartly:      "<of> was injected in part, so its effect is unknown",
	FaultUnverified:  "<of> was not verified, so its effect is unknown",
	FaultUnmet:       "<of> affected no traffic, so its effect is unknown",
	FaultSkipped:     "<of> was skipped: <text>",
	FaultOver:        "<of> was over before its time, after <for seconds>: <text>",
	FaultVoid:        "<text>",
	FaultBrief:       "<of> was over after <for ms>, and is judged for <within ms>",
	ImpactMissing:    "require_impact is set, but no impact of <of> was seen",
	ImpactUntold:     "require_impact is set, but whether <of> had an impact is unknown: ",
	OnsetNone:        "the share of bad requests stayed within the limit, so there is no onset",
	RecoveryNone:     "not recovered: > <for seconds>",
	RelapsedThen:     ", relapsed at <from seconds>",
	RecoveryLast:     "relapsed at <from seconds>, so its last recovery counts",
	FailoverNone:     "no recovery while the fault was active",
	WithinLimit:      "the share of bad requests stayed within the limit",
	EndsDecide:       "it is known to lie between <low ms> and <high ms> only, and a pass needs both to hold",
	Together:         "of <faults> together",
	TogetherFails:    "<faults> together: <value>; which of them did it is unknown",
	FewOccurrences:   "<count> occurrences, but at least <need> are needed",
	OccurrencesUnfit: "the effect of <part> of <count> occurrences is unknown, and decides: ",
	IncidentNone:     "no incident overlaps a fault",
	IncidentUntold:   "whether <of> had an incident is unknown: ",
	IncidentOpen:     "not shown to have recovered: > <for seconds>",
	IncidentWas:      "the incident from <from ms> to <to ms>",
	OwnSentAfter:     OwnLag + ": it sent <part> of <count> requests of <of> after that was over",
	OwnSawNothing:    OwnLag + ": it saw nothing of the target for <for ms> of the <within ms> of <of>",
	OwnSentNone:      ", and sent no request meanwhile",
	OwnUnseen: OwnLag + ": it saw nothing of the target from <from ms> to <to ms>, and the objective does not hold if " +
		"the target was down then",
	OwnLate: OwnLag + ": nearly all requests around <from seconds> were sent <for seconds> late, and the objective does " +
		"not hold if the target was down for that much longer",
	OwnSlow: "answers were slower, and how long is not certain: " + OwnLag + " by as much in some of those seconds",
	SlowUnlimited: "answers were slower, and how long is not known: the baseline has too few answers to tell which are " +
		"slow; make it longer, or set `judge: {slow: ...}`",
	SlowUnderLimit: "answers were slower, and how long is not known: they took less than the limit from the baseline, " +
		"<limit seconds>; set `judge: {slow: ...}`",
	SlowUntold: "slower, not certain: ",

	BaselineNone:     "no request ended before the first injection, so there is no baseline",
	BeforeUnsteady:   "the steady state did not hold: windows before the injection were bad",
	BeforeStuck:      "requests were in flight and none ended before <of>",
	BeforeFailed:     "errors[ and answers over <for seconds>|] were already over <limit percent> before <of>",
	BeforeFailedStep: "errors and answers over the limit of their step were already over <limit percent> before <of>",
	EndWithinHold:    "[<of> was injected|the load ended] within a hold of the injection",
	EndAfterBad:      "[<of> was injected|the load ended] after a bad window, and one bad window does not decide",
	EndBeforeHold:    "[<of> was injected|the load ended] before a hold long enough to prove recovery",
	FewAfter:         "too few requests [between the injection and that of <of>|after the injection] to decide",
	UsualBad: "<base share> of requests were bad before the first fault and <value share> long after the fault, and " +
		"recovery shows only where their share is known to be under judge.limit, <limit percent>: " +
		"`judge: {limit: <high share>}` is well above that share",
	OtherIn:        "<of> was in as well",
	OtherOpen:      "<of> had not been recovered from",
	OtherNext:      "<of> was injected before recovery could show",
	FaultIn:        "it is in",
	FaultHarms:     "it is in and does harm: <count> requests failed so far",
	FaultOpen:      "it is cleared and not yet recovered from: <count> requests failed so far",
	FaultFresh:     "it is cleared, and it is too early to tell",
	FaultTakenBack: "taken back early, as the run ended",
	FaultFailed:    "<text>",
	FaultLate:      "<text>",
	FaultMissing:   "<text>",

	SlowerOwn: "brunt itself was later than before the fault, which may explain all of it",
	SlowerFew: "there are <count> good answers of the fault and <base number> of the baseline, and <need> and " +
		"<need_base> are needed, those of the baseline in <for number> s",
	SlowerSteps: "<part> of <count> good answers are of steps that had fewer than <need> in the baseline",
	SlowerHalf: "<part> of <count> good answers took far longer than the median before the fault, which is not certainly " +
		"more than half",
	SlowerTail: "<part> of <count> good answers took far longer than the 95th percentile before the fault, which is not " +
		"certainly more than one in 20",
	SlowerVaried:  "the times of answers varied as much before the fault",
	SlowerNoFault: "no fault was injected",
	SlowerThis:    "it was not injected",
	SlowerLater:   "that is tested when the run is over",
	SlowerSome:    "there are too few good answers",

	MonitorUnasked:   "the monitoring was not queried",
	MonitorFailed:    "<text>",
	NoticedNone:      "not noticed: > <for seconds>",
	ReachedNone:      "not reached: > <for seconds>",
	FiringStill:      "still firing: > <for seconds>",
	NoticedWhich:     "<of> was active at the same time, so it is unknown which of the two was noticed",
	FiredWhich:       "<of> was active at the same time, so it is unknown which of the two the alert fired for",
	FaultUncleared:   "<of> was not cleared",
	StageAbsent:      "the stage did not begin",
	PodsBefore:       "<of> had <count> ready pods before, so that reaching this number shows nothing",
	PodsFewer:        "fewer were ready again at <from seconds>",
	ValueUnknown:     "no value of <of> is known",
	ValueUnknownThen: "no value of <of> is known from then on",
	ValuesNone:       "no value is known in <phase>",
	ValuesUnread:     "no value was read in <phase>",
	ValuesUnreadFor:  "no value was read in <phase>, which lasted <for seconds>",
	ValuesMissing:    "<count> values are known in <phase>, but <need> were expected: the worst may be missing",
	FewValues:        "<count> values, but at least <need> are needed to judge growth",
	ProcessRestarted: "its process restarted too often to judge growth",
	GrowthBetween:    "it grows by <low> to <high>: a longer run would decide",
	FewReadings: "<of> was read <count> times in <phase>, and its growth there needs <need>: it is read every " +
		"<for exactly> (every: …)",
	GrowthNone:       "<of> did not grow in <phase>",
	GrowthFor:        "<value growth> for <base growth>",
	LedgerAbsent:     "there is no ledger",
	LedgerUnread:     "<text>",
	LedgerUnreported: "<text>",
	WritesNone:       "no write was acknowledged",
	WritesUnread:     "<part> of <count> writes could not be read back",
	WritesBounds:     "the bounds of what was measured lie on both sides of the target",
	FewWrites:        "<count> writes, but at least <need> are needed",
	WritesNotShown:   "<value> of <count> writes, which show no better than <high>",
	ReadsNone:        "no read during the load was answered",
	ReadsUnanswered:  "<part> of <count> reads had no answer",
	LoadUnbegun:      "the load never began",
	ThresholdMillis:  "in milliseconds",
	ThresholdEmpty:   "the script made no sample of it, which k6 takes for 0",
	OfOne:            "<of>",
	Worded:           "<text>",
}

// sentence is the sentence of the kind. One that this brunt does not know has the text alone.
func (k NoteKind) sentence() string {
	if s, ok := noteSentences[k]; ok {
		return s
	}
	return noteSentences[Worded]
}
