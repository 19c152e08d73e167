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

# is shared|static PROGRAM: the shared library is wanted by its soname and symbol version.
is() {
    found=static
    if readelf -d "$2" | grep -q 'NEEDED.*\[libinarch\.so\.0\]' && readelf -V "$2" | grep -q INARCH_0; then
        found=shared
    fi
    [ "$found" = "$1" ] || { echo "$2 is $found, not $1"; exit 1; }
}

echo "+ pkg-config, shared"
${CC:-cc} "$source/examples/own_loop.c" $(pkg-config --cflags --libs inarch) -o with_pkg_config
LD_LIBRARY_PATH=$lib ./with_pkg_config
is shared with_pkg_config
echo "+ pkg-config, static"
rm -rf static && mkdir static && cp "$lib/libinarch.a" static # -l takes it where there is no .so
${CC:-cc} "$source/examples/own_loop.c" -Lstatic $(pkg-config --cflags --static --libs inarch |
    sed "s| *-L[^ ]*/pkgconfig/[^ ]*||") -o with_static
./with_static
is static with_static

echo "+ find_package, shared and static"
rm -rf consumer && mkdir consumer
cat >consumer/CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.16)
project(consumer C)
find_package(inarch 0.1 REQUIRED)
foreach(kind inarch static)
  add_executable(with_\${kind} $source/examples/own_loop.c)
  target_link_libraries(with_\${kind} inarch::\${kind})
endforeach()
END
cmake -S consumer -B consumer/build -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build consumer/build >/dev/null
./consumer/build/with_inarch
is shared consumer/build/with_inarch
./consumer/build/with_static
is static consumer/build/with_static

echo "+ add_subdirectory: the library alone, and the build type is the parent's"
rm -rf parent && mkdir parent
cat >parent/CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.16)
project(parent C)
add_subdirectory($source inarch)
if(CMAKE_BUILD_TYPE OR TARGET inarch OR NOT TARGET inarch::inarch OR NOT TARGET inarch::static)
  message(FATAL_ERROR "inarch changed the project around it")
endif()
END
cmake -S parent -B parent/build >/dev/null
