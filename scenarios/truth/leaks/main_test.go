package leaks

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"brunt/scenarios/truth"
)

// brunt is the program under test, built once.
var brunt string

// TestMain lets the test binary play the parts of a unit of the target, and of commands.
func TestMain(m *testing.M) {
	switch address := os.Getenv("BRUNT_ADDR"); {
	case address != "" && os.Getenv("LEAKS_OWN") != "":
		fmt.Fprintln(os.Stderr, unit(address, os.Getenv("LEAKS_OWN")))
		os.Exit(1)
	case len(os.Args) > 1 && os.Args[1] == "say":
		tell()
		os.Exit(0)
	case len(os.Args) > 2 && os.Args[1] == "switch":
		tell()
		if err := turn(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	files, remove, err := truth.Programs("brunt/cmd/brunt")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer remove()
	brunt = files[0]
	return m.Run() // it needs no turn: it measures no time, and its load is small
}

// unit is a unit of the target, which prints what it was started with.
func unit(address, own string) error {
	e := &echo{log: os.Stdout}
	b, err := os.ReadFile(own)
	if err == nil {
		err = json.Unmarshal(b, &e.own)
	}
	if err != nil {
		return err
	}
	tell()
	if _, err := e.serve(address); err != nil {
		return err
	}
	select {}
}

// tell prints the command line and the environment, raw and encoded.
func tell() {
	for _, text := range append(os.Args[1:], os.Environ()...) {
		_, value, _ := strings.Cut(text, "=")
		fmt.Println(text)
		for how, encode := range encodings {
			fmt.Fprintf(os.Stderr, "%s: %s\n", how, encode(value))
		}
	}
}

// turn turns the switch of a fault.
func turn(url string) error {
	resp, err := http.Post(url, "text/plain", nil)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
