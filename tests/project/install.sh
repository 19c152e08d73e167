#!/bin/sh
# Installs into a folder and uses it from there: pkg-config, find_package, shared and static.
set -eu
build=$1 source=$2
rm -rf installed && mkdir installed
prefix=$PWD/installed
cmake --install "$build" --prefix "$prefix" >/dev/null
lib=$(dirname "$(find "$prefix" -name 'libinarch.so')")
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name inarch.pc)")
export PKG_CONFIG_PATH
"$prefix/bin/inarch" --version

echo "+ pkg-config, shared"
${CC:-cc} "$source/examples/own_loop.c" $(pkg-config --cflags --libs inarch) -o with_pkg_config
LD_LIBRARY_PATH=$lib ./with_pkg_config
echo "+ pkg-config, static"
${CC:-cc} "$source/examples/own_loop.c" $(pkg-config --cflags inarch) "$lib/libinarch.a" \
    $(pkg-config --static --libs-only-l jansson zlib) -lpthread -lm -o with_static
./with_static

echo "+ find_package"
rm -rf consumer && mkdir consumer
cat >consumer/CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.16)
project(consumer C)
find_package(inarch 0.1 REQUIRED)
add_executable(consumer $source/examples/own_loop.c)
target_link_libraries(consumer inarch::inarch)
END
cmake -S consumer -B consumer/build -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build consumer/build >/dev/null
./consumer/build/consumer
