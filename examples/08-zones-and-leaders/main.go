// Cluster is a system with a leader: nodes, of which one accepts writes; a front that finds that node; and a lease
// server that decides which node leads.
//
//	cluster front   passes writes to the node of $LINK_NODE that accepts them
//	cluster node    leads while it holds the lease of $LINK_LEASE, and accepts writes then
//	cluster lease   gives the lease to one node at a time, for a second
package main

import (
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: cluster front|node|lease")
	}
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	switch os.Args[1] {
	case "front":
		http.HandleFunc("/write", front(strings.Split(os.Getenv("LINK_NODE"), ",")))
	case "node":
		node(os.Getenv("LINK_LEASE"))
	case "lease":
		http.HandleFunc("/lease", lease())
	default:
		log.Fatalf("there is no service %q", os.Args[1])
	}
	log.Fatal(http.ListenAndServe(os.Getenv("BRUNT_ADDR"), nil))
}

// front tries one node after the other, starting with the one that accepted the last write.
func front(nodes []string) http.HandlerFunc {
	client := http.Client{Timeout: 300 * time.Millisecond, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	var last atomic.Int64
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := range nodes {
			n := (int(last.Load()) + i) % len(nodes)
			resp, err := client.Post("http://"+nodes[n]+"/write", "text/plain", nil)
			if err != nil {
				continue
			}
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				last.Store(int64(n))
				fmt.Fprintln(w, "written")
				return
			}
		}
		http.Error(w, "no node leads", http.StatusServiceUnavailable)
	}
}

const term = time.Second // of a lease

// lease grants the lease to its present owner, or to the first that asks after it has expired.
func lease() http.HandlerFunc {
	var mu sync.Mutex
	var holder string
	var until time.Time
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		now, caller := time.Now(), r.FormValue("holder")
		if holder != caller && now.Before(until) {
			http.Error(w, "it is "+holder+"'s", http.StatusConflict)
			return
		}
		holder, until = caller, now.Add(term)
	}
}

// node requests the lease five times per term, and leads from the grant until the end of the
// term.
func node(lease string) {
	var until atomic.Int64 // Unix nanoseconds
	caller := fmt.Sprintf("%s-%d", url.PathEscape(os.Getenv("BRUNT_UNIT")), os.Getpid())
	go func() {
		client := http.Client{Timeout: term / 5}
		for ; ; time.Sleep(term / 5) {
			asked := time.Now()
			resp, err := client.Post("http://"+lease+"/lease?holder="+caller, "text/plain", nil)
			if err != nil {
				continue
			}
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				until.Store(asked.Add(term).UnixNano())
			}
		}
	}()
	leads := func() bool { return time.Now().UnixNano() < until.Load() }
	http.HandleFunc("/role", func(w http.ResponseWriter, _ *http.Request) {
		role := "follower"
		if leads() {
			role = "leader"
		}
		fmt.Fprintf(w, "{\"role\": %q}\n", role)
	})
	http.HandleFunc("/write", func(w http.ResponseWriter, _ *http.Request) {
		if !leads() {
			http.Error(w, "not me", http.StatusConflict)
			return
		}
		fmt.Fprintln(w, "ok")
	})
}
