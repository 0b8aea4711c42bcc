// Command exec_raw runs a shell command over plain sockets, twice: once with its output behind a
// size, once behind a JSON header.
//
// Usage: exec_raw [COMMAND [SIZED_HOST:PORT [HEADER_HOST:PORT]]]
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"time"

	"rawgate/framing"
)

const outputMax = 64 << 20 // the service's own limit

func send(address, command string) net.Conn {
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		log.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(60 * time.Second))
	// The newline ends the command: however the network cuts or merges the bytes, the service knows
	// where. Should this fail, so does the read of the answer.
	io.WriteString(conn, command+"\n")
	return conn
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("exec_raw: ")
	arguments := []string{"uname -sr", "127.0.0.1:8083", "127.0.0.1:8084"}
	copy(arguments, os.Args[1:])

	body, err := framing.ReadSized(send(arguments[1], arguments[0]), outputMax)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("sized: %d bytes\n", len(body))

	conn := send(arguments[2], arguments[0])
	var header struct {
		Stdout   int64 `json:"stdout_size"`
		Stderr   int64 `json:"stderr_size"`
		ExitCode *int  `json:"exit_code"` // absent after a signal, a time limit, a failed start
	}
	if err := framing.ReadJSON(conn, &header); err != nil {
		log.Fatal(err)
	}
	io.CopyN(os.Stdout, conn, header.Stdout) // standard output comes first,
	if _, err := io.CopyN(os.Stderr, conn, header.Stderr); err != nil || header.ExitCode == nil {
		log.Fatal("no exit code, or not all of the output: ", err)
	}
	fmt.Println("exit code:", *header.ExitCode)
	os.Exit(*header.ExitCode)
}
