// Command time_raw asks the time over UDP: the datagram is a strftime format, the answer is the
// time in it.
//
// Usage: time_raw [HOST:PORT]
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"
)

const tries = 3

func ask(address, format string) (string, error) {
	conn, err := net.Dial("udp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	answer := make([]byte, 1024)
	for i := 0; i < tries; i++ {
		// UDP loses datagrams, theirs and ours, and tells nobody. Asking twice does no harm here, so
		// we ask again.
		if _, err := io.WriteString(conn, format); err != nil {
			return "", err
		}
		conn.SetReadDeadline(time.Now().Add(time.Second))
		size, err := conn.Read(answer)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return string(answer[:size]), err
		}
	}
	return "", fmt.Errorf("no answer to %d datagrams", tries)
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("time_raw: ")
	address := "127.0.0.1:9000"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	answer, err := ask(address, "%Y-%m-%d %H:%M:%S")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("time:", answer)
}
