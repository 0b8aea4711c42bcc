# Everything comes from the distribution's packages (script/bootstrap installs them); nothing is downloaded here.

find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(gRPC CONFIG REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
# json_types.hpp and friends: Boost.JSON is a compiled library, Asio and Intrusive are headers.
find_package(Boost 1.81 REQUIRED COMPONENTS json)
if(RAWGATE_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
# RE2 comes with gRPC, without a CMake package of its own; that of prometheus-cpp wants the libraries of its own server.
find_package(PkgConfig REQUIRED)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(PROMETHEUS REQUIRED IMPORTED_TARGET prometheus-cpp-core)
find_program(RAWGATE_PROTOC protoc REQUIRED)
find_program(RAWGATE_GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
