#!/bin/sh
# The shared library exports inarch_* and nothing else, all of the header, under its symbol version.
set -eu
library=$1 header=$2
nm -D --defined-only "$library" | awk '$2 != "A" {print $3}' | sort >exported
if grep -v '^inarch_[a-z0-9_]*@@INARCH_0$' exported; then
    echo "these should not leave the library"
    exit 1
fi
grep '^INARCH_API' -A3 "$header" | grep -o '\binarch_[a-z0-9_]*(' | tr -d '(' | sort -u |
    while read -r name; do
        grep -q "^$name@@" exported || { echo "$name is declared, but not exported"; exit 1; }
    done
echo "$(wc -l <exported) functions"
