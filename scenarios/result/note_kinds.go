package result

// A NoteKind is the kind of a [Note].
type NoteKind string

// The kinds of notes on objectives on requests.
const (
	FewRequests       NoteKind = "few_requests"         // too few requests to show that the objective holds
	TooManyBad        NoteKind = "too_many_bad"         // few requests, but enough of them were bad for it to fail
	AtTarget          NoteKind = "strict"               // the run is strict, and the target lies within the interval
	NotShown          NoteKind = "bound"                // it holds, but its 95 % bound is beyond the target
	OwnLagFails       NoteKind = "own_lag_fails"        // it fails as measured, but not without brunt's own time
	OwnLagHolds       NoteKind = "own_lag_holds"        // it holds as measured, but not without brunt's own time
	MachineFails      NoteKind = "machine_fails"        // it fails only while other programs held the processors
	OwnLoadFails      NoteKind = "own_load_fails"       // it fails only while brunt itself lacked processor time
	NotTheLoad        NoteKind = "not_the_load"         // brunt failed to send too many requests
	CutByGrace        NoteKind = "cut_by_grace"         // it fails only by requests that brunt cut off after the grace
	CutByScript       NoteKind = "cut_by_script"        // it fails only by requests that k6 cut off with their iterations
	CutByEnd          NoteKind = "cut_by_end"           // it fails only by requests that the early end cut off
	SentAfter         NoteKind = "sent_after"           // requests of a phase were sent after it, and would decide
	UsersWaited       NoteKind = "users_waited"         // value includes the requests that waiting users did not send
	UsersWaitedByTime NoteKind = "users_waited_by_time" // users waited, and value is the share over time
	LostWorker        NoteKind = "lost_worker"          // the requests of a lost worker would decide
	RequestsNone      NoteKind = "no_request"           // no request in a phase
	RequestsUnsent    NoteKind = "no_request_sent"      // no request was sent in a phase
	IterationsNone    NoteKind = "no_iteration"         // no iteration began in a phase
	PhaseEmpty        NoteKind = "phase_empty"          // the phase has no length
	PhaseAbsent       NoteKind = "no_phase"             // the phase did not occur
)

// The kinds of notes on relative objectives.
const (
	ReferenceIs       NoteKind = "reference"          // the value that it was compared with
	ReferenceDecides  NoteKind = "reference_decides"  // the interval of the reference is so wide that it decides
	ReferenceInfinite NoteKind = "reference_infinite" // the reference is infinite: too many of its requests failed
	ReferenceUnknown  NoteKind = "reference_unknown"  // the reference has no value
	ReferenceUndone   NoteKind = "reference_because"  // the reference could not be judged; the next notes say why
	ReferenceAbsent   NoteKind = "no_reference"       // the phase of the reference did not occur
	ReferenceLost     NoteKind = "reference_lost"     // the reference lacks requests of a lost worker
	ReferenceSame     NoteKind = "reference_same"     // both values are 0, so no multiple of them differs
)

// The kinds of notes on objectives on faults.
const (
	FaultAbsent      NoteKind = "no_fault"         // the fault was not injected
	FaultPartly      NoteKind = "partly_injected"  // some steps of the group were not injected
	FaultUnverified  NoteKind = "unverified"       // the effect of the injection was not verified
	FaultUnmet       NoteKind = "no_traffic"       // the fault affected no traffic
	FaultSkipped     NoteKind = "skipped"          // nothing matched the fault's selection
	FaultOver        NoteKind = "over_early"       // the fault was over before its time
	FaultVoid        NoteKind = "void"             // something else makes the fault invalid; text says what
	FaultBrief       NoteKind = "over_sooner"      // the fault was over sooner than its phase, which is judged
	FaultCut         NoteKind = "cut_short"        // other faults ended a unit of the fault; text names it
	ImpactMissing    NoteKind = "no_impact"        // no impact of a fault that requires it
	ImpactUntold     NoteKind = "impact_unknown"   // a required impact is unknown; the next notes say why
	OnsetNone        NoteKind = "no_onset"         // there is no onset, because nothing went bad
	RecoveryNone     NoteKind = "not_recovered"    // not recovered by the end, for so long
	RelapsedThen     NoteKind = "relapsed"         // it relapsed after a recovery
	RecoveryLast     NoteKind = "last_recovery"    // it relapsed, so its last recovery counts
	FailoverNone     NoteKind = "no_failover"      // no recovery while the fault was active
	FailoverUntold   NoteKind = "failover_unknown" // good again, too late in the fault to show it
	WithinLimit      NoteKind = "within_limit"     // the share of bad requests stayed within the limit
	EndsDecide       NoteKind = "ends_decide"      // the bounds of a time lie on both sides of the target
	Together         NoteKind = "together"         // several faults were judged as one
	TogetherFails    NoteKind = "together_fails"   // which of several faults had the effect is unknown
	FewOccurrences   NoteKind = "few_occurrences"  // too few occurrences of a fault
	OccurrencesUnfit NoteKind = "effects_unknown"  // some effects are unknown, and decide; the next notes say why
	ShareShown       NoteKind = "share_shown"      // enough occurrences met the target
	ShareMissed      NoteKind = "share_missed"     // too few occurrences met the target
	ShareOpen        NoteKind = "share_open"       // more occurrences are needed
	OccurrencesNear  NoteKind = "times_at_target"  // the bounds of some times lie on both sides of the target
	IncidentNone     NoteKind = "no_incident"      // no incident overlaps a fault
	IncidentUntold   NoteKind = "incident_unknown" // whether a fault had an incident is unknown; the next notes say why
	IncidentOpen     NoteKind = "incident_open"    // the incident is not shown to be over
	IncidentWas      NoteKind = "incident"         // begin and end of the incident
	HarmDuring       NoteKind = "harm_during"      // harm began long after the injection, without evidence that it did it
	HarmAfter        NoteKind = "harm_after"       // harm began after the fault was over, without evidence that it did it
	OwnSentAfter     NoteKind = "own_sent_after"   // brunt sent most requests of the fault after it
	OwnSawNothing    NoteKind = "own_saw_nothing"  // brunt stood still for most of the fault
	OwnSentNone      NoteKind = "own_sent_none"    // follows own_saw_nothing: nor did brunt send a request then
	OwnUnseen        NoteKind = "unseen"           // brunt saw nothing, and an outage then would decide
	OwnLate          NoteKind = "own_late"         // nearly all requests around the fault were sent late
	OwnSlow          NoteKind = "own_slow"         // brunt was late by as much as answers were slow
	SlowUnlimited    NoteKind = "slow_unlimited"   // no limit tells which answers are slow
	SlowUnderLimit   NoteKind = "slow_under_limit" // answers were slower than before, under the limit
	SlowUntold       NoteKind = "slow_uncertain"   // whether answers were slower is uncertain; the next notes say why
)

// The kinds of notes on effects of faults.
const (
	BaselineNone     NoteKind = "no_baseline"         // no request ended before the first injection
	BeforeUnsteady   NoteKind = "unsteady_windows"    // windows before the injection were bad
	BeforeStuck      NoteKind = "stuck_before"        // requests hung before the injection
	BeforeFailed     NoteKind = "errors_before"       // too many errors, or answers slower than `for`, before it
	BeforeFailedStep NoteKind = "errors_before_steps" // too many errors, or answers over their step's limit, before it
	EndWithinHold    NoteKind = "ended_within_hold"   // the data ended within a hold; of names the next fault, if any
	EndAfterBad      NoteKind = "ended_after_bad"     // the data ended after a bad window; of as before
	EndBeforeHold    NoteKind = "ended_before_hold"   // the data ended before a hold that proves recovery; of as before
	FewAfter         NoteKind = "few_after"           // too few requests after the injection; of as before
	FewBad           NoteKind = "few_bad"             // too few bad requests to tell: part of count, over the limit
	UsualBad         NoteKind = "usual_rate"          // bad requests without a fault: base before, value after
	OtherIn          NoteKind = "other_in"            // another fault was active as well
	OtherAtOnce      NoteKind = "other_at_once"       // harm began as another fault ended, or began, with this one
	OtherOpen        NoteKind = "other_open"          // the load had not recovered from another fault
	OtherNext        NoteKind = "other_next"          // another fault was injected too soon
	FaultIn          NoteKind = "in"                  // of a run in progress: the fault is active
	FaultHarms       NoteKind = "harms"               // of a run in progress: the fault is active, and requests failed
	FaultOpen        NoteKind = "open"                // of a run in progress: cleared, and the load has not recovered
	FaultFresh       NoteKind = "fresh"               // of a run in progress: cleared, and it is too early to tell
	FaultTakenBack   NoteKind = "taken_back"          // the fault was taken back before its time, because the run ended
	FaultFailed      NoteKind = "failed"              // an error of the fault
	FaultLate        NoteKind = "late"                // the fault was injected late
	FaultMissing     NoteKind = "absent"              // units that the fault selects were missing
)

// The kinds of notes on whether answers were slower.
const (
	SlowerOwn     NoteKind = "slower_own"      // brunt itself was later than before, which may be the whole difference
	SlowerFew     NoteKind = "slower_few"      // there are too few good answers
	SlowerShort   NoteKind = "slower_short"    // the baseline has good answers in too few seconds
	SlowerSteps   NoteKind = "slower_steps"    // good answers belong to steps with too few answers in the baseline
	SlowerHalf    NoteKind = "slower_half"     // it is not excluded that half of the answers were far slower
	SlowerTail    NoteKind = "slower_tail"     // it is not excluded that one in 20 answers was far slower
	SlowerVaried  NoteKind = "slower_varied"   // chance is not excluded: by a short baseline, or by times that vary
	SlowerStep    NoteKind = "slower_step"     // part of count answers of one step were far slower, and few of all answers
	SlowerRest    NoteKind = "slower_rest"     // seconds without a fault, after recovery, were as slow
	SlowerDuring  NoteKind = "slower_during"   // answers were slower, without evidence that the fault made them so
	SlowerNoFault NoteKind = "slower_no_fault" // no fault was injected
	SlowerThis    NoteKind = "slower_this"     // this fault was not injected
	SlowerLater   NoteKind = "slower_later"    // the test is made when the run is over
)

// The kinds of notes on objectives on monitoring, on values over time, on writes, and of any kind.
const (
	MonitorUnasked   NoteKind = "not_queried"       // the monitoring was not asked
	MonitorFailed    NoteKind = "monitoring"        // the answer of the monitoring instead of a value
	NoticedNone      NoteKind = "not_noticed"       // the monitoring did not notice the fault for so long
	MarkNone         NoteKind = "not_marked"        // no person marked the fault as text says
	ReachedNone      NoteKind = "not_reached"       // the value was not reached for so long
	FiringStill      NoteKind = "still_firing"      // the alert still fired after so long
	NoticedWhich     NoteKind = "noticed_which"     // another fault was active, so which of them was noticed is unknown
	FiredWhich       NoteKind = "fired_which"       // another fault was active: the alert may be for either
	FaultUncleared   NoteKind = "not_cleared"       // the fault was not cleared, so no alert can resolve
	StageAbsent      NoteKind = "no_stage"          // the stage did not begin
	PodsBefore       NoteKind = "pods_before"       // as many pods were ready before
	PodsFewer        NoteKind = "pods_fewer"        // fewer pods were ready again later
	ValueUnknown     NoteKind = "no_value"          // a series has no known value
	ValueUnknownThen NoteKind = "no_value_then"     // a series has no known value from a time on
	ValuesNone       NoteKind = "no_value_known"    // no value is known in a phase
	ValuesUnread     NoteKind = "no_value_read"     // no value was read in a phase
	ValuesUnreadFor  NoteKind = "no_value_read_for" // no value was read in a phase that lasted so long
	ValuesMissing    NoteKind = "values_missing"    // values are missing, and the worst may be among them
	FewValues        NoteKind = "few_values"        // too few values to judge growth
	ProcessRestarted NoteKind = "restarted"         // the process restarted too often to judge growth
	GrowthBetween    NoteKind = "growth_between"    // the bounds of the growth lie on both sides of the target
	GrowthMissing    NoteKind = "growth_missing"    // the growth of a counter is not known for a part of the phase
	FewReadings      NoteKind = "few_readings"      // too few readings of a counter
	GrowthNone       NoteKind = "no_growth"         // the divisor did not grow
	GrowthFor        NoteKind = "growth_for"        // growth of one counter for the growth of another
	FewCounts        NoteKind = "few_counts"        // too few readings of brunt's own counter of a link
	CallsBetween     NoteKind = "calls_between"     // the bounds of the calls per request lie on both sides of the target
	CallsUnread      NoteKind = "calls_unread"      // only the bytes of a link were counted
	// ConnectionsUnread says that connections of a link carried a protocol that is not read
	ConnectionsUnread NoteKind = "connections_unread"
	QuietNone         NoteKind = "no_quiet_time"     // the traffic of a link without load was not counted
	LedgerAbsent      NoteKind = "no_ledger"         // the scenario declares no ledger
	LedgerUnread      NoteKind = "ledger_unread"     // why writes were not read back
	LedgerUnreported  NoteKind = "ledger_unreported" // why writes are not known
	RegistersAbsent   NoteKind = "no_registers"      // the scenario declares no registers
	RegistersIdle     NoteKind = "registers_idle"    // no read was answered, or no write was acknowledged
	RegistersOpen     NoteKind = "registers_open"    // the time limit left open whether registers have an order
	RegistersPart     NoteKind = "registers_part"    // some operations took no part in the check
	LossShared        NoteKind = "loss_shared"       // writes were lost to the fault or to one of faults
	MessagesShared    NoteKind = "messages_shared"   // messages of deliveries were; likewise
	LossUnshown       NoteKind = "loss_unshown"      // writes were lost, and nothing shows that the only fault did it
	ReadBackNone      NoteKind = "no_read_back"      // no time between two faults to read writes back
	ReadBackSilent    NoteKind = "read_back_silent"  // no unit answered the reading between two faults
	ReadBackPart      NoteKind = "read_back_part"    // the reading between two faults was of some writes
	DeliveryAbsent    NoteKind = "no_delivery"       // the run has no findings about the delivery
	DeliveriesNone    NoteKind = "none_sent"         // no message was acknowledged
	Polled            NoteKind = "polled"            // what brunt asks for may have come earlier than brunt saw it
	DeliveriesUnsure  NoteKind = "deliveries_unsure" // what became of messages is unknown, and would decide
	LossElsewhere     NoteKind = "loss_elsewhere"    // messages are lost without a fault as well
	WritesNone        NoteKind = "no_write"          // no write was acknowledged
	WritesElsewhere   NoteKind = "writes_elsewhere"  // writes are at a unit that clients do not read from; would decide
	WritesUnread      NoteKind = "writes_unread"     // writes could not be read back, and would decide
	WritesBounds      NoteKind = "writes_bounds"     // the bounds of the measured value lie on both sides of the target
	FewWrites         NoteKind = "few_writes"        // too few writes to show that the objective holds
	WritesNotShown    NoteKind = "writes_bound"      // it holds, but its 95 % bound is beyond the target
	TracesNone        NoteKind = "no_trace"          // no request of a phase was answered, or no spans were received
	SpansNone         NoteKind = "no_span"           // no span of any request came
	FewTraces         NoteKind = "few_traces"        // too few traces to show that the objective holds
	TracesNotShown    NoteKind = "traces_bound"      // it holds, but its 95 % bound is beyond the target
	ReadsNone         NoteKind = "no_read"           // no read was answered
	ReadsUnanswered   NoteKind = "reads_unanswered"  // some reads were not answered
	LoadUnbegun       NoteKind = "not_started"       // the load never began
	ThresholdMillis   NoteKind = "milliseconds"      // the unit of a script's value
	ThresholdEmpty    NoteKind = "no_sample"         // a script's metric has no sample
	OfOne             NoteKind = "of"                // the unit, series or fault that the next notes are about
	Worded            NoteKind = "text"              // text is the whole sentence
)

// ownSockets is [OwnLag] and, if there are any, the number of requests for which brunt had no socket.
const ownSockets = OwnLag + "[ or without a socket for <part> of <count> requests|]"

// ownTime ends the sentence of a verdict that only brunt's own time decides.
const ownTime = " as measured, but not with brunt's own time taken off"

// holdLacks ends the sentence about a hold that was cut short.
const holdLacks = "[: <for seconds> more was needed|][, as <need> good requests prove it, and only <count> of them came|]"

// harmFromTo tells when requests were bad.
const harmFromTo = "[ from <from seconds> to <to seconds>| from <from seconds> on]"

// noteSentences has the sentence of each kind of [Note]. A place in angle brackets stands for a figure, with its key
// and format. "[A|B]" becomes B if a figure of A is zero or empty, else A. The next note continues a sentence that
// ends with a colon. A sentence that begins with a comma continues the one before.
var noteSentences = map[NoteKind]string{
	FewRequests: "<count> requests, but at least <need> are needed",
	TooManyBad:  "too many of only <count> requests were bad",
	AtTarget:    "strict: the target lies within the 95 % interval",
	NotShown: "<value> of <count> requests, which show no better than <high>" +
		"[: about <need> are needed at this share|]",
	OwnLagFails: ownSockets + ": it fails" + ownTime,
	OwnLagHolds: ownSockets + ": it holds" + ownTime,
	MachineFails: "other programs held the processors of this machine in <count> s, so the target may have lacked one " +
		"then; the rest does not show a failure",
	OwnLoadFails: "brunt itself lacked processor time in <count> s, which may explain each timeout and slow answer of " +
		"them; the rest does not show a failure",
	NotTheLoad: ownSockets + "[ during <of>|], so the load was not the scheduled one",
	CutByGrace: "brunt cut off <part> of <count> requests <for seconds> after the load (`grace`), and whether they would " +
		"have been answered is not known[: set `grace` to the timeout, <limit seconds>|]",
	CutByScript: "k6 cut off <part> of <count> requests with their iterations, and whether they would have been answered " +
		"is not known: set `gracefulStop` of the script to the timeout of its requests",
	CutByEnd: "the run was ended while <part> of <count> requests were under way, and whether they would have been " +
		"answered is not known; the others do not show a failure",
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

	FaultAbsent:     "the fault was not injected",
	FaultPartly:     "<of> was injected in part, so its effect is unknown",
	FaultUnverified: "<of> was not verified, so its effect is unknown",
	FaultUnmet:      "<of> affected no traffic, so its effect is unknown",
	FaultSkipped:    "<of> was skipped: <text>",
	FaultOver:       "<of> was over before its time, after <for seconds>: <text>",
	FaultVoid:       "<text>",
	FaultBrief:      "<of> was over after <for ms>, and is judged for <within ms>",
	FaultCut:        "<of> was on <text> for <for seconds> of <within seconds>: <faults> ended it there",
	ImpactMissing:   "require_impact is set, but no impact of <of> was seen",
	ImpactUntold:    "require_impact is set, but whether <of> had an impact is unknown: ",
	OnsetNone:       "the share of bad requests stayed within the limit, so there is no onset",
	RecoveryNone:    "not recovered: > <for seconds>",
	RelapsedThen:    ", relapsed at <from seconds>",
	RecoveryLast:    "relapsed at <from seconds>, so its last recovery counts",
	FailoverNone:    "no recovery while the fault was active",
	FailoverUntold: "[<of> was over by itself|the fault was over] before a hold long enough to prove that the target " +
		"was good while it was in" + holdLacks + "[: ask how long until it has recovered from <of>|]",
	WithinLimit:      "the share of bad requests stayed within the limit",
	EndsDecide:       "it is known to lie between <low ms> and <high ms> only, and the limit is between them",
	Together:         "of <faults> together",
	TogetherFails:    "<faults> together: <value>; which of them did it is unknown",
	FewOccurrences:   "<count> occurrences, but at least <need> are needed",
	OccurrencesUnfit: "the effect of <part> of <count> occurrences is unknown, and decides: ",
	ShareShown: "met in <part> of <count> occurrences, so by at least <low share> under the conditions of this run (95% " +
		"confidence)",
	ShareMissed: "met in <part> of <count> occurrences, so by at most <high share> under the conditions of this run " +
		"(95% confidence)",
	ShareOpen: "met in <part> of <count> occurrences, which shows at least <low share> (95% confidence); <need> more " +
		"drills in which it is met would show <limit share>",
	OccurrencesNear: "the times of <part> of <count> occurrences are known to lie around the target only, which decides",
	IncidentNone:    "no incident overlaps a fault",
	IncidentUntold:  "whether <of> had an incident is unknown: ",
	IncidentOpen:    "not shown to have recovered: > <for seconds>",
	IncidentWas:     "the incident from <from ms> to <to ms>",
	HarmDuring: "requests were bad" + harmFromTo + ", <for seconds> after the injection of <of>, and nothing shows " +
		"that it did that",
	HarmAfter: "requests were bad" + harmFromTo + ", <for seconds> after <of> was over, and nothing shows that it " +
		"did that",
	OwnSentAfter:  OwnLag + ": it sent <part> of <count> requests of <of> after that was over",
	OwnSawNothing: OwnLag + ": it saw nothing of the target for <for ms> of the <within ms> of <of>",
	OwnSentNone:   ", and sent no request meanwhile",
	OwnUnseen:     OwnLag + ": it saw nothing of the target from <from ms> to <to ms>, and what the target did then decides",
	OwnLate: OwnLag + ": nearly all requests around <from seconds> were sent <for seconds> late, and an outage that is as " +
		"much longer or shorter decides",
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
	EndWithinHold: "[<of> was injected|the load ended] within a hold of the injection" +
		"[: <for seconds> more was needed|]",
	EndAfterBad: "[<of> was injected|the load ended] after a bad window, and one bad window does not decide" +
		"[: <for seconds> more was needed|]",
	EndBeforeHold: "[<of> was injected|the load ended] before a hold long enough to prove recovery" +
		holdLacks,
	FewAfter: "too few requests [between the injection and that of <of>|after the injection] to decide" +
		"[: <count> came, and <need> are needed|][, <for seconds> more of the load|]",
	FewBad: "<part> of <count> requests were bad, from <from seconds> to <to seconds>, beyond the limit of " +
		"<limit percent>, and they are too few to tell an outage from chance",
	UsualBad: "<base share> of requests were bad before the first fault and <value share> long after the fault, and " +
		"recovery shows only where their share is known to be under judge.limit, <limit percent>: " +
		"`judge: {limit: <high share>}` is well above that share",
	OtherIn:        "<of> was in as well",
	OtherAtOnce:    "requests were bad from the time on at which one of it and <of> ended and the other began",
	OtherOpen:      "<of> had not been recovered from",
	OtherNext:      "<of> was injected before recovery could show" + holdLacks,
	FaultIn:        "it is in",
	FaultHarms:     "it is in and does harm: <count> requests failed so far",
	FaultOpen:      "it is cleared and not yet recovered from: <count> requests failed so far",
	FaultFresh:     "it is cleared, and it is too early to tell",
	FaultTakenBack: "taken back early, as the run ended",
	FaultFailed:    "<text>",
	FaultLate:      "<text>",
	FaultMissing:   "<text>",

	SlowerOwn:   "brunt itself was later than before the fault, which may explain all of it",
	SlowerShort: "the baseline has good answers in <count> s, and <need> s are needed",
	SlowerFew: "there are <count> good answers of the fault and <base number> of the baseline, and <need> and " +
		"<need_base> are needed",
	SlowerSteps: "<part> of <count> good answers are of steps that had fewer than <need> in the baseline",
	SlowerHalf: "<part> of <count> good answers took far longer than the median before the fault, which is not " +
		"certainly more than half",
	SlowerTail: "<part> of <count> good answers took far longer than the 95th percentile before the fault, which is not " +
		"certainly more than one in 20",
	SlowerVaried: "the baseline is too short, or its times vary too much, to exclude chance",
	SlowerStep: "<part> of <count> good answers of <of> alone took over twice as long as before the fault, and over " +
		"20 ms longer",
	SlowerRest: "seconds without a fault were as slow after the recovery, though not before the fault",
	SlowerDuring: "answers were slower at some time of the fault, not soon after its begin nor up to its end, and " +
		"nothing shows that it made them so",
	SlowerNoFault: "no fault was injected",
	SlowerThis:    "it was not injected",
	SlowerLater:   "that is tested when the run is over",

	MonitorUnasked:   "the monitoring was not queried",
	MonitorFailed:    "<text>",
	NoticedNone:      "not noticed: > <for seconds>",
	MarkNone:         "no person marked it as <text>",
	ReachedNone:      "not reached: > <for seconds>",
	FiringStill:      "still firing: > <for seconds>",
	NoticedWhich:     "<of> was active at the same time, so it is unknown which of the two was noticed",
	FiredWhich:       "<of> was active at the same time, so it is unknown which of the two the alert fired for",
	FaultUncleared:   "<of> was not cleared",
	StageAbsent:      "the stage did not begin",
	PodsBefore:       "<of> had <count> ready pods before, so that reaching this number shows nothing",
	PodsFewer:        "fewer were ready again at <from seconds>",
	ValueUnknown:     "no value of <of> is known[: <text>|]",
	ValueUnknownThen: "no value of <of> is known from then on",
	ValuesNone:       "no value is known in <phase>",
	ValuesUnread:     "no value was read in <phase>[: <text>|]",
	ValuesUnreadFor:  "no value was read in <phase>, which lasted <for seconds>[: <text>|]",
	ValuesMissing: "<count> values are known in <phase>, but <need> were expected[, and none for <for seconds>|]: " +
		"the worst may be missing",
	GrowthMissing:    "<of> was read <count> times in <phase>, and its growth in <for seconds> of it is not known",
	FewValues:        "<count> values, but at least <need> are needed to judge growth",
	ProcessRestarted: "its process restarted too often to judge growth",
	GrowthBetween:    "it grows by <low> to <high>: a longer run would decide",
	FewReadings: "<of> was read <count> times in <phase>, and its growth there needs <need>: it is read every " +
		"<for exactly> (every: …)",
	GrowthNone: "<of> did not grow in <phase>",
	GrowthFor:  "<value growth> for <base growth>",
	FewCounts: "the calls of <of> were counted <count> times in <phase>, and <need> are needed: brunt counts every " +
		"<for exactly>",
	CallsBetween: "by the times of the counts and the calls without load, between <low> and <high>: a longer phase or " +
		"more requests would decide",
	CallsUnread: "brunt counted the bytes of <of>, not its calls",
	ConnectionsUnread: "<count> connections of <of> carried a protocol that brunt does not read, so their calls are " +
		"unknown",
	QuietNone:        "the calls of <of> without load are unknown",
	LedgerAbsent:     "there is no ledger",
	LedgerUnread:     "<text>",
	LedgerUnreported: "<text>",
	RegistersAbsent:  "there is no `consistency`",
	RegistersIdle:    "<count> reads and <part> writes were answered, which shows nothing",
	RegistersOpen:    "the time limit left <count> registers undecided",
	RegistersPart:    "<part> of <count> operations took no part in the check",
	LossShared:       "acknowledged writes were lost (<count>), to it or to <faults>: which of them did it is unknown",
	LossUnshown: "nothing shows that <of> lost <count> writes: no reading before it found them, and writes around it " +
		"were not lost more often than others",
	MessagesShared: "messages were lost (<count>), to it or to <faults>: which of them did it is unknown",
	ReadBackNone:   "there was no time to read writes back between <faults>",
	ReadBackSilent: "nothing was read back between <faults>: no unit answered",
	ReadBackPart:   "<part> of <count> writes were read back between <faults>, as there was no time for all",
	DeliveryAbsent: "the run has no findings about this delivery",
	DeliveriesNone: "no message was acknowledged",
	Polled: "brunt asks at intervals, so what it saw may have come up to <for seconds> earlier, which " +
		"would decide",
	DeliveriesUnsure: "what became of <part> of <count> messages is unknown, and would decide",
	LossElsewhere: "no loss is attributed to <of>: while no fault was in, <part> of <count> messages were lost, which does " +
		"not tell its losses from others",
	WritesNone:      "no write was acknowledged",
	WritesElsewhere: "<part> of <count> writes are on <faults>, not where clients read",
	WritesUnread:    "<part> of <count> writes could not be read back",
	WritesBounds:    "the bounds of what was measured lie on both sides of the target",
	FewWrites:       "<count> writes, but at least <need> are needed",
	WritesNotShown:  "<value> of <count> writes, which show no better than <high>",
	TracesNone:      "no answered request has a trace in <phase>",
	SpansNone:       "no span of a request came: the target sends none, or not to brunt",
	FewTraces:       "<count> traces, but at least <need> are needed",
	TracesNotShown:  "<value> of <count> traces are not whole, which show no better than <high>",
	ReadsNone:       "no read during the load was answered",
	ReadsUnanswered: "<part> of <count> reads had no answer",
	LoadUnbegun:     "the load never began",
	ThresholdMillis: "in milliseconds",
	ThresholdEmpty:  "the script made no sample of it, which k6 takes for 0",
	OfOne:           "<of>",
	Worded:          "<text>",
}

// sentence returns the sentence of the kind. For a kind that this version does not know, it is the note's text.
func (k NoteKind) sentence() string {
	if s, ok := noteSentences[k]; ok {
		return s
	}
	return noteSentences[Worded]
}
