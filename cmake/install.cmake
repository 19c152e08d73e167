install(FILES include/inarch.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS inarch RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS inarch_shared inarch_static EXPORT inarchTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT inarchTargets NAMESPACE inarch:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/inarch)

include(CMakePackageConfigHelpers)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/inarchConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES cmake/inarchConfig.cmake ${PROJECT_BINARY_DIR}/inarchConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/inarch)

# The .pc file finds its prefix from where it lies: lib/pkgconfig or lib/<triplet>/pkgconfig.
file(RELATIVE_PATH INARCH_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" INARCH_PC_PREFIX "${INARCH_PC_PREFIX}")
configure_file(cmake/inarch.pc.in inarch.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/inarch.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
