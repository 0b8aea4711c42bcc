// Command chat_raw writes to the desk over UDP and prints the first answer, which a person may take a
// minute to write.
//
// Usage: chat_raw [TEXT [HOST:PORT]]
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("chat_raw: ")
	arguments := []string{"is anybody there? 你好", "127.0.0.1:8081"}
	copy(arguments, os.Args[1:])
	// Our address and port are our session: the answer comes to this socket, so it stays open.
	conn, err := net.Dial("udp", arguments[1])
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.WriteString(conn, arguments[0]); err != nil {
		log.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(time.Minute))
	answer := make([]byte, 4096)
	size, err := conn.Read(answer)
	if err != nil {
		log.Fatal(err)
	}
	// Quoted: bytes from the network are not let loose on the terminal.
	fmt.Printf("answer: %q\n", answer[:size])
}
