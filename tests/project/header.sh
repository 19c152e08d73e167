#!/bin/sh
# The public header alone, as every dialect that may include it.
set -eu
header=$1/include/inarch.h
cc=${CC:-cc} cxx=${CXX:-c++}
warn='-Wall -Wextra -Wpedantic -Werror -fsyntax-only'
printf '#include "%s"\ninarch_fit_options fit = INARCH_FIT_OPTIONS;\n' "$header" >header_test.c
cp header_test.c header_test.cpp
for standard in c99 c11 c17; do
    echo "+ $cc -std=$standard"
    $cc -std=$standard $warn header_test.c
done
for standard in c++11 c++17; do
    echo "+ $cxx -std=$standard"
    $cxx -std=$standard $warn header_test.cpp
done
