# How rawgate's targets are declared. Sources are found by name: a folder's stems say what they are.

# rawgate_library(<name> DEPS <target>...): every .cc of the current folder but mains, tests and fuzz targets, as static
# library <name>, with each <stem>_test.cc as a test.
function(rawgate_library name)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|_main)\\.cc$")
  if(sources)
    add_library(${name} STATIC ${sources})
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
    target_compile_options(${name} PRIVATE ${RAWGATE_WARNINGS})
    target_link_libraries(${name} PUBLIC ${ARG_DEPS})
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} INTERFACE ${ARG_DEPS})
  endif()
  rawgate_tests_of_folder(${name})
endfunction()

# rawgate_part(<name>): every .cc of the current folder but tests as further sources of library <name>, which is that of a folder
# above, with each <stem>_test.cc as a test.
function(rawgate_part name)
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz)\\.cc$")
  target_sources(${name} PRIVATE ${sources})
  rawgate_tests_of_folder(${name})
endfunction()

function(rawgate_tests_of_folder name)
  if(RAWGATE_TESTS)
    file(GLOB tests CONFIGURE_DEPENDS *_test.cc)
    foreach(test ${tests})
      cmake_path(GET test STEM stem)
      rawgate_test(${stem} SOURCES ${test} DEPS ${name})
    endforeach()
  endif()
endfunction()

# rawgate_test(<name> SOURCES <file>... DEPS <target>...): a GoogleTest program, one ctest entry for each of its cases.
function(rawgate_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES} ${RAWGATE_PROGRAM_SOURCES})
  target_compile_options(${name} PRIVATE ${RAWGATE_WARNINGS})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} rawgate_testing GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120)
endfunction()

# rawgate_fuzz(<stem> SOURCES <file>... [DEPS <target>...]): <stem>_fuzz.cc with the sources that it tests, compiled for
# it alone: the libraries that they belong to would bring all of gRPC along. With RAWGATE_FUZZ it is a program of
# libFuzzer, which script/fuzz runs; otherwise a test that runs it over tests/fuzz/corpus/<stem> and changed copies of it.
function(rawgate_fuzz stem)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  if(NOT RAWGATE_FUZZ AND NOT RAWGATE_TESTS)
    return()
  endif()
  set(name ${stem}_fuzz)
  add_executable(${name} ${name}.cc ${ARG_SOURCES} ${RAWGATE_PROGRAM_SOURCES})
  target_compile_options(${name} PRIVATE ${RAWGATE_WARNINGS})
  target_link_libraries(${name} PRIVATE rawgate_base ${ARG_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(RAWGATE_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/runtime/testing/fuzz_main.cc)
    add_test(NAME fuzz.${stem} COMMAND ${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${stem})
    set_tests_properties(fuzz.${stem} PROPERTIES LABELS fuzz TIMEOUT 300)
  endif()
endfunction()

# rawgate_program(<output name> SOURCES <file>... DEPS <target>...)
function(rawgate_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES} ${RAWGATE_PROGRAM_SOURCES})
  target_compile_options(${name} PRIVATE ${RAWGATE_WARNINGS})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
endfunction()

# rawgate_service(<x> [DEPS <target>...]): services/<x>/ as library rawgate_service_<x>, program rawgate-<x> and tests.
function(rawgate_service name)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  rawgate_library(rawgate_service_${name} DEPS rawgate_host rawgate_rpc rawgate_net rawgate_protos ${ARG_DEPS})
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${name}_main.cc)
    rawgate_program(rawgate-${name} SOURCES ${name}_main.cc DEPS rawgate_service_${name})
  endif()
endfunction()
