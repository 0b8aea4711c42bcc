// Command control_grpc lists the services, then follows what happens in them: connections, requests,
// every read with its size. Until Ctrl-C.
//
// Usage: control_grpc [HOST:PORT]
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"google.golang.org/grpc"

	controlv1 "rawgate/control/v1"
)

func describe(event *controlv1.Event) string {
	switch kind := event.Kind.(type) {
	case *controlv1.Event_ChunkReceived:
		// What one recv() of the service returned: send "hello" and "world", and see one chunk or two.
		return fmt.Sprintf("chunk of %d bytes: %q", kind.ChunkReceived.Size, kind.ChunkReceived.Sample)
	case *controlv1.Event_RequestServed:
		return "served " + kind.RequestServed.Summary + " " + kind.RequestServed.ErrorCode
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", event.Kind), "*controlv1.Event_")
}

func main() {
	log.SetFlags(0)
	gateway := "127.0.0.1:50051"
	if len(os.Args) > 1 {
		gateway = os.Args[1]
	}
	conn, err := grpc.Dial(gateway, grpc.WithInsecure())
	if err != nil {
		log.Fatal("control_grpc: ", err)
	}
	control, ctx := controlv1.NewControlServiceClient(conn), context.Background()
	list, err := control.ListServices(ctx, &controlv1.ListServicesRequest{})
	for _, service := range list.GetServices() {
		fmt.Println(service.Name, service.State)
		for _, listener := range service.Listeners {
			fmt.Println("  ", listener.Name, listener.BoundAddress)
		}
	}
	// No deadline: this call is meant to last. Where the first one failed, so does this.
	watch, err := control.WatchEvents(ctx, &controlv1.WatchEventsRequest{IncludeChunks: true, SampleBytes: 32})
	for err == nil {
		var batch *controlv1.WatchEventsResponse
		if batch, err = watch.Recv(); len(batch.GetPositions()) > 0 {
			fmt.Println("watching") // told first: what happens from now on is not missed
		}
		for _, event := range batch.GetEvents() {
			fmt.Printf("%s/%s #%d: %s\n", event.Service, event.Listener, event.ConnectionId, describe(event))
		}
	}
	log.Fatal("control_grpc: ", err)
}
