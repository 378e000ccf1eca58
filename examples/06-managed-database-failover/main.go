// Manageddb is a database of two servers, like one that a provider runs: only its control plane knows which server
// accepts writes. It comes with a service that uses it, the team's monitoring, and the provider's command line tool.
//
//	manageddb node              a server of the database: takes writes while it is the primary
//	manageddb control           the control plane: knows the servers in $NODES, fails over
//	manageddb app               places orders in the database that $CONTROL names
//	manageddb monitor           alerts when the primary is not where it belongs
//	manageddb ctl URL status    names the primary
//	manageddb ctl URL failover NAME
//	                            makes NAME the primary even if the other is lost
//	manageddb ctl URL switchover NAME
//	                            moves the primary to NAME in good order
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	role := "ctl"
	if len(os.Args) > 1 {
		role = os.Args[1]
	}
	switch role {
	case "node":
		node()
	case "control":
		newControl(strings.Fields(os.Getenv("NODES"))).serve()
	case "app":
		app(os.Getenv("CONTROL"))
	case "monitor":
		monitor(os.Getenv("CONTROL"))
	default:
		if err := ctl(os.Args[min(2, len(os.Args)):]); err != nil {
			log.Fatal(err)
		}
		return
	}
	log.Fatal(http.ListenAndServe(os.Getenv("BRUNT_ADDR"), nil))
}

var client = http.Client{Timeout: 5 * time.Second}

// call sends a request and returns the answer, or an error for a status of 400 or more.
func call(method, url string) (string, error) {
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 400 {
		err = fmt.Errorf("%s: %s: %s", url, resp.Status, strings.TrimSpace(string(b)))
	}
	return string(b), err
}

// node is a server of the database. It starts as a standby.
func node() {
	var primary atomic.Bool
	http.HandleFunc("POST /role/{role}", func(_ http.ResponseWriter,
		r *http.Request,
	) {
		primary.Store(r.PathValue("role") == "primary")
	})
	http.HandleFunc("POST /write", func(w http.ResponseWriter, _ *http.Request) {
		if !primary.Load() {
			http.Error(w, "this server is a standby", http.StatusConflict)
		}
	})
	http.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
}

// A control is the control plane.
type control struct {
	names []string
	urls  map[string]string

	moving  sync.Mutex // held while the primary moves
	primary atomic.Value
}

func newControl(nodes []string) *control {
	c := &control{urls: map[string]string{}}
	for _, n := range nodes {
		name, url, _ := strings.Cut(n, "=")
		c.names, c.urls[name] = append(c.names, name), url
	}
	c.primary.Store("")
	return c
}

// promotion is the time that a standby takes to become the primary.
const promotion = time.Second

func (c *control) serve() {
	go func() {
		for c.switchover(c.names[0]) != nil {
			time.Sleep(50 * time.Millisecond)
		}
	}()
	http.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) {
		name := c.primary.Load().(string)
		if name == "" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"primary": name, "url": c.urls[name]})
	})
	for name, move := range map[string]func(to string) error{"failover": c.failover, "switchover": c.switchover} {
		http.HandleFunc("POST /"+name+"/{to}", func(w http.ResponseWriter, r *http.Request) {
			if err := c.move(r.PathValue("to"), move); err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
			}
		})
	}
}

// move makes a server the primary. It does nothing if the server already is.
func (c *control) move(to string, by func(to string) error) error {
	c.moving.Lock()
	defer c.moving.Unlock()
	if c.urls[to] == "" {
		return fmt.Errorf("there is no server %q", to)
	}
	if c.primary.Load() == to {
		return nil
	}
	return by(to)
}

// failover promotes a standby as if the primary were lost: during the promotion there is no
// primary.
func (c *control) failover(to string) error {
	if err := c.demoteAllBut(to); err != nil {
		return err
	}
	time.Sleep(promotion)
	return c.promote(to)
}

// switchover promotes a standby before it demotes the primary.
func (c *control) switchover(to string) error {
	if err := c.promote(to); err != nil {
		return err
	}
	return c.demoteAllBut(to)
}

func (c *control) promote(name string) error {
	if _, err := call(http.MethodPost, c.urls[name]+"/role/primary"); err != nil {
		return err
	}
	c.primary.Store(name)
	return nil
}

func (c *control) demoteAllBut(to string) error {
	for name, url := range c.urls {
		if name == to {
			continue
		}
		if _, err := call(http.MethodPost, url+"/role/standby"); err != nil {
			return err
		}
	}
	return nil
}

// status is the answer of the control plane.
type status struct{ Primary, URL string }

func ask(control string) (s status, err error) {
	text, err := call(http.MethodGet, control+"/status")
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(text), &s)
}

// app places orders. It uses the primary that it knows, and asks for the current one when that server refuses writes.
func app(control string) {
	var known atomic.Value
	known.Store("")
	order := func() error {
		if url := known.Load().(string); url != "" {
			if _, err := call(http.MethodPost, url+"/write"); err == nil {
				return nil
			}
		}
		s, err := ask(control)
		if err != nil {
			return err
		}
		known.Store(s.URL)
		_, err = call(http.MethodPost, s.URL+"/write")
		return err
	}
	http.HandleFunc("POST /order", func(w http.ResponseWriter, _ *http.Request) {
		if err := order(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusCreated)
	})
	http.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if err := order(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
}

// monitor checks the database twice a second, and alerts when the primary has been elsewhere
// for three checks.
func monitor(control string) {
	const checks = 3
	var away atomic.Int64
	go func() {
		for ; ; time.Sleep(500 * time.Millisecond) {
			switch s, err := ask(control); {
			case err != nil: // covered by another alert
			case s.Primary == "a":
				away.Store(0)
			default:
				away.Add(1)
			}
		}
	}()
	http.HandleFunc("GET /alerts", func(w http.ResponseWriter, _ *http.Request) {
		alerts := []string{}
		if away.Load() >= checks {
			alerts = append(alerts, "DatabaseFailedOver")
		}
		_ = json.NewEncoder(w).Encode(alerts)
	})
}

var errUsage = errors.New("usage: manageddb ctl URL status|failover NAME|switchover NAME")

// ctl is the provider's tool. A database that no longer exists has no primary to move: ctl
// then does nothing.
func ctl(args []string) error {
	switch {
	case len(args) == 2 && args[1] == "status":
		s, err := ask(args[0])
		if err != nil {
			return err
		}
		fmt.Println(s.Primary)
		return nil
	case len(args) == 3 && (args[1] == "failover" || args[1] == "switchover"):
		_, err := call(http.MethodPost, args[0]+"/"+args[1]+"/"+args[2])
		if errors.Is(err, syscall.ECONNREFUSED) {
			fmt.Println("the database is no more")
			return nil
		}
		if err == nil {
			fmt.Println(args[2], "is the primary")
		}
		return err
	}
	return errUsage
}
