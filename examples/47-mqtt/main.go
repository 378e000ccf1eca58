// Command 47-mqtt is a collector: it takes the readings of devices from a broker of MQTT, keeps their ids in a log, and
// publishes each under stored/. It acknowledges a reading after that.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

func main() {
	broker := flag.String("broker", "", "host:port of the broker")
	session := flag.String("session", "on", "off: the broker keeps nothing for a collector that is away")
	stored := flag.String("log", "stored.log", "the log")
	flag.Parse()
	file, err := os.OpenFile(*stored, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.ListenAndServe(os.Getenv("BRUNT_ADDR"), nil)) }() // so that brunt sees that it runs

	out := mqtt.NewClient(options(*broker, "collector-out"))
	out.Connect().Wait()
	in := options(*broker, "collector").SetCleanSession(*session == "off").SetAutoAckDisabled(true)
	in.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
		var reading struct{ ID string }
		if err := json.Unmarshal(m.Payload(), &reading); err != nil {
			log.Fatal(err)
		}
		if _, err := fmt.Fprintln(file, reading.ID); err != nil {
			log.Fatal(err)
		}
		out.Publish("stored/"+m.Topic(), 1, false, m.Payload()).Wait()
		m.Ack()
	})
	in.SetOnConnectHandler(func(c mqtt.Client) { c.Subscribe("readings/#", 1, nil) })
	mqtt.NewClient(in).Connect().Wait()
	select {}
}

// options are those of a client that connects again, and sends again what was not acknowledged.
func options(broker, id string) *mqtt.ClientOptions {
	return mqtt.NewClientOptions().AddBroker("tcp://" + broker).SetClientID(id).SetCleanSession(false).
		SetConnectRetry(true).SetConnectRetryInterval(100 * time.Millisecond).
		SetMaxReconnectInterval(200 * time.Millisecond).SetConnectTimeout(time.Second)
}
