# The library, shared and static. Only inarch_* leaves the shared one (cmake/inarch.map).
foreach(kind shared static)
  string(TOUPPER ${kind} KIND)
  add_library(inarch_${kind} ${KIND} $<TARGET_OBJECTS:inarch_objects>)
  set_target_properties(inarch_${kind} PROPERTIES OUTPUT_NAME inarch EXPORT_NAME ${kind})
  target_include_directories(inarch_${kind} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(inarch_${kind} PRIVATE Threads::Threads ZLIB::ZLIB PkgConfig::JANSSON m)
  add_library(inarch::${kind} ALIAS inarch_${kind})
endforeach()
set_target_properties(inarch_shared PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0
  LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/inarch.map)
target_link_options(inarch_shared PRIVATE
  -Wl,--version-script,${PROJECT_SOURCE_DIR}/cmake/inarch.map -Wl,--no-undefined-version)
add_library(inarch::inarch ALIAS inarch_shared)
