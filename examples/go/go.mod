module rawgate

go 1.19

require (
	google.golang.org/grpc v1.59.0
	google.golang.org/protobuf v1.31.0
)
