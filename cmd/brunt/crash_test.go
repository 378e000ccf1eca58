package main

import (
	"bytes"
	"os"
	"time"

	"brunt/scenarios/suite"
)

// crashing is a brunt in whose run a goroutine of no one panics, once the file that BRUNT_CRASH_IN names has the text of BRUNT_CRASH_AT.
func crashing() {
	onCrash() // as main does, which the goroutine may be ahead of
	if len(os.Args) > 1 && os.Args[1] == "run" {
		go func() {
			suite.Within(time.Minute, func() bool {
				text, _ := os.ReadFile(os.Getenv("BRUNT_CRASH_IN"))
				return bytes.Contains(text, []byte(os.Getenv("BRUNT_CRASH_AT")))
			})
			var none []byte
			none[len(os.Args)] = 0
		}()
	}
	main()
}
