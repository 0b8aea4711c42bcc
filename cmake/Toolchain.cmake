# Compiler settings shared by every target of ours (not by generated code: see Rawgate.cmake).

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
# The cost model lets loops over bytes be vectorised at -O2.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -fvect-cost-model=dynamic -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")

find_program(RAWGATE_CCACHE ccache)
if(RAWGATE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${RAWGATE_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${RAWGATE_CCACHE})
endif()

set(RAWGATE_WARNINGS -Wall -Wextra -Wconversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual)
if(RAWGATE_WERROR)
  list(APPEND RAWGATE_WARNINGS -Werror)
endif()

if(RAWGATE_SANITIZE)
  add_compile_options(-fsanitize=${RAWGATE_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${RAWGATE_SANITIZE})
  # That check opens a pipe to see whether memory can be read, and without descriptors calls every object a broken one;
  # there are tests that take all descriptors away.
  add_compile_options(-fno-sanitize=vptr)
endif()

# Compiled into every program and test.
set(RAWGATE_PROGRAM_SOURCES)
if(RAWGATE_SANITIZE MATCHES "thread")
  list(APPEND RAWGATE_PROGRAM_SOURCES ${CMAKE_CURRENT_LIST_DIR}/tsan_annotations.cc)
  # Asio has fences that ThreadSanitizer does not model, around data that it also guards by locks.
  list(APPEND RAWGATE_WARNINGS -Wno-tsan)
endif()
