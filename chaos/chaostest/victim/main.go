// Command victim is the program that tests of faults on containers break: a static program that listens, answers, and
// takes orders. It is the only file in its image.
//
//	victim [PORT]           answers every request with "ok", and ends on SIGTERM; at /via?url=URL with the answer to a
//	                        request of its own, of a new name query and a new connection, or with 502; at
//	                        /calls?url=URL&times=N after N requests over a connection that it keeps
//	victim ask URL          asks once; its exit code says whether an answer came
//	victim leads ADDRESS    its exit code says whether the address is its own
//	victim burn             uses a processor until it is killed
//
// It prints $SAYS when it begins, repeated to $PRINTS bytes, and the time of each request to /calls and to /called.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	args := append(os.Args[1:], "8080")
	switch args[0] {
	case "ask":
		if err := ask(args[1]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	case "leads":
		if !has(args[1]) {
			os.Exit(1)
		}
	case "burn":
		for n := 0; ; n++ {
			_ = n * n
		}
	default:
		serve(args[0])
	}
}

func has(address string) bool {
	addrs, _ := net.InterfaceAddrs()
	return slices.ContainsFunc(addrs, func(a net.Addr) bool { return strings.HasPrefix(a.String(), address+"/") })
}

func ask(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(os.Stdout, resp.Body)
	return err
}

// says prints what the environment asks for.
func says() {
	line := os.Getenv("SAYS")
	if line == "" {
		return
	}
	fmt.Println(line)
	most, _ := strconv.Atoi(os.Getenv("PRINTS"))
	w := bufio.NewWriter(os.Stdout)
	defer w.Flush()
	for n := len(line) + 1; n < most; n += len(line) + 1 {
		fmt.Fprintln(w, line)
	}
}

// via asks another server for each request, and names itself in the header Victim.
func via(w http.ResponseWriter, r *http.Request) {
	host, _ := os.Hostname()
	w.Header().Set("Victim", host)
	fail := func(err error) { http.Error(w, err.Error(), http.StatusBadGateway) }
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, r.FormValue("url"), nil)
	if err != nil {
		fail(err)
		return
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fail(err)
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		fail(fmt.Errorf("%s answers %s", req.URL.Host, resp.Status))
		return
	}
	_, _ = io.Copy(w, resp.Body)
}

// calls makes several requests to another server, one after the other.
func calls(w http.ResponseWriter, r *http.Request) {
	printTime("request")
	times, _ := strconv.Atoi(r.FormValue("times"))
	for range times {
		resp, err := http.Post(r.FormValue("url"), "text/plain", nil) //nolint:noctx // the test ends the process
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}

func printTime(what string) { fmt.Println(what, time.Now().UnixNano()) }

// serve answers until it is asked to end: without a handler, the first process of a container ignores SIGTERM.
func serve(port string) {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	go func() {
		<-ended
		os.Exit(7)
	}()
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, "ok")
	})
	http.HandleFunc("/via", via)
	http.HandleFunc("/calls", calls)
	http.HandleFunc("/called", func(http.ResponseWriter, *http.Request) { printTime("call") })
	resources()
	fmt.Println("it listens on", port)
	says()
	fmt.Println(http.ListenAndServe(":"+port, nil))
	os.Exit(1)
}
