package netns

// mechanisms returns the mechanisms that support an action, best first.
func mechanisms(a Action) []mechanism {
	switch a {
	case Loss:
		return []mechanism{bpf(), nftMechanism(a), netem()}
	case Duplicate, Corrupt:
		return []mechanism{bpf(), netem()}
	case Latency, Reorder:
		return []mechanism{netem(), nfqueueMechanism()}
	case Bandwidth:
		return []mechanism{nfqueueMechanism(), tbf()}
	case Partition, Blackhole:
		return []mechanism{nftMechanism(a), bpf()}
	case Stall, Reset, HalfOpen, DNSFail, DNSMute, DNSSpoof:
		return []mechanism{nftMechanism(a)}
	}
	return nil
}
