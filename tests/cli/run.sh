#!/bin/sh
# Runs one case: run.sh INARCH FIXTURES CASE.sh
#
# A case is a script of calls; what it prints - standard output as it is, standard error behind "! ",
# an exit status other than 0 behind "= " - is compared with CASE.out. Times and sizes of files are
# made alike first. UPDATE=1 writes CASE.out instead. Every case starts in an empty folder.
set -u
program=$1
FIXTURES=$(cd "$2" && pwd)
case=$(cd "$(dirname "$3")" && pwd)/$(basename "$3" .sh)
library=$(cd "$(dirname "$0")" && pwd)/lib.sh
PROGRAM=$(cd "$(dirname "$program")" && pwd)/$(basename "$program")
export PROGRAM FIXTURES LC_ALL=C TERM=dumb
unset INARCH_THREADS INARCH_CPU NO_COLOR 2>/dev/null

folder=$(mktemp -d) || exit 1
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
mkdir "$folder/bin" "$folder/work"
ln -s "$PROGRAM" "$folder/bin/inarch"
PATH=$folder/bin:$PATH
cd "$folder/work" || exit 1

exec 3>&1 # where a case says that it skips something
. "$library"
. "$case.sh" >../raw 2>&1
normalise <../raw >../got
if [ "${UPDATE:-}" ]; then
    cp ../got "$case.out"
elif ! diff -u "$case.out" ../got; then
    echo "the output of $(basename "$case") is not what $(basename "$case").out says"
    exit 1
fi
