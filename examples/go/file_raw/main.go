// Command file_raw uploads a file over a plain socket, downloads it again, and compares the digests.
//
// Usage: file_raw [FILE [NAME [HOST:PORT]]]
package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path"
	"time"

	"rawgate/framing"
)

func check(err error) {
	if err != nil {
		log.Fatal("file_raw: ", err)
	}
}

// ask sends a header and what follows it, and returns the size of what follows the reply's.
func ask(conn net.Conn, fields map[string]any, data []byte) int64 {
	check(framing.WriteJSON(conn, fields))
	conn.Write(data) // should this fail, the reply says why
	var reply struct {
		Status, Reason, Message string
		Filesize                int64
	}
	check(framing.ReadJSON(conn, &reply))
	if reply.Status != "ok" {
		log.Fatalf("file_raw: %q: %q", reply.Reason, reply.Message) // quoted: terminals obey what comes
	}
	return reply.Filesize
}

func main() {
	log.SetFlags(0)
	arguments := []string{os.Args[0], "", "127.0.0.1:8090"}
	if copy(arguments, os.Args[1:]) < 2 {
		arguments[1] = path.Base(arguments[0])
	}
	data, err := os.ReadFile(arguments[0])
	check(err)
	conn, err := net.DialTimeout("tcp", arguments[2], 10*time.Second)
	check(err)
	conn.SetDeadline(time.Now().Add(10 * time.Minute))
	digest, name := fmt.Sprintf("%x", sha256.Sum256(data)), arguments[1]
	ask(conn, map[string]any{"filename": name, "filesize": len(data), "sha256": digest}, data)
	fmt.Println("stored:", name, digest)
	received := sha256.New()
	_, err = io.CopyN(received, conn, ask(conn, map[string]any{"op": "download", "filename": name}, nil))
	if check(err); fmt.Sprintf("%x", received.Sum(nil)) != digest {
		log.Fatal("file_raw: other bytes came back")
	}
	fmt.Println("downloaded: the same bytes")
}
