// Reads what `go test -json` prints, and prints the packages and the output of tests that failed. Into FILE it writes
// the tests that skipped themselves or a part of them, a line each: the package, a space, the test.
//
//	go test -json ./... | go run .ci/outcome.go FILE
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
)

// event is a line of test2json.
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64 // seconds
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: outcome FILE")
	}
	skipped, err := os.Create(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	output, seen := map[string]*strings.Builder{}, map[string]bool{}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var e event
		if err := json.Unmarshal(in.Bytes(), &e); err != nil {
			fmt.Println(in.Text())
			continue
		}
		of := e.Package + " " + e.Test
		switch e.Action {
		case "output":
			if output[of] == nil {
				output[of] = new(strings.Builder)
			}
			output[of].WriteString(e.Output)
		case "build-output":
			fmt.Print(e.Output)
		case "fail":
			if text := output[of]; text != nil {
				fmt.Print(text)
			}
			if e.Test == "" {
				fmt.Printf("FAIL %s %.1fs\n", e.Package, e.Elapsed)
			}
		case "pass":
			if e.Test == "" {
				fmt.Printf("ok   %s %.1fs\n", e.Package, e.Elapsed)
			}
		case "skip":
			whole, _, _ := strings.Cut(e.Test, "/")
			if of = e.Package + " " + whole; whole != "" && !seen[of] {
				seen[of] = true
				fmt.Fprintln(skipped, of)
			}
		}
	}
	if err := in.Err(); err != nil {
		log.Fatal(err)
	}
	if err := skipped.Close(); err != nil {
		log.Fatal(err)
	}
}
