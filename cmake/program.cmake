# The command line: the public header and the static library, nothing from src/.
file(GLOB INARCH_CLI CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cli/*.c)
add_executable(inarch ${INARCH_CLI})
target_compile_definitions(inarch PRIVATE _GNU_SOURCE)
target_compile_options(inarch PRIVATE
  -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes)
target_link_libraries(inarch PRIVATE inarch_static)
