// The peer of gRPC that .ci/bench has: the health service of grpc-go, and bare stubs of grpc-go that call it on one
// connection, with as many calls under way as it is told; and that of WebSocket, a server that answers each message
// with itself and a bare loop of gobwas. Bare loops of other libraries are in loops.go; CERT and KEY name files.
//
//	stubs serve 127.0.0.1:50051
//	stubs call 127.0.0.1:50051 50 10s
//	stubs serve-echo 127.0.0.1:8092
//	stubs call-echo 127.0.0.1:8092 50 10s
//	stubs serve-h3 127.0.0.1:8095, and serve-kafka, serve-smtp
//	stubs plugin
//	stubs loop kafka 127.0.0.1:8096 50 10s
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
)

func main() {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "serve":
		l, err := net.Listen("tcp", os.Args[2])
		if err != nil {
			log.Fatal(err)
		}
		s := grpc.NewServer()
		healthpb.RegisterHealthServer(s, health.NewServer())
		reflection.Register(s)
		log.Fatal(s.Serve(l))
	case len(os.Args) == 3 && os.Args[1] == "serve-h3":
		log.Fatal(serveH3(os.Args[2]))
	case len(os.Args) == 3 && os.Args[1] == "serve-kafka":
		log.Fatal(serveKafka(os.Args[2]))
	case len(os.Args) == 3 && os.Args[1] == "serve-smtp":
		log.Fatal(serveSMTP(os.Args[2]))
	case len(os.Args) == 2 && os.Args[1] == "plugin":
		plugin()
	case len(os.Args) == 6 && os.Args[1] == "loop":
		n, err := strconv.Atoi(os.Args[4])
		if err != nil {
			log.Fatal(err)
		}
		length, err := time.ParseDuration(os.Args[5])
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("calls", loop(os.Args[2], os.Args[3], n, length))
	case len(os.Args) == 3 && os.Args[1] == "serve-echo":
		log.Fatal(serveEcho(os.Args[2]))
	case len(os.Args) == 5 && (os.Args[1] == "call" || os.Args[1] == "call-echo"):
		n, err := strconv.Atoi(os.Args[3])
		if err != nil {
			log.Fatal(err)
		}
		length, err := time.ParseDuration(os.Args[4])
		if err != nil {
			log.Fatal(err)
		}
		if os.Args[1] == "call-echo" {
			fmt.Println("calls", callEcho(os.Args[2], n, length))
			return
		}
		c, err := grpc.NewClient(os.Args[2], grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("calls", call(healthpb.NewHealthClient(c), n, length))
	default:
		log.Fatal("usage: stubs serve ADDR, stubs call ADDR CALLS DURATION, or serve-echo and call-echo for WebSocket")
	}
}

// call makes calls for a time, n at once, and returns how many.
func call(stub healthpb.HealthClient, n int, length time.Duration) int64 {
	var made atomic.Int64
	var all sync.WaitGroup
	end := time.Now().Add(length)
	for range n {
		all.Go(func() {
			in := new(healthpb.HealthCheckRequest)
			for time.Now().Before(end) {
				if _, err := stub.Check(context.Background(), in); err != nil {
					log.Fatal(err)
				}
				made.Add(1)
			}
		})
	}
	all.Wait()
	return made.Load()
}
