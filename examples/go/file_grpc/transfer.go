package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log"

	filev1 "rawgate/file/v1"
)

const chunk = 1 << 20

func upload(ctx context.Context, files filev1.FileServiceClient, name, digest string, data []byte) {
	// An id that follows from name and content: whoever repeats the command means the same upload.
	id := fmt.Sprintf("%x", sha256.Sum256([]byte(name+" "+digest)))
	begun, err := files.CreateUpload(ctx, &filev1.CreateUploadRequest{
		UploadId: id, Filename: name, Size: uint64(len(data)), Expected: &filev1.Digests{Sha256: digest}})
	check(err)
	if begun.Stored != nil { // that very content is there already
		return
	}
	offset := begun.Upload.CommittedSize
	if offset > 0 {
		fmt.Println("resumed at:", offset)
	}
	for offset < uint64(len(data)) {
		piece := data[offset:]
		if len(piece) > chunk {
			piece = piece[:chunk]
		}
		written, err := files.WriteChunk(ctx, &filev1.WriteChunkRequest{UploadId: id, Offset: offset, Data: piece})
		check(err)
		offset = written.CommittedSize
		log.Printf("%d of %d bytes", offset, len(data))
	}
	_, err = files.CompleteUpload(ctx, &filev1.CompleteUploadRequest{UploadId: id})
	check(err)
}

func download(ctx context.Context, files filev1.FileServiceClient, name string) string {
	parts, err := files.Download(ctx, &filev1.DownloadRequest{Filename: name})
	check(err)
	hash := sha256.New()
	for {
		part, err := parts.Recv()
		if err == io.EOF {
			return fmt.Sprintf("%x", hash.Sum(nil))
		}
		check(err)
		hash.Write(part.GetData()) // nothing in the header, which comes first, and in the trailer
	}
}
