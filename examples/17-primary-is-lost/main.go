// Store is a system with a primary, a replica and a front that finds the primary. There is no automatic failover: an
// operator promotes the replica.
//
//	store front           passes writes to the node of $NODES that accepts them
//	store node            accepts writes as the primary, and copies them to $PEER; $ROLE is its initial role
//	store promote URL     makes the node at URL the primary
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

func main() {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "promote":
		promote(os.Args[2])
		return
	case len(os.Args) != 2:
		log.Fatal("usage: store front|node|promote URL")
	}
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	switch os.Args[1] {
	case "front":
		http.HandleFunc("/write", front(strings.Fields(os.Getenv("NODES"))))
	case "node":
		node(os.Getenv("ROLE"), os.Getenv("PEER"))
	default:
		log.Fatalf("there is no service %q", os.Args[1])
	}
	log.Fatal(http.ListenAndServe(os.Getenv("BRUNT_ADDR"), nil))
}

// promote makes a node the primary.
func promote(url string) {
	resp, err := http.Post(url+"/promote", "text/plain", nil)
	if err != nil {
		log.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		log.Fatal(resp.Status)
	}
}

// front tries one node after the other, starting with the one that took the last write.
func front(nodes []string) http.HandlerFunc {
	client := http.Client{Timeout: 300 * time.Millisecond, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	var last atomic.Int64
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := range nodes {
			n := (int(last.Load()) + i) % len(nodes)
			resp, err := client.Post(nodes[n]+"/write", "text/plain", nil)
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
		http.Error(w, "no node is the primary", http.StatusServiceUnavailable)
	}
}

// node begins as a replica. If its role is primary, it becomes the primary once its peer says that it is not one
// itself. So a node that was away does not take over again from the node that was promoted.
func node(role, peer string) {
	var primary atomic.Bool
	var copies atomic.Int64
	client := http.Client{Timeout: 200 * time.Millisecond}
	if role == "primary" {
		go func() {
			for !primary.Load() {
				switch theirs, err := ask(&client, peer+"/role"); {
				case err != nil:
					time.Sleep(100 * time.Millisecond)
				case strings.Contains(theirs, "primary"):
					return
				default:
					primary.Store(true)
				}
			}
		}()
	}
	writes := make(chan struct{}, 1000) // copied in order, without waiting
	go func() {
		for range writes {
			if resp, err := client.Post(peer+"/copy", "text/plain", nil); err == nil {
				_ = resp.Body.Close()
			}
		}
	}()
	http.HandleFunc("/role", func(w http.ResponseWriter, _ *http.Request) {
		name := "replica"
		if primary.Load() {
			name = "primary"
		}
		fmt.Fprintf(w, "{\"role\": %q, \"copies\": %d}\n", name, copies.Load())
	})
	http.HandleFunc("/promote", func(http.ResponseWriter, *http.Request) { primary.Store(true) })
	http.HandleFunc("/copy", func(http.ResponseWriter, *http.Request) { copies.Add(1) })
	http.HandleFunc("/write", func(w http.ResponseWriter, _ *http.Request) {
		if !primary.Load() {
			http.Error(w, "a replica takes no writes", http.StatusConflict)
			return
		}
		if peer != "" {
			select {
			case writes <- struct{}{}:
			default: // the peer is away; if the queue is full, the write is not copied
			}
		}
		fmt.Fprintln(w, "ok")
	})
}

func ask(client *http.Client, url string) (string, error) {
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}
