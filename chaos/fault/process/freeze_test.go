package process

import (
	"strings"
	"testing"

	"brunt/chaos/proc"
)

// TestNewcomers: one process was started meanwhile, several were.
func TestNewcomers(t *testing.T) {
	all := []proc.Process{{PID: 7, Name: "sh"}, {PID: 8, Name: "sh"}}
	for n, want := range map[int]string{1: "pid 7 (sh) was started meanwhile", 2: "pids 7, 8 (sh) were started meanwhile"} {
		if err := newcomers("web[0]", all[:n]); !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
