// Package nft makes nftables tables that the kernel removes when their owner exits, and asks connection tracking for
// the original destination of redirected traffic.
//
//	NewTable --> BaseChain, Chain, Set, Rule --Commit--> active until Close, or until the process ends
//	NewConntrack --> Destination: the address to which a redirected packet was sent
package nft
