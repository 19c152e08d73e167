# -DINARCH_BENCH=ON: the programs that bench/run.py times. The public header and the static library only.
add_executable(inarch_bench ${PROJECT_SOURCE_DIR}/bench/inarch_bench.c ${PROJECT_SOURCE_DIR}/bench/peak.c)
target_compile_definitions(inarch_bench PRIVATE _GNU_SOURCE)
target_compile_options(inarch_bench PRIVATE
  -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes)
target_link_libraries(inarch_bench PRIVATE inarch_static)
add_executable(write_csv ${PROJECT_SOURCE_DIR}/bench/write_csv.c)
