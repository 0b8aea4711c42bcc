// Command exec_grpc runs a shell command through the gateway: output as it comes, and the command's
// exit code as our own.
//
// Usage: exec_grpc [COMMAND [HOST:PORT]]
package main

import (
	"context"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"

	execv1 "rawgate/exec/v1"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("exec_grpc: ")
	arguments := []string{"uname -sr", "127.0.0.1:50051"}
	copy(arguments, os.Args[1:])
	conn, err := grpc.Dial(arguments[1], grpc.WithInsecure())
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	request := &execv1.RunRequest{Command: &execv1.RunRequest_ShellCommand{ShellCommand: arguments[0]}}
	// Should we end early, so does the call, and with it the command.
	responses, err := execv1.NewExecServiceClient(conn).Run(ctx, request)
	if err != nil {
		log.Fatal(err)
	}
	for {
		response, err := responses.Recv()
		if err != nil {
			// io.EOF, too: the end without an outcome is no success.
			log.Fatal(err)
		}
		switch event := response.Event.(type) {
		case *execv1.RunResponse_Started:
			log.Print("started: ", event.Started.JobId)
		case *execv1.RunResponse_Output:
			if event.Output.Stream == execv1.OutputStream_OUTPUT_STREAM_STDERR {
				os.Stderr.Write(event.Output.Data)
			} else {
				os.Stdout.Write(event.Output.Data)
			}
		case *execv1.RunResponse_Outcome:
			exited := event.Outcome.GetExited()
			if exited == nil {
				log.Fatal("no exit code: ", event.Outcome)
			}
			os.Exit(int(exited.Code))
		}
	}
}
