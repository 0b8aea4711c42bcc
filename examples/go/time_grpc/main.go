// Command time_grpc asks the time through the gateway, and measures how far our clock is from the
// service's.
//
// Usage: time_grpc [HOST:PORT]
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"

	timev1 "rawgate/time/v1"
)

const samples = 8

func main() {
	log.SetFlags(0)
	log.SetPrefix("time_grpc: ")
	gateway := "127.0.0.1:50051"
	if len(os.Args) > 1 {
		gateway = os.Args[1]
	}
	conn, err := grpc.Dial(gateway, grpc.WithInsecure())
	if err != nil {
		log.Fatal(err)
	}
	client := timev1.NewTimeServiceClient(conn)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	var formatted string
	var bestDelay, bestOffset time.Duration
	for i := 0; i < samples; i++ {
		// One exchange, measured as NTP does (RFC 5905 section 8).
		sent := time.Now()
		response, err := client.GetTime(ctx, &timev1.GetTimeRequest{Format: "%Y-%m-%d %H:%M:%S"})
		received := time.Now()
		if err != nil {
			log.Fatal(err)
		}
		from, until := response.ServerReceiveTime.AsTime(), response.ServerSendTime.AsTime()
		delay := received.Sub(sent) - until.Sub(from)
		// The one that was under way for the shortest time has the least room for error.
		if i == 0 || delay < bestDelay {
			bestDelay, bestOffset = delay, (from.Sub(sent)+until.Sub(received))/2
		}
		formatted = response.Formatted
	}
	fmt.Println("time:", formatted)
	const ms = float64(time.Millisecond)
	fmt.Printf("offset: %.3f ms, give or take %.3f ms\n", float64(bestOffset)/ms, float64(bestDelay)/ms/2)
}
