// Orders is a system of two services that brunt starts and breaks: auth issues tokens to known
// clients, and api serves clients that have a token.
//
//	orders auth    POST /token, by the client credentials grant (RFC 6749, section 4.4)
//	orders api     GET /orders, with a token that has not expired
//
// Both know $KEY: auth signs tokens with it, and api checks them.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: orders auth|api")
	}
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	switch os.Args[1] {
	case "auth":
		life, err := time.ParseDuration(os.Getenv("LIFE"))
		if err != nil {
			log.Fatal(err)
		}
		http.HandleFunc("POST /token", token(os.Getenv("SECRET"), life))
	case "api":
		http.HandleFunc("GET /orders", orders)
	default:
		log.Fatalf("there is no service %q", os.Args[1])
	}
	log.Fatal(http.ListenAndServe(os.Getenv("BRUNT_ADDR"), nil))
}

// token issues a token to the only client.
func token(secret string, life time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		id, given, _ := r.BasicAuth()
		if id != "shop" || given != secret || r.FormValue("grant_type") != "client_credentials" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintln(w, `{"error": "invalid_client"}`)
			return
		}
		end := strconv.FormatInt(time.Now().Add(life).UnixMilli(), 10)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"access_token": end + "." + signed(end), "token_type": "Bearer", "expires_in": int(life.Seconds()),
		})
	}
}

// orders serves requests with a token that auth signed and that has not expired.
func orders(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	end, signature, _ := strings.Cut(token, ".")
	at, _ := strconv.ParseInt(end, 10, 64)
	if !hmac.Equal([]byte(signature), []byte(signed(end))) || time.Now().UnixMilli() > at {
		http.Error(w, "no token, or one that is over", http.StatusUnauthorized)
		return
	}
	fmt.Fprintln(w, `{"orders": [{"id": 1, "cents": 1999}]}`)
}

func signed(s string) string {
	h := hmac.New(sha256.New, []byte(os.Getenv("KEY")))
	h.Write([]byte(s))
	return hex.EncodeToString(h.Sum(nil))
}
