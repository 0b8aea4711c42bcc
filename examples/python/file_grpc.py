#!/usr/bin/env python3
"""Uploads a file through the gateway so that it can be resumed, and downloads it. Broken off, the same command goes on."""

import argparse
import hashlib
import os
import sys

import grpc
from rawgate.file.v1 import file_service_pb2, file_service_pb2_grpc, upload_pb2

CHUNK = 1 << 20


def upload(stub, file, name, digest):
    size = file.seek(0, os.SEEK_END)
    # An id that follows from name and content: whoever repeats the command means the same upload.
    upload_id = hashlib.sha256(f"{name} {digest}".encode()).hexdigest()
    request = upload_pb2.CreateUploadRequest(upload_id=upload_id, filename=name, size=size)
    request.expected.sha256 = digest
    response = stub.CreateUpload(request, timeout=10)
    if response.HasField("stored"):
        return response.stored  # that very content is there already
    offset = response.upload.committed_size
    if offset > 0:
        print("resumed at:", offset)
    while offset < size:
        file.seek(offset)
        chunk = upload_pb2.WriteChunkRequest(upload_id=upload_id, offset=offset, data=file.read(CHUNK))
        offset = stub.WriteChunk(chunk, timeout=60).committed_size
        print(f"{offset} of {size} bytes", file=sys.stderr)
    return stub.CompleteUpload(upload_pb2.CompleteUploadRequest(upload_id=upload_id), timeout=60).file


def download(stub, name):
    digest = hashlib.sha256()
    for response in stub.Download(file_service_pb2.DownloadRequest(filename=name), timeout=600):
        digest.update(response.data)  # empty in the header, which comes first, and in the trailer
    return digest.hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", default=__file__)
    parser.add_argument("name", nargs="?", help="what the service is to call it")
    parser.add_argument("gateway", nargs="?", default="127.0.0.1:50051")
    options = parser.parse_args()
    name = options.name or os.path.basename(options.file)
    with grpc.insecure_channel(options.gateway) as channel, open(options.file, "rb") as file:
        stub = file_service_pb2_grpc.FileServiceStub(channel)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        print("stored:", upload(stub, file, name, digest).filename, digest)
        print("downloaded:", "the same bytes" if download(stub, name) == digest else sys.exit("file_grpc: other bytes"))


if __name__ == "__main__":
    try:
        main()
    except grpc.RpcError as error:
        sys.exit(f"file_grpc: {error.code().name}: {error.details()}")
