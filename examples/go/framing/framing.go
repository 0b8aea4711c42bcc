// Package framing says where a message ends, as exec and file do: its size, 4 bytes,
// little-endian, stands in front of it.
package framing

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// ReadSized returns a message of at most sizeMax bytes. TCP is a stream without borders: one Read
// may return a part of what was sent, even of the 4 bytes. io.ReadFull, which binary.Read uses as
// well, reads until all is there, or says that the stream has ended too early.
func ReadSized(r io.Reader, sizeMax int32) ([]byte, error) {
	var size int32
	if err := binary.Read(r, binary.LittleEndian, &size); err != nil {
		return nil, err
	}
	// What a stranger says about sizes is checked before it is believed.
	if size < 0 || size > sizeMax {
		return nil, fmt.Errorf("a message of %d bytes is not what we expect", size)
	}
	message := make([]byte, size)
	_, err := io.ReadFull(r, message)
	return message, err
}

// ReadJSON reads a message that is one object.
func ReadJSON(r io.Reader, object any) error {
	text, err := ReadSized(r, 1<<20)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, object)
}

// WriteJSON writes fields as one object behind its size.
func WriteJSON(w io.Writer, fields map[string]any) error {
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	message := binary.LittleEndian.AppendUint32(nil, uint32(len(text)))
	_, err = w.Write(append(message, text...))
	return err
}
