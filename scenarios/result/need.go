package result

// A NeedKind says how the requests of a step depend on a service: hard, soft, none, or [VagueNeed]. Package drills has
// their meaning.
type NeedKind string

// VagueNeed means that there were too few requests to tell.
const VagueNeed NeedKind = "?"

// A Need says how the requests of a step did while all units of a service were gone, frozen or cut off.
type Need struct {
	Step    string   `json:"step"`          // the step of a load; LOAD: STEP if several loads have one of that name
	Service string   `json:"service"`       // the service that was away
	Kind    NeedKind `json:"kind" mask:"-"` // hard, soft, none or ?
	Why     string   `json:"why"`           // the figures of both spans, in a sentence
}
