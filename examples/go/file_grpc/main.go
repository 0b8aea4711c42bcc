// Command file_grpc uploads a file through the gateway so that it can be resumed: broken off, the
// same command goes on where it was. Then it downloads the file and compares.
//
// Usage: file_grpc [FILE [NAME [HOST:PORT]]]
package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log"
	"os"
	"path"
	"time"

	"google.golang.org/grpc"

	filev1 "rawgate/file/v1"
)

func check(err error) {
	if err != nil {
		log.Fatal("file_grpc: ", err)
	}
}

func main() {
	log.SetFlags(0)
	arguments := []string{os.Args[0], "", "127.0.0.1:50051"}
	if copy(arguments, os.Args[1:]) < 2 {
		arguments[1] = path.Base(arguments[0])
	}
	data, err := os.ReadFile(arguments[0])
	check(err)
	conn, err := grpc.Dial(arguments[2], grpc.WithInsecure())
	check(err)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	files := filev1.NewFileServiceClient(conn)
	digest := fmt.Sprintf("%x", sha256.Sum256(data))
	upload(ctx, files, arguments[1], digest, data)
	fmt.Println("stored:", arguments[1], digest)
	if download(ctx, files, arguments[1]) != digest {
		log.Fatal("file_grpc: other bytes came back")
	}
	fmt.Println("downloaded: the same bytes")
}
