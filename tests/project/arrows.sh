#!/bin/sh
# Includes follow the arrows of docs/architecture.md: a room may include only the rooms named here.
set -eu
cd "$1"
allowed() {
    case $1 in
    base) echo base ;;
    tensor) echo base tensor ;;
    kernels) echo base tensor kernels ;;
    containers) echo base tensor containers ;;
    nn) echo base tensor kernels nn ;;
    plan) echo base tensor kernels nn plan ;;
    data) echo base tensor containers data ;;
    formats) echo base tensor kernels containers nn formats ;;
    train) echo base tensor kernels containers nn plan data train ;;
    transfer) echo base tensor kernels nn plan data train transfer ;;
    report) echo base train report ;;
    api) echo base tensor kernels containers nn plan data formats train transfer report api ;;
    *) echo "there is no room '$1'" >&2; exit 1 ;;
    esac
}
bad=0
for file in $(find src -name '*.[ch]'); do
    room=${file#src/}
    room=${room%%/*}
    list=" $(allowed "$room") "
    for header in $(sed -n 's/^ *# *include *"\([^"]*\)".*/\1/p' "$file"); do
        to=${header%%/*}
        [ "$header" = inarch.h ] && continue
        case $list in
        *" $to "*) [ -f "src/$header" ] || { echo "$file: no src/$header"; bad=1; } ;;
        *) echo "$file: $room may not include \"$header\""; bad=1 ;;
        esac
    done
done
for file in cli/*.[ch] examples/*; do
    [ -f "$file" ] || continue
    for header in $(sed -n 's/^ *# *include *"\([^"]*\)".*/\1/p' "$file"); do
        case $header in
        inarch.h) ;;
        */*) echo "$file: may not include \"$header\""; bad=1 ;;
        *) [ -f "$(dirname "$file")/$header" ] || { echo "$file: no $header"; bad=1; } ;;
        esac
    done
done
exit $bad
