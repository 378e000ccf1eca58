package netns

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"unsafe"

	"brunt/chaos/netns/kernel"
	"brunt/chaos/netns/nft"

	"golang.org/x/sys/unix"
)

// Redirects lists the mechanisms, besides brunt's tables, that redirect connections which are opened inside the
// namespace: rules of nftables, including those of iptables-nft, and the tables of the older iptables. It changes
// nothing.
func (n *Namespace) Redirects() (out []string, err error) {
	err = n.Do(func() error {
		tables, err := nft.Redirects()
		if err != nil {
			return kernel.Hint(fmt.Errorf("listing what redirects connections: %w", err))
		}
		out = tables
		rules, err := oldRules()
		if rules > 0 {
			out = append(out, fmt.Sprintf("%d rules of the table nat of iptables", rules))
		}
		return err
	})
	slices.Sort(out)
	return out, err
}

// Of <linux/netfilter_ipv4/ip_tables.h>.
const (
	getInfo  = 64 // IPT_SO_GET_INFO
	ownRules = 5  // entries of a nat table without rules: the policies of four chains, and the end
)

// natInfo is struct ipt_getinfo.
type natInfo struct {
	Name                    [32]byte
	Hooks                   uint32
	Entries, Underflows     [5]uint32
	NumberOfEntries, Length uint32
}

// oldRules counts the rules of the nat table that the older iptables, without nftables, has made.
func oldRules() (int, error) {
	// Asking for a missing table would make the kernel create it.
	tables, err := os.ReadFile("/proc/thread-self/net/ip_tables_names")
	if err != nil || !slices.Contains(strings.Fields(string(tables)), "nat") {
		return 0, nil
	}
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return 0, kernel.Hint(fmt.Errorf("asking for rules of iptables: %w", err))
	}
	defer unix.Close(s)
	var info natInfo
	copy(info.Name[:], "nat")
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(s), unix.IPPROTO_IP, getInfo, uintptr(unsafe.Pointer(&info)),
		uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0, fmt.Errorf("asking for rules of iptables: %w", errno)
	}
	return max(0, int(info.NumberOfEntries)-ownRules), nil
}
