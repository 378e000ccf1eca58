package netns

// mechanisms are those that may do an action, best first.
func mechanisms(a Action) []mechanism {
	switch a {
	case Loss:
		return []mechanism{bpf(), nft(a)}
	case Duplicate, Corrupt:
		return []mechanism{bpf()}
	case Partition, Blackhole:
		return []mechanism{nft(a), bpf()}
	case Stall, Reset, HalfOpen, DNSFail, DNSMute, DNSSpoof:
		return []mechanism{nft(a)}
	}
	return nil
}
