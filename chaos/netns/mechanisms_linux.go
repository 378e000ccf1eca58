package netns

// mechanisms are those that may do an action, best first.
func mechanisms(a Action) []mechanism {
	switch a {
	case Loss:
		return []mechanism{bpf(), nft(a), netem()}
	case Duplicate, Corrupt:
		return []mechanism{bpf(), netem()}
	case Latency, Reorder:
		return []mechanism{netem(), nfqueue()}
	case Bandwidth:
		return []mechanism{nfqueue(), tbf()}
	case Partition, Blackhole:
		return []mechanism{nft(a), bpf()}
	case Stall, Reset, HalfOpen, DNSFail, DNSMute, DNSSpoof:
		return []mechanism{nft(a)}
	}
	return nil
}
