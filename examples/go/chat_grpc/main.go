// Command chat_grpc is an operator who answers everybody once: "hello". Until Ctrl-C.
//
// Usage: chat_grpc [HOST:PORT]
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"

	chatv1 "rawgate/chat/v1"
)

func answer(chat chatv1.ChatServiceClient, session string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := chat.SendMessage(ctx, &chatv1.SendMessageRequest{
		Target: &chatv1.SendMessageRequest_SessionId{SessionId: session},
		Body:   []byte("hello"),
		// Repeated it sends nothing: that is how everybody gets one answer, also from an operator who
		// comes back.
		RequestId: "hello " + session,
	})
	return err
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("chat_grpc: ")
	gateway := "127.0.0.1:50051"
	if len(os.Args) > 1 {
		gateway = os.Args[1]
	}
	conn, err := grpc.Dial(gateway, grpc.WithInsecure())
	if err != nil {
		log.Fatal(err)
	}
	chat := chatv1.NewChatServiceClient(conn)
	watch, err := chat.WatchMessages(context.Background(), &chatv1.WatchMessagesRequest{})
	for err == nil {
		var response *chatv1.WatchMessagesResponse
		// What is kept comes first, then what is written while we watch.
		response, err = watch.Recv()
		message := response.GetMessage() // of what is no message, nil, whose fields are empty
		if response.GetCaughtUp() {
			fmt.Println("waiting")
		} else if message.GetDirection() == chatv1.Direction_DIRECTION_INBOUND {
			fmt.Printf("%s: %q\n", message.SessionId, message.Body) // quoted: it may hold escape sequences
			err = answer(chat, message.SessionId)
		}
	}
	log.Fatal(err)
}
