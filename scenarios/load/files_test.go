package load

import "os"

// files counts the open files of this process, where the system supports it.
func files() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}
