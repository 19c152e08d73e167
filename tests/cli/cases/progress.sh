# On a terminal: a bar that is wiped for the line of the epoch, colours unless NO_COLOR; none of it elsewhere.
table 20000 2 >big.csv
train="inarch train --arch input:4,dense:64:relu,dense:2:softmax --data big.csv --labels kind -o m.h5 --epochs 2"
# What a terminal would be sent, control sequences made readable; the numbers are not what is tested.
terminal() {
    script -qec "$*" ../typescript </dev/null >/dev/null
    tr '\r' '\n' <../typescript | sed -E -e 's/\x1b\[/<ESC>/g' | grep -E '^(<ESC>K)?epoch'
}
if command -v script >/dev/null; then
    terminal env TERM=xterm $train >../seen
    grep -cE '^<ESC>Kepoch 1/2  loss .* accuracy ' ../seen
    grep -cE '^(<ESC>K)?epoch [12]/2  loss .* accuracy ' ../seen
    grep -oE '^<ESC>Kepoch 1/2 \[<ESC>32m[=> ]{20}<ESC>m\] [0-9]+/625  loss ' ../seen |
        sed -E 's/[=> ]{20}/BAR/; s/[0-9]+.625/N/' | sort -u
    terminal env TERM=xterm NO_COLOR=1 $train >../seen
    grep -oE '^<ESC>Kepoch 1/2 \[[=> ]{20}\] ' ../seen | sed -E 's/[=> ]{20}/BAR/' | sort -u
    terminal env TERM=dumb $train >../seen
    grep -c '<ESC>' ../seen
    grep -cE '^epoch [12]/2  loss' ../seen
    terminal env TERM=xterm $train --quiet || echo "quiet"
else
    echo "skipped: a terminal needs the program script" >&3
    cat "$case.out"
fi
