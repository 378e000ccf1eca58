package netns

// mechanisms are those that may do an action, best first.
func mechanisms(a Action) []mechanism {
	switch a {
	case Partition, Blackhole, Stall, Reset, HalfOpen, DNSFail, DNSMute, DNSSpoof, Loss:
		return []mechanism{nft(a)}
	}
	return nil
}
