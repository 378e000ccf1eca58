// Package demo is SocialConnect, the built-in system under test.
package demo

import (
	_ "github.com/prometheus/client_golang/prometheus"
	_ "modernc.org/sqlite"
)
