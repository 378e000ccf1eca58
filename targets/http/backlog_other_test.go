//go:build !unix

package http_test

import "testing"

func fullBacklog(*testing.T) (url string, end func()) { return "", func() {} }
