package machine

// A Quota counts the periods of the CPU quotas of brunt's control group and of those above it.
type Quota struct {
	Periods   int64 // enforced periods so far; zero without a quota
	Throttled int64 // those of them in which brunt's group had used up its quota
}
