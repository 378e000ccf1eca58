//go:build linux

package drills

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"
)

// callJSON posts in as JSON and decodes the answer into out.
func callJSON(ctx context.Context, client *http.Client, url string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if req.URL.User != nil {
		password, _ := req.URL.User.Password()
		req.SetBasicAuth(req.URL.User.Username(), password)
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", resp.Status, answer)
	}
	return json.Unmarshal(answer, out)
}

// An etcdStore writes to one member by the HTTP gateway, and to the next one after an error.
type etcdStore struct {
	client *http.Client
	rota   rota
	// values are read as a member has them itself, and not as the leader has them
	serializable bool
	// values are read from each member in turn, and from the next one if it refuses or does not answer
	inTurn bool
	turn   atomic.Int64
	told   net.Conn // each such question is told here; nil: to no one
}

// A rota is the members of a store, of which one is asked until it fails.
type rota struct {
	members []string
	last    atomic.Int64
}

// asked returns the member that is asked next.
func (r *rota) asked() string { return r.members[r.last.Load()] }

// memberPatience is how long a member has to answer.
const memberPatience = 300 * time.Millisecond

// ask asks one member, which has memberPatience to answer. After an error, further calls ask the next one. A member
// that refuses the connection was asked nothing, and the next one is asked at once: else one request alone fails each
// time that it is a dead one's turn, and whether it is one of the prober's or of the load's is chance.
func (r *rota) ask(ctx context.Context, call func(ctx context.Context, member string) error) (err error) {
	for range r.members {
		n := r.last.Load()
		one, cancel := context.WithTimeout(ctx, memberPatience)
		err = call(one, r.members[n])
		cancel()
		if err != nil {
			r.last.CompareAndSwap(n, (n+1)%int64(len(r.members)))
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return err
		}
	}
	return err
}

func newEtcdStore(members []string) *etcdStore {
	return &etcdStore{
		rota: rota{members: members}, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}},
	}
}

func (s *etcdStore) ask(ctx context.Context, path string, in, out any) error {
	return s.rota.ask(ctx, func(ctx context.Context, member string) error {
		return callJSON(ctx, s.client, "http://"+member+path, in, out)
	})
}

func etcdKey(id string) string { return base64.StdEncoding.EncodeToString([]byte(id)) }

func (s *etcdStore) put(ctx context.Context, id string) error {
	return s.ask(ctx, "/v3/kv/put", map[string]string{"key": etcdKey(id), "value": "MQ=="}, &struct{}{})
}

// set writes a key.
func (s *etcdStore) set(ctx context.Context, key, value string) error {
	return s.ask(ctx, "/v3/kv/put", map[string]string{"key": etcdKey(key), "value": etcdKey(value)}, &struct{}{})
}

// value reads a key; it is empty if the key is not there.
func (s *etcdStore) value(ctx context.Context, key string) (string, error) {
	var found struct {
		KVs []struct{ Value []byte } `json:"kvs"`
	}
	in := map[string]any{"key": etcdKey(key), "serializable": s.serializable}
	ask := s.ask
	if s.inTurn {
		ask = s.askInTurn
	}
	if err := ask(ctx, "/v3/kv/range", in, &found); err != nil || len(found.KVs) == 0 {
		return "", err
	}
	return string(found.KVs[0].Value), nil
}

// askInTurn asks the next member, and those after it until one answers.
func (s *etcdStore) askInTurn(ctx context.Context, path string, in, out any) (err error) {
	first := s.turn.Add(1)
	for i := range s.rota.members {
		m := s.rota.members[(int(first)+i)%len(s.rota.members)]
		began := time.Now()
		one, cancel := context.WithTimeout(ctx, memberPatience)
		err = callJSON(one, s.client, "http://"+m+path, in, out)
		cancel()
		if s.told != nil {
			asked{At: began, Member: m, Served: err == nil}.tell(s.told)
		}
		if err == nil {
			return nil
		}
	}
	return err
}

// etcdLeads reports whether a member leads.
func etcdLeads(ctx context.Context, member string) (bool, error) {
	var status struct {
		Header struct {
			Member string `json:"member_id"`
		}
		Leader string
	}
	err := callJSON(ctx, http.DefaultClient, "http://"+member+"/v3/maintenance/status", struct{}{}, &status)
	return status.Leader != "" && status.Leader == status.Header.Member, err
}

// keys is the answer to a range request.
type keys struct {
	KVs []struct{ Key []byte } `json:"kvs"`
}

func (s *etcdStore) count(ctx context.Context, id string) (int, error) {
	var found keys
	err := s.ask(ctx, "/v3/kv/range", map[string]string{"key": etcdKey(id)}, &found)
	return len(found.KVs), err
}

// etcdIDs reads the ids of all writes.
func etcdIDs(ctx context.Context, members []string) (map[string]int, error) {
	var found keys
	in := map[string]any{"key": "AA==", "range_end": "AA==", "keys_only": true} // all keys
	var err error
	for _, m := range members {
		one, cancel := context.WithTimeout(ctx, 2*time.Second)
		err = callJSON(one, http.DefaultClient, "http://"+m+"/v3/kv/range", in, &found)
		cancel()
		if err == nil {
			break
		}
	}
	ids := map[string]int{}
	for _, kv := range found.KVs {
		ids[string(kv.Key)]++
	}
	return ids, err
}

// What a member says of itself, in the words of its metrics.
const (
	etcdLeading   = "leader 1"
	etcdFollowing = "leader 0"
)

// etcdRoles asks the members for their status, and not for their metrics, which brunt reads.
var etcdRoles = map[string]asker{"etcd": func(ctx context.Context, addr string) (string, error) {
	leads, err := etcdLeads(ctx, addr)
	switch {
	case err != nil:
		return "", err
	case leads:
		return etcdLeading, nil
	}
	return etcdFollowing, nil
}}
