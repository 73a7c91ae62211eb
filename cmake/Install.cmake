# SPDX-FileCopyrightText: 2026 The patchlab authors
# SPDX-License-Identifier: Apache-2.0
#
# What `cmake --install` puts where, and the Debian package of it (packaging/build-deb). The program finds what belongs to it from
# where it lies (cli/share.hpp), so that a prefix may be moved as a whole.
include(GNUInstallDirs)
set(share ${CMAKE_INSTALL_DATADIR}/patchlab)
set(examples ${CMAKE_INSTALL_DOCDIR}/examples)
set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

# What the program says of its own options.
set(made ${PROJECT_BINARY_DIR}/made-by-patchlab)
file(MAKE_DIRECTORY ${made})
add_custom_command(OUTPUT ${made}/patchlab.1.gz ${made}/patchlab ${made}/_patchlab ${made}/patchlab.fish
  COMMAND patchlab manual > patchlab.1
  COMMAND gzip -9 -n -f patchlab.1
  COMMAND patchlab completion bash > patchlab
  COMMAND patchlab completion zsh > _patchlab
  COMMAND patchlab completion fish > patchlab.fish
  WORKING_DIRECTORY ${made} DEPENDS patchlab VERBATIM COMMENT "Asking patchlab for its manual and completions")
add_custom_target(made_by_patchlab ALL DEPENDS ${made}/patchlab.1.gz)

install(TARGETS patchlab)
install(TARGETS patchlab-check-worker DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/patchlab)
install(FILES ${made}/patchlab.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${made}/patchlab DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES ${made}/_patchlab DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${made}/patchlab.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

get_directory_property(schemas DIRECTORY cli DEFINITION PATCHLAB_SCHEMA_FILES)
install(FILES ${schemas} DESTINATION ${share}/schemas)
# Recipes hold scripts, so their modes count; whatever the checkout's umask was, everybody may read them.
install(DIRECTORY scenarios DESTINATION ${share} USE_SOURCE_PERMISSIONS PATTERN made EXCLUDE)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} USE_SOURCE_PERMISSIONS)
foreach(folder ${CMAKE_INSTALL_DATADIR}/patchlab/scenarios ${CMAKE_INSTALL_DOCDIR}/docs)
  install(CODE "execute_process(COMMAND chmod -R u=rwX,go=rX \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${folder}\" COMMAND_ERROR_IS_FATAL ANY)")
endforeach()
install(FILES README.md ARCHITECTURE.md CONTRIBUTING.md SECURITY.md packaging/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES packaging/slurm/slurm.conf.example DESTINATION ${examples})
install(PROGRAMS packaging/slurm/patchlab-node-health DESTINATION ${examples})

# The Debian package has Debian's copy of the licence, and its changelogs as the policy wants them.
install(FILES LICENSE CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT elsewhere)
set(PATCHLAB_MAINTAINER "The patchlab authors <patchlab@xavier.example>" CACHE STRING "who answers for the Debian package")
set(PATCHLAB_RELEASE 1 CACHE STRING "revision of the Debian package")
string(TIMESTAMP PATCHLAB_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)  # or SOURCE_DATE_EPOCH
configure_file(packaging/changelog.in ${made}/changelog.Debian @ONLY)
add_custom_command(OUTPUT ${made}/changelog.gz ${made}/changelog.Debian.gz
  COMMAND gzip -9 -n -c ${PROJECT_SOURCE_DIR}/CHANGELOG.md > changelog.gz
  COMMAND gzip -9 -n -c changelog.Debian > changelog.Debian.gz
  WORKING_DIRECTORY ${made} DEPENDS CHANGELOG.md ${made}/changelog.Debian VERBATIM)
add_custom_target(debian_changelogs ALL DEPENDS ${made}/changelog.gz)
install(FILES ${made}/changelog.gz ${made}/changelog.Debian.gz DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES packaging/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME patchlab COMPONENT debian EXCLUDE_FROM_ALL)

# Which packages a lab needs is said in one place.
function(patchlab_packages list variable)
  execute_process(COMMAND bash -c ". tools/dependencies.sh && IFS=, && echo \"\${${list}[*]}\"" WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
                  OUTPUT_VARIABLE packages OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "," ", " packages "${packages}")
  set(${variable} "${packages}" PARENT_SCOPE)
endfunction()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/dependencies.sh)
patchlab_packages(lab_packages CPACK_DEBIAN_PACKAGE_DEPENDS)
patchlab_packages(some_labs_packages CPACK_DEBIAN_PACKAGE_RECOMMENDS)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME patchlab)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "test lab and gate for server patches")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Clones an organisation's servers into a fenced lab, applies candidate
patches to the clones, checks each server as its clients see it, finds the
patch or the pair of patches that breaks something, and publishes exactly
the patches that passed.
.
Golden machines are images that it builds itself, or domains of a libvirt.
Every result, and who decided what, is kept in a ledger that can be proven
later.")
set(CPACK_PACKAGE_VENDOR "The patchlab authors")
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${PATCHLAB_MAINTAINER}")
set(CPACK_DEBIAN_PACKAGE_RELEASE ${PATCHLAB_RELEASE})
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS ${CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS})
set(CPACK_INSTALL_CMAKE_PROJECTS "${PROJECT_BINARY_DIR};patchlab;Unspecified;/" "${PROJECT_BINARY_DIR};patchlab;debian;/")
include(CPack)
