// Rooms is a WebSocket server that brunt starts and breaks. It greets each client, and repeats each message.
package main

import (
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

func main() {
	delay, _ := time.ParseDuration(os.Getenv("DELAY"))
	var upgrader websocket.Upgrader
	http.HandleFunc("/rooms/", func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		answer := `{"type": "welcome"}`
		for {
			if err := c.WriteMessage(websocket.TextMessage, []byte(answer)); err != nil {
				return
			}
			_, said, err := c.ReadMessage()
			if err != nil {
				return
			}
			time.Sleep(delay) // simulates a slow build of the server
			answer = strings.Replace(string(said), `"id"`, `"re"`, 1)
		}
	})
	http.HandleFunc("/ready", func(http.ResponseWriter, *http.Request) {})
	log.Fatal(http.ListenAndServe(os.Getenv("BRUNT_ADDR"), nil))
}
