// Command echo_raw uses echo over plain sockets: upper case over TCP, a greeting over UDP.
//
// Usage: echo_raw [HOST:PORT]
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"
)

// send connects, and sends a message. What comes is awaited for 10 s.
func send(network, address, message string) (net.Conn, error) {
	conn, err := net.DialTimeout(network, address, 10*time.Second)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, err = io.WriteString(conn, message)
	return conn, err
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("echo_raw: ")
	address := "127.0.0.1:8080"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}

	stream, err := send("tcp", address, "hello")
	if err != nil {
		log.Fatal(err)
	}
	// "I send no more": the service answers all that it has, then ends the stream as well. Without
	// this both sides would wait for each other.
	stream.(*net.TCPConn).CloseWrite()
	// One Read returns what has come so far, maybe less than was sent; ReadAll goes on to the end.
	answer, err := io.ReadAll(stream)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("tcp: %s\n", answer)

	datagrams, err := send("udp", address, "hello")
	if err != nil {
		log.Fatal(err)
	}
	answer = make([]byte, 65535)
	size, err := datagrams.Read(answer) // a datagram is whole, or it does not come at all
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("udp: %s\n", answer[:size])
}
