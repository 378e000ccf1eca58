// Package nft makes nftables tables that the kernel removes when their owner exits, and asks connection
// tracking for the original destination of redirected traffic.
package nft
