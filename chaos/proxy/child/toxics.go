package child

import (
	"encoding/json"
	"fmt"
	"reflect"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
)

// all lists every toxic. The process can only receive toxics of these types.
func all() []proxy.Toxic {
	return []proxy.Toxic{
		toxics.AMQPNack{},
		toxics.Bandwidth{},
		toxics.Blackhole{},
		toxics.Datagrams{},
		toxics.GRPCDelay{},
		toxics.GRPCError{},
		toxics.HTTPDelay{},
		toxics.HTTPError{},
		toxics.HTTPRewrite{},
		toxics.KafkaError{},
		toxics.Latency{},
		toxics.Limit{},
		toxics.MongoError{},
		toxics.Partition{},
		toxics.QueryDelay{},
		toxics.RedisError{},
		toxics.Reset{},
		toxics.SQLError{},
		toxics.Slicer{},
		toxics.SlowClose{},
		toxics.Stall{},
	}
}

// A wireToxic is the encoded form of a toxic for the process.
type wireToxic struct {
	Kind     string          `json:"kind"`
	Settings json.RawMessage `json:"settings"`
}

func encode(t proxy.Toxic) (wireToxic, error) {
	of := reflect.TypeOf(t)
	for _, known := range all() {
		if reflect.TypeOf(known) == of {
			b, err := json.Marshal(t)
			return wireToxic{Kind: of.Name(), Settings: b}, err
		}
	}
	return wireToxic{}, fmt.Errorf("the process of the proxies knows no %T", t)
}

func (w wireToxic) decode() (proxy.Toxic, error) {
	for _, known := range all() {
		of := reflect.TypeOf(known)
		if of.Name() != w.Kind {
			continue
		}
		into := reflect.New(of)
		if err := json.Unmarshal(w.Settings, into.Interface()); err != nil {
			return nil, err
		}
		return into.Elem().Interface().(proxy.Toxic), nil
	}
	return nil, fmt.Errorf("no toxic %q is known", w.Kind)
}
