#!/bin/sh
# inarch -> Keras -> inarch: run.sh EXCHANGE SOURCE_DIR WORK_DIR. Exit 77 (skipped) where Keras cannot be installed.
set -eu
exchange=$1 source=$2 work=$3

python=$(sh "$source/tools/keras/venv.sh") || exit $?
rm -rf "$work"
mkdir -p "$work"
"$exchange" write "$work"
"$python" -W ignore "$source/tests/keras/check.py" "$work"
"$exchange" read "$work"
