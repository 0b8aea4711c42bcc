# Installs the packages of tests/node into the build folder, unless that has been done for this very lock file.
# Expects NPM, FROM (tests/node) and TO.

file(SHA256 ${FROM}/package-lock.json wanted)
set(stamp ${TO}/installed)
if(EXISTS ${stamp})
  file(READ ${stamp} present)
  if(present STREQUAL wanted)
    return()
  endif()
endif()

file(COPY ${FROM}/package.json ${FROM}/package-lock.json DESTINATION ${TO})
execute_process(COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund WORKING_DIRECTORY ${TO} COMMAND_ERROR_IS_FATAL ANY)
file(WRITE ${stamp} ${wanted})
