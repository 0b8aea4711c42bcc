# What `cmake --install` brings: under any prefix programs, systemd's units, the contract for clients, documents; in /etc settings.
# deploy/debian makes its packages of the same.

include(GNUInstallDirs)
set(RAWGATE_LIBEXECDIR ${CMAKE_INSTALL_LIBEXECDIR}/rawgate)

install(TARGETS rawgate rawgate-echo rawgate-time rawgate-file rawgate-chat rawgate-gateway DESTINATION ${CMAKE_INSTALL_BINDIR})
# rawgate-exec looks for its launcher beside itself. That is no command, so all three are out of PATH, with a link to the one that is.
install(TARGETS rawgate-exec rawgate-exec-launcher rawgate-exec-inner DESTINATION ${RAWGATE_LIBEXECDIR})
file(RELATIVE_PATH exec_link /${CMAKE_INSTALL_BINDIR} /${RAWGATE_LIBEXECDIR}/rawgate-exec)
install(CODE "file(CREATE_LINK \"${exec_link}\" \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/rawgate-exec\" SYMBOLIC)")

# Units name their program by its whole path, which the prefix is part of. systemd looks below /usr/local/lib as well, whatever a
# distribution calls its folder of libraries.
set(units lib/systemd/system)
install(DIRECTORY deploy/systemd/system/ DESTINATION ${units})
install(CODE "
  file(GLOB services \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${units}/rawgate-*.service\")
  foreach(service \${services})
    file(READ \${service} text)
    string(REPLACE \"ExecStart=/usr/bin/\" \"ExecStart=\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}/\" text \"\${text}\")
    file(WRITE \${service} \"\${text}\")
  endforeach()")
install(FILES deploy/systemd/sysusers.d/rawgate.conf DESTINATION lib/sysusers.d)
# Settings are where the units look for them, whatever the prefix: systemd knows one /etc. Without DESTDIR that takes root. Once
# they are there they are an administrator's, and a policy that permits less than ours is not replaced by it.
install(CODE "
  foreach(setting default/rawgate rawgate/exec-policy.textproto)
    set(target \"\$ENV{DESTDIR}/etc/\${setting}\")
    if(EXISTS \${target})
      message(STATUS \"Left as it is: \${target}\")
    else()
      cmake_path(GET setting PARENT_PATH folder)
      file(INSTALL DESTINATION /etc/\${folder} TYPE FILE FILES \"${CMAKE_SOURCE_DIR}/deploy/systemd/etc/\${setting}\")
    endif()
  endforeach()")

# Manual pages and completions, as the client itself has them. zsh looks below /usr where distributions put theirs.
install(CODE "
  set(client \"$<TARGET_FILE:rawgate>\")
  set(share \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}\")
  set(zsh site-functions)
  if(CMAKE_INSTALL_PREFIX STREQUAL /usr)
    set(zsh vendor-completions)
  endif()
  set(pages \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_MANDIR}/man1\")
  file(MAKE_DIRECTORY \${pages} \${share}/bash-completion/completions \${share}/zsh/\${zsh} \${share}/fish/vendor_completions.d)
  execute_process(COMMAND \${client} man --output \${pages} COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND \${client} completion bash OUTPUT_FILE \${share}/bash-completion/completions/rawgate COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND \${client} completion zsh OUTPUT_FILE \${share}/zsh/\${zsh}/_rawgate COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND \${client} completion fish OUTPUT_FILE \${share}/fish/vendor_completions.d/rawgate.fish COMMAND_ERROR_IS_FATAL ANY)")

install(DIRECTORY protos DESTINATION ${CMAKE_INSTALL_DATADIR}/rawgate FILES_MATCHING PATTERN "*.proto")
install(DIRECTORY deploy/prometheus deploy/grafana DESTINATION ${CMAKE_INSTALL_DATADIR}/rawgate)

# In the folders that they link to each other by.
install(FILES README.md README.zh-CN.md ARCHITECTURE.md CHANGELOG.md SECURITY.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
foreach(service echo exec time file chat)
  install(FILES services/${service}/PROTOCOL.md DESTINATION ${CMAKE_INSTALL_DOCDIR}/services/${service})
endforeach()
