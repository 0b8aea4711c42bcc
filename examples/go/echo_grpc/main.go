// Command echo_grpc uses echo through the gateway: one call, then a conversation on one stream.
//
// Usage: echo_grpc [HOST:PORT]
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"

	echov1 "rawgate/echo/v1"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("echo_grpc: ")
	gateway := "127.0.0.1:50051"
	if len(os.Args) > 1 {
		gateway = os.Args[1]
	}
	// Without TLS, which is for this machine only. Nothing is connected before the first call.
	conn, err := grpc.Dial(gateway, grpc.WithInsecure())
	if err != nil {
		log.Fatal(err)
	}
	echo := echov1.NewEchoServiceClient(conn)
	// A call without a deadline may wait for ever.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	response, err := echo.Echo(ctx, &echov1.EchoRequest{Payload: []byte("hello")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("echo: %s\n", response.Payload)

	conversation, err := echo.Converse(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, word := range []string{"one", "two", "three"} {
		// An error of Send says only that the stream is over; Recv says why.
		conversation.Send(&echov1.ConverseRequest{Payload: []byte(word)})
	}
	conversation.CloseSend() // our side of the stream; the answers still come
	for {
		response, err := conversation.Recv()
		if err == io.EOF {
			break
		} else if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("converse: %s\n", response.Payload)
	}
}
