//go:build !unix

package targets_test

import "testing"

func fullBacklog(*testing.T) (url string, end func()) { return "", func() {} }
