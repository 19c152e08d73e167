# The first signal ends the training and writes the best so far; the second kills at once.
table 4000 2 >many.csv
start() {
    rm -f ../stderr
    # Shells give background jobs an ignored SIGINT: --default-signal undoes that.
    env --default-signal=INT inarch train --data many.csv --labels kind --epochs 1000000 \
        --arch input:4,dense:64:relu,dense:64:relu,dense:2:softmax -o "$@" >../stdout 2>../stderr &
    pid=$!
    # The second epoch has begun when the first is told.
    tries=0
    until grep -qs '^epoch' ../stderr || [ $tries -gt 300 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
}
finish() {
    { wait $pid; } 2>/dev/null
    echo "= $?"
}
start term.h5
kill -TERM $pid
finish
there term.h5
sed -E -e 's/epoch [0-9]+/epoch N/' -e 's/(loss|accuracy) [0-9.e-]+/\1 N/g' ../stdout
inarch show term.h5 | grep ^loss
start int.h5 --json
kill -INT $pid
finish
there int.h5
grep -o '"interrupted":"[A-Z]*"' ../stdout
# Both at once: whichever is seen first, it dies by one of them, and without a file or with a whole one.
start twice.h5
kill -STOP $pid
kill -TERM $pid
kill -INT $pid
kill -CONT $pid
{ wait $pid; } 2>/dev/null
status=$?
if [ $status = 143 ] || [ $status = 130 ]; then echo "died by a signal"; else echo "= $status"; fi
[ ! -e twice.h5 ] || inarch show twice.h5 >/dev/null || echo "half a file"
# Nobody reads any more: the work is done first.
{
    inarch train --data many.csv --labels kind --epochs 2 --quiet \
        --arch input:4,dense:8:relu,dense:2:softmax -o piped.h5
    echo "= $?" >../status
} | true
there piped.h5
cat ../status
{
    inarch predict piped.h5 --data many.csv
    echo "= $?" >../status
} | head -1
cat ../status
